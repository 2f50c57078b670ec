"""A journal of trials is a file like any other: damaged or made up, it is a sentence."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
from hostility import DEEP, corpus, fuzz, mutated, replaced, result_or_refusal, sentence, within
from hypothesis import given
from hypothesis import strategies as st

from hashbench.errors import InputError
from hashbench.runner.plan import Request, plan
from hashbench.tuning import study
from hashbench.tuning.space import Range
from hashbench.tuning.study import Goal, tune

pytest.importorskip("optuna")

GOAL = Goal(
    [ask.cell for ask in plan(Request(("lsh",), (12,), datasets=("digits",)), Path("data"))],
    {"x": Range(0.0, 1.0)},
)


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """No method runs: a trial's score is its hyper-parameter."""
    monkeypatch.setattr(study, "carve", lambda train, seed: None)
    monkeypatch.setattr(study, "evaluate", lambda goal, parts, params: params.get("x", 0.1))


DISTRIBUTION = {
    "name": "FloatDistribution",
    "attributes": {"step": None, "low": 0.0, "high": 1.0, "log": False},
}


def trial(number: int, value: float) -> list[dict]:
    return [
        {"op_code": 4, "study_id": 0, "datetime_start": "2026-11-24T13:00:13.574894+00:00"},
        {
            "op_code": 5,
            "trial_id": number,
            "param_name": "x",
            "param_value_internal": value,
            "distribution": json.dumps(DISTRIBUTION),
        },
        {
            "op_code": 6,
            "trial_id": number,
            "state": 1,
            "values": [value],
            "datetime_complete": "2026-11-24T13:00:13.582494+00:00",
        },
    ]


#: What Optuna writes for three trials.
LINES = [
    {"worker_id": "w", **line}
    for line in (
        {"op_code": 0, "study_name": GOAL.key, "directions": [2]},
        {"op_code": 2, "study_id": 0, "user_attr": {"default": 0.1}},
        *trial(0, 0.25),
        *trial(1, 0.75),
        *trial(2, 0.5),
    )
]
WHOLE = "".join(f"{json.dumps(line)}\n" for line in LINES).encode()


@pytest.fixture
def journal(tmp_path) -> Path:
    path = tmp_path / "trials" / f"lsh-{GOAL.key}.journal"
    path.parent.mkdir()
    path.write_bytes(WHOLE)
    return path


def test_the_journal_that_is_changed_is_gone_on_with(journal) -> None:
    best = resumed(journal, 3)
    assert (best.value, best.default, best.trials) == (0.75, 0.1, 3)
    assert journal.read_bytes().startswith(WHOLE)
    assert resumed(journal, 5).trials == 5


def resumed(journal: Path, trials: int):
    best = result_or_refusal(lambda: tune(GOAL, None, trials, journal.parent), journal)
    if best is not None:
        assert math.isfinite(best.value)
        assert math.isfinite(best.default)
        assert best.trials >= trials
        json.dumps(best.params)
    return best


@pytest.mark.parametrize("path", corpus(__file__, "journal"), ids=lambda path: path.name)
def test_what_once_broke_is_refused_with_a_sentence(journal, path) -> None:
    journal.write_bytes(path.read_bytes().replace(b"STUDY", GOAL.key.encode()))
    with within(20), pytest.raises(InputError, match="damaged") as refusal:
        tune(GOAL, None, 3, journal.parent)
    sentence(refusal.value, journal)


@fuzz(80)
@given(data=st.data(), trials=st.integers(3, 4))
def test_a_changed_journal_goes_on_or_is_refused(journal, data, trials) -> None:
    if data.draw(st.booleans()):
        changed = data.draw(mutated(WHOLE))
    else:
        lines = list(LINES)
        row = data.draw(st.integers(0, len(lines) - 1))
        lines[row] = data.draw(replaced(lines[row]))
        changed = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    journal.write_bytes(changed)
    resumed(journal, trials)


def test_a_kill_while_a_line_is_written_costs_that_line_alone(journal) -> None:
    journal.write_bytes(WHOLE + WHOLE[:30])
    assert resumed(journal, 5).trials == 5
    assert journal.read_bytes().startswith(WHOLE)
    assert resumed(journal, 5).trials == 5


def test_deep_lines_and_pipes_are_refused(journal) -> None:
    journal.write_bytes(DEEP + b"\n" + journal.read_bytes())
    assert resumed(journal, 3) is None
    journal.unlink()
    os.mkfifo(journal)
    with within(5):
        assert resumed(journal, 3) is None
