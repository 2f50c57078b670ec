"""What a setting is worth: the line in log2, and which setting is chosen."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import Convention, score
from hashbench.tuning.choose import Trial, choose, closest, gain
from hashbench.tuning.criterion import (
    Judged,
    criterion,
    extrapolated,
    held_out,
    line_weights,
)

HOUSE = Convention.parse("house")


def _judged(items: int = 160, size: int = 5120, metric: str = "map@h2") -> Judged:
    rng = np.random.default_rng(4)
    labels = np.eye(4, dtype=np.uint8)
    classes = np.arange(items) % 4, np.arange(40) % 4
    centres = rng.standard_normal((4, 12))
    database, query = (
        Codes.from_real(centres[of] + 0.7 * rng.standard_normal((len(of), 12)), keep_relaxed=False)
        for of in classes
    )
    return Judged(query, database, labels[classes[1]], labels[classes[0]], HOUSE, metric, size)


def test_a_line_in_log2_is_read_where_it_is() -> None:
    sizes = [1000, 500, 250, 125]
    line = 0.31 + 0.07 * np.log2(sizes)
    assert line_weights(sizes, 54_000) @ line == pytest.approx(0.31 + 0.07 * math.log2(54_000))
    rough = np.array([0.1, 0.4, 0.2, 0.25])
    slope, start = np.polyfit(np.log2(sizes), rough, 1)
    wanted = start + slope * math.log2(54_000)
    assert line_weights(sizes, 54_000) @ rough == pytest.approx(wanted)


def test_the_worth_is_extended_from_parts_that_hold_classes_in_their_proportions() -> None:
    judged = _judged()
    levels = []
    for count in (1, 2, 4, 8):
        values = []
        for part in range(count):
            # The classes come in turn: every count-th of each class is every count-th round of 4.
            rows = np.flatnonzero((np.arange(160) // 4 + (np.arange(160) % 4) * 40) % count == part)
            assert len({*np.bincount(rows % 4)}) == 1
            (scores,) = score(
                judged.query,
                judged.database.subset(rows),
                judged.query_labels,
                judged.database_labels[rows],
                [HOUSE],
            )
            values.append(scores["map@h2"])
        levels.append(np.mean(values))
    slope, start = np.polyfit(np.log2([160, 80, 40, 20]), levels, 1)
    wanted = start + slope * np.log2(5120)
    assert extrapolated(judged).mean() == pytest.approx(wanted)
    assert wanted > levels[0] > levels[-1]  # balls fill as a database grows
    assert held_out(judged).mean() == pytest.approx(levels[0])


def test_a_score_that_is_none_is_named() -> None:
    with pytest.raises(InputError, match="did you mean map@h2"):
        held_out(_judged(metric="mpa@h2"))


def test_mixtures_have_no_pixels_to_start_from() -> None:
    assert criterion(None, "head").name == criterion(None, "none").name == "inflated"
    assert criterion(None, "partial").name == "extrapolated"
    assert criterion("held-out", "head").name == "held-out"
    with pytest.raises(InputError, match="starts from pixels"):
        criterion("inflated", "full")


# --- the choice


def _trial(values, **point) -> Trial:
    return Trial(point, None if values is None else np.asarray(values, float), "it broke")


BASE = [0.5, 0.5, 0.5, 0.5]


def test_a_gain_is_paired_by_query() -> None:
    mean, error = gain(_trial([0.2, 0.9, 0.4, np.nan], x=1), _trial([0.1, 0.6, 0.2, 0.3]))
    assert mean == pytest.approx(0.2)
    assert error == pytest.approx(0.1 / math.sqrt(3))
    assert all(math.isnan(value) for value in gain(_trial(None), _trial(BASE)))


def test_a_gain_beyond_doubt_is_chosen_at_once() -> None:
    trials = [_trial(BASE), _trial([0.7, 0.71, 0.69, 0.7], x=1), _trial([0.6] * 4, x=2)]
    assert closest(trials) is None
    choice = choose(trials, [])
    assert choice.point == choice.best == {"x": 1}
    assert (choice.gain, choice.carvings) == (pytest.approx(0.2), 1)


def test_a_close_gain_is_asked_for_again_and_both_count() -> None:
    close = [_trial(BASE), _trial([0.9, 0.3, 0.8, 0.5], x=1)]  # .125 with an error of .138
    assert closest(close) is close[1]
    lost = choose(close, [_trial(BASE), _trial([0.4, 0.3, 0.2, 0.5], x=1)])
    assert lost.point == {}
    assert lost.best == {"x": 1}
    assert lost.gain == pytest.approx((0.125 - 0.15) / 2)
    won = choose(close, [_trial(BASE), _trial([0.9, 0.8, 0.9, 0.8], x=1)])
    assert won.point == {"x": 1}
    assert won.gain == pytest.approx((0.125 + 0.35) / 2)
    first, second = np.std([0.4, -0.2, 0.3, 0], ddof=1), np.std([0.4, 0.3, 0.4, 0.3], ddof=1)
    assert won.error == pytest.approx(math.hypot(first, second) / 2 / 2)
    assert won.carvings == 2
    # A second try that failed speaks for nothing.
    assert choose(close, [_trial(BASE), _trial(None, x=1)]).point == {}


def test_the_defaults_stay_where_nothing_beats_them() -> None:
    trials = [_trial(BASE), _trial([0.4] * 4, x=1), _trial(None, x=2), _trial(BASE, x=3)]
    assert closest(trials) is None
    choice = choose(trials, [])
    assert (choice.point, choice.best, choice.default) == ({}, {}, 0.5)


def test_a_gain_that_four_digits_do_not_show_is_none() -> None:
    trials = [_trial(BASE), _trial([value + 2e-5 for value in BASE], x=1)]
    choice = choose(trials, [])
    assert choice.point == {}
    assert choice.best == {"x": 1}
    assert choice.gain == pytest.approx(2e-5)


def test_defaults_that_fail_are_beaten_by_anything() -> None:
    trials = [_trial(None), _trial([0.4] * 4, x=1), _trial([0.3] * 4, x=2)]
    assert closest(trials) is None
    choice = choose(trials, [])
    assert choice.point == {"x": 1}
    assert math.isnan(choice.default)
    none = choose([_trial(None), _trial(None, x=1)], [])
    assert none.point == {}
