"""Which rows of a column are marked, and what the tests behind a mark say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_records import PARTS, TUNED, printed

from hashbench.evaluation import Convention
from hashbench.origin import Origin
from hashbench.results.collect import collect
from hashbench.results.comparison import columns
from hashbench.results.frame import blocks
from hashbench.results.sheets import paper_sheets
from hashbench.store import Record


def queries(seed: int, shift: float, size: int = 200) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(0.5 + shift, 0.1, size), 0, 1)


def test_what_the_table_says_is_what_was_tested(judge) -> None:
    nan = np.nan
    one = [[0.9, 0.8, nan, 0.6], [0.7, nan, nan, 0.9]]
    other = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.1, 0.2, 0.1]]
    records = [judge.beside("dch", 16, v, s) for s, v in enumerate(one)]
    records += [judge.beside("ksh", 16, v, s) for s, v in enumerate(other)]
    (series,) = collect(records, judge)
    means = {series.labels[r]: series.entry(r, 16).mean for r in series.rows}
    assert means["DCH"] == pytest.approx(((0.9 + 0.8 + 0.6) / 3 + (0.7 + 0.9) / 2) / 2)
    (pair,) = series.family(16).comparisons
    assert pair.difference == pytest.approx(means["KSH"] - means["DCH"])
    for r in series.rows:
        assert series.family(16).intervals[r].mean == pytest.approx(series.entry(r, 16).mean)
    assert pair.common == pytest.approx(2 / 4)


def test_the_best_is_marked_where_it_beats_every_method(judge) -> None:
    records = [judge.beside("dch", 16, queries(0, 0.1)), judge.beside("ksh", 16, queries(1, 0.0))]
    (series,) = collect(records, judge)
    assert [series.marked(r, 16) for r in series.rows] == [False, True]
    assert "†" in printed(series)
    assert "Holm-corrected" in printed(series)
    # Nothing is sure of a twin, nor of a method without values of single queries.
    for extra in (judge.beside("hashnet", 16, queries(2, 0.1)), judge.add("hashnet", 16, 0.1)):
        (series,) = collect([*records, extra], judge)
        assert not any(series.marked(r, 16) for r in series.rows)


def test_floors_alone_are_never_first_and_methods_without_labels_alone_are(judge) -> None:
    floors = [judge.beside("lsh", 16, queries(0, 0.0)), judge.beside("sign", 16, queries(1, 0.1))]
    (series,) = collect([*floors, judge.add("dch", 16, None)], judge)
    (sheet,) = paper_sheets([series])
    assert "Not ranked: floor." in sheet.caption
    assert "First of all" not in sheet.caption
    assert series.first(16) == series.family(16).certificate == {}
    assert [row["first"] for row in columns([series])[0]["rows"]] == [None, None]
    plain = [judge.beside("itq", 16, queries(2, 0.3)), judge.beside("pcah", 16, queries(3, 0.1))]
    (series,) = collect([*floors, *plain], judge)
    (sheet,) = paper_sheets([series])
    assert [series.rank(row, 16) for row in series.rows] == [0, 0, 2, 1]
    assert [series.marked(row, 16) for row in series.rows] == [False, False, False, True]
    assert "Not ranked: floor. †" in sheet.caption
    assert "First of all in draws of queries: ITQ 100% at 16 bits." in sheet.caption
    (series,) = collect([*floors, *plain, judge.beside("dch", 16, queries(4, 0.2))], judge)
    (sheet,) = paper_sheets([series])
    assert "Not ranked: floor, without labels." in sheet.caption
    assert "ITQ (without labels) 100% at 16 bits." in sheet.caption


def test_rows_that_share_a_cell_are_not_held_against_each_other(judge) -> None:
    both = (Origin(), TUNED)
    records = [
        judge.beside("dch", 16, queries(0, 0.1), origins=both),
        judge.beside("dch", 16, queries(3, 0.1), 1),  # a second seed of one row alone
        judge.beside("ksh", 16, queries(1, 0.0)),
        judge.beside("ksh", 32, queries(1, 0.0)),
        judge.beside("dch", 32, queries(2, 0.1), origins=both),
    ]
    (series,) = collect(records, judge)
    assert [r.method for r in series.rows] == ["ksh", "dch", "dch"]
    for bits in (16, 32):
        family = series.family(bits)
        assert [(p.first.method, p.second.method) for p in family.comparisons] == [("ksh", "dch")]
        assert list(family.certificate.values()) == [0.0, 1.0, 1.0]
        assert family.certificate == series.first(bits)
        for r in series.rows:
            assert family.intervals[r].mean == pytest.approx(series.entry(r, bits).mean)
    # At 16 bits one of them is second by its other seed; at 32 both are the same best.
    assert sum(series.marked(r, 16) for r in series.rows) == 1
    assert [series.marked(r, 32) for r in series.rows] == [False, True, True]
    assert "rows of the same cells are one method" in series.dagger
    column = next(column for column in columns([series]) if column["bits"] == 32)
    assert [row["same_as"] for row in column["rows"]][:2] == [None, None]
    assert column["rows"][2]["same_as"] == column["rows"][1]["row"]


def test_from_three_seeds_on_a_mark_needs_other_seeds_too(judge) -> None:
    # The mean is better over queries by far, and which method wins depends on the seed.
    shifts = {"dch": (0.3, -0.1, 0.1), "ksh": (0.0, 0.2, -0.2)}
    records = [
        judge.beside(method, 16, queries(seed, shift), seed)
        for method, by_seed in shifts.items()
        for seed, shift in enumerate(by_seed)
    ]
    (series,) = collect(records, judge)
    assert not any(series.marked(r, 16) for r in series.rows)
    assert "†" not in printed(series)
    (one,) = collect([r for r in records if r.cell.seed == 0], judge)
    assert sum(one.marked(r, 16) for r in one.rows) == 1
    assert "below 3 seeds it says nothing about other seeds" in " ".join(printed(one).split())


def test_unrelated_records_change_no_verdict(judge) -> None:
    records = [judge.beside("dch", 16, queries(0, 0.02)), judge.beside("ksh", 16, queries(1, 0.0))]
    alone = collect(records, judge)[0].family(16)
    other = [judge.beside(m, b, queries(5, 0.1), dataset="coco") for m in PARTS for b in (16, 32)]
    other += [judge.beside("hashnet", 32, queries(6, 0.0))]
    beside = collect([*records, *other], judge)[0].family(16)
    assert alone.comparisons == beside.comparisons


def test_no_mark_where_the_methods_hardly_share_queries(judge) -> None:
    best = queries(0, 0.3)
    best[:30] = np.nan
    records = [judge.beside("dch", 16, best), judge.beside("ksh", 16, queries(1, 0.0))]
    (series,) = collect(records, judge)
    assert series.family(16).comparisons[0].adjusted < 0.05
    assert not any(series.marked(r, 16) for r in series.rows)


def test_the_loser_of_the_test_is_never_marked(judge) -> None:
    # DCH has the better mean and loses on lower-is-better metrics.
    records = [judge.beside("dch", 16, queries(0, 0.1)), judge.beside("ksh", 16, queries(1, 0.0))]
    (series,) = collect(records, judge)
    lower = replace(series)
    object.__setattr__(lower, "info", replace(series.info, better="lower"))
    assert [lower.marked(r, 16) for r in lower.rows] == [True, False]


def test_who_is_first_is_told_under_conventions_that_the_whole_column_has(judge) -> None:
    records = [judge.beside("dch", 16, queries(0, 0.1)), judge.beside("ksh", 16, queries(1, 0.0))]
    house, other = map(Convention.parse, ("house", "deephash"))

    def conventions(record: Record) -> list[Convention]:
        return [house, other] if record.cell.method == "dch" else [house]

    found = [
        (common["method"], line["convention"], line["value"])
        for common, lines in blocks(records, judge, conventions, certificate="map@h2")
        for line in lines
        if line["metric"] == "first/map@h2"
    ]
    assert found == [("ksh", "house", 0.0), ("dch", "house", 1.0)]
