from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from made_records import EVIDENCE, PARTS, TUNED
from rich.console import Console

from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.origin import Origin
from hashbench.results.choose import select
from hashbench.results.collect import check_metric, collect
from hashbench.results.comparison import columns
from hashbench.results.frame import blocks
from hashbench.results.notes import ceiling, notes, uneven
from hashbench.results.scored import StoredJudge
from hashbench.results.sheets import paper_sheets
from hashbench.results.terminal import show
from hashbench.store import Record


def printed(series, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width)
    show(console, series)
    return console.file.getvalue()


def names(series) -> list[str]:
    return [series.labels[row] for row in series.rows]


def row(series, label):
    return next(row for row, text in series.labels.items() if text == label)


def test_seeds_alone_are_averaged(judge) -> None:
    (series,) = collect([judge.add("dch", 16, v, s) for s, v in enumerate((0.7, 0.72, 0.8))], judge)
    entry = series.entry(series.rows[0], 16)
    assert entry.values == {0: 0.7, 1: 0.72, 2: 0.8}
    assert entry.mean == pytest.approx(0.74)
    assert entry.std == pytest.approx(0.0529150, abs=1e-6)
    assert (entry.n, series.seeds) == (3, 3)


@pytest.mark.parametrize(
    "other",
    [
        {"split_seed": 1},
        {"backbone": "alexnet"},
        {"protocol": "cifar10-1"},
        {"options": {"allow_missing": True}},
        {"evidence": replace(EVIDENCE, split="beef" * 16)},
        {"evidence": replace(EVIDENCE, images="beef" * 16)},
    ],
)
def test_what_is_not_of_one_bench_and_evidence_never_shares_a_row(judge, other) -> None:
    found = collect(
        [judge.add("dch", 16, 0.7), judge.add("dch", 16, 0.9, **other)], judge, all_versions=True
    )
    assert sorted(one.entry(one.rows[0], 16).mean for one in found) == [0.7, 0.9]


def test_tuned_and_untuned_are_two_rows_and_a_shared_cell_is_in_both(judge) -> None:
    records = [
        judge.add("dch", 16, 0.7, origins=(Origin(), TUNED)),
        judge.add("dch", 32, 0.6, origins=(Origin(),)),
        judge.add("dch", 32, 0.8, params={"gamma": 20.0}, origins=(TUNED,)),
    ]
    (series,) = collect(records, judge)
    assert names(series) == ["DCH [defaults]", "DCH [tuned]"]
    table = {
        label: [series.entry(row(series, label), bits).mean for bits in (16, 32)]
        for label in names(series)
    }
    assert table == {"DCH [defaults]": [0.7, 0.6], "DCH [tuned]": [0.7, 0.8]}
    assert "hyper-parameters: defaults (DCH); tuned (DCH)" in printed(series)


def test_where_hyper_parameters_came_from_is_said_of_one_origin_too(judge) -> None:
    records = [judge.add("dch", 16, 0.7, origins=(TUNED,)), judge.add("ksh", 16, 0.6)]
    (series,) = collect(records, judge)
    assert names(series) == ["KSH", "DCH"]  # KSH has none in this table
    assert "hyper-parameters: tuned" in printed(series)


def test_a_method_tuned_for_each_length_is_one_row(judge) -> None:
    tuned = [judge.add("dch", bits, 0.5, params={"gamma": bits / 4}) for bits in (16, 32)]
    assert names(collect(tuned, judge)[0]) == ["DCH"]
    # What competes at one length is told apart.
    other = judge.add("dch", 32, 0.6, params={"gamma": 9.0})
    (series,) = collect([*tuned, other], judge)
    assert set(names(series)) == {"DCH [gamma=4.0]", "DCH [gamma=8.0]", "DCH [gamma=9.0]"}


def test_what_the_command_line_set_is_in_the_label(judge) -> None:
    given = Origin(sources={"gamma": "command line"})
    (series,) = collect([judge.add("dch", 16, 0.7, origins=(given,))], judge)
    assert names(series) == ["DCH [gamma=10.0]"]


def test_training_modes_are_rows_of_their_own(judge) -> None:
    (series,) = collect([judge.add("dch", 16, 0.7), judge.add("dch", 16, 0.8, mode="full")], judge)
    assert names(series) == ["DCH [head]", "DCH [full]"]


def test_older_code_is_left_out_counted_and_shown_on_demand(judge) -> None:
    records = [
        judge.add("dch", 16, 0.7, code="1", finished="2026-01-01T00:00:00"),
        judge.add("dch", 16, 0.9, code="2", finished="2026-01-02T00:00:00"),
        judge.add("dch", 32, 0.5, code="1", finished="2026-01-01T00:00:00"),
    ]
    (series,) = collect(records, judge)
    # 32 bits were not run with the new code: never in one row with it.
    assert [series.entry(r, b).mean for r in series.rows for b in (16, 32)] == [
        None, 0.5, 0.9, None,
    ]  # fmt: skip
    assert names(series) == ["DCH [code 1]", "DCH [code 2]"]
    assert any("1 result of other code is left out" in note for note in series.notes)
    (series,) = collect(records, judge, all_versions=True)
    assert series.entry(series.rows[0], 16).mean == 0.7
    assert not series.left_out


def test_an_earlier_state_of_the_data_is_left_out_counted_and_never_beside(judge) -> None:
    before = replace(EVIDENCE, images="beef" * 16)
    records = [
        judge.add("dch", 16, 0.7, evidence=before, finished="2026-01-01T00:00:00"),
        judge.add("ksh", 16, 0.6, evidence=before, finished="2026-01-03T00:00:00"),
        judge.add("dch", 16, 0.8, finished="2026-01-04T00:00:00"),
        judge.add("dch", 16, 0.5, dataset="coco"),
    ]
    cifar, coco = collect(records, judge)
    assert (cifar.title, coco.title) == ("CIFAR-10", "MS-COCO")
    assert names(cifar) == ["DCH"]
    assert any("2 results of another state of the data" in note for note in cifar.notes)
    assert not coco.left_out
    found = collect(records, judge, all_versions=True)
    assert len(found) == 3
    titles = {one.about for one in found if one.title == "CIFAR-10"}
    assert len({text for text in titles if "2026-01-04" in text}) == 1
    assert len({text for text in titles if "2026-01-03" in text}) == 1


def test_floors_stand_apart_and_do_not_compete(judge) -> None:
    records = [
        judge.add("dch", 16, 0.5), judge.add("ksh", 16, 0.4), judge.add("lsh", 16, 0.9),
        judge.add("pca", 16, 0.8, part={"title": "PCA", "kind": "shallow", "supervised": False}),
    ]  # fmt: skip
    (series,) = collect(records, judge)
    assert names(series) == ["LSH", "PCA", "KSH", "DCH"]
    assert [series.rank(one, 16) for one in series.rows] == [0, 0, 2, 1]
    text = printed(series)
    assert "lsh  (floor)" in text
    assert "pca  (without labels)" in text


def test_methods_are_listed_by_kind_and_year_or_as_asked(judge) -> None:
    records = [judge.add(m, 16, 0.5) for m in ("mine", "dch", "hashnet", "ksh", "itq-cca", "lsh")]
    (series,) = collect(records, judge)
    assert names(series) == ["LSH", "ITQ-CCA", "KSH", "mine", "HashNet", "DCH"]
    (series,) = collect(records, judge, order=("dch", "lsh"))
    assert names(series)[:2] == ["DCH", "LSH"]


def test_two_methods_of_one_title_are_told_apart(judge) -> None:
    records = [judge.add("dch", 16, 0.5), judge.add("mine", 16, 0.5, part=PARTS["dch"])]
    assert set(names(collect(records, judge)[0])) == {"DCH (dch)", "DCH (mine)"}


def test_fewer_seeds_are_said_beside_the_number_and_below(judge) -> None:
    records = [judge.add("dch", b, 0.7, s) for b in (16, 32) for s in range(3)]
    records += [judge.add("ksh", b, 0.6) for b in (16, 32)]
    records += [judge.add("hashnet", b, 0.5, s) for b in (16, 32) for s in range(b // 16)]
    (series,) = collect(records, judge)
    text = printed(series)
    assert "3 seeds" in text
    assert text.count("(n=1)") == 3
    assert text.count("(n=2)") == 1
    assert uneven(series) == (
        "Means are over 3 seeds, but of KSH 1; HashNet 1 at 16 bits, 2 at 32 bits."
    )


def test_one_seed_is_said(judge) -> None:
    (series,) = collect([judge.add("dch", 16, 0.7)], judge)
    assert "1 seed" in printed(series)
    assert "(n=" not in printed(series)


def test_equal_scores_have_no_best_and_of_some_metrics_less_is_better(judge) -> None:
    (series,) = collect([judge.add("dch", 16, 0.5), judge.add("ksh", 16, 0.5)], judge)
    assert [series.rank(one, 16) for one in series.rows] == [0, 0]
    (series,) = collect([judge.add("dch", 16, 0.6), judge.add("ksh", 16, 0.5)], judge)
    assert [series.rank(one, 16) for one in series.rows] == [2, 1]  # KSH, then DCH
    assert series.of("empty@h2").info.better == "lower"


def test_bounds_stand_beside_the_value(judge) -> None:
    records = [
        judge.add("dch", 16, 0.7, 0, bounds=(0.6, 0.9)),
        judge.add("dch", 16, 0.7, 1, bounds=(0.5, 0.8)),
    ]
    (series,) = collect(records, judge)
    assert series.entry(series.rows[0], 16).bounds == pytest.approx((0.55, 0.85))
    assert "[0.550, 0.850]" in printed(series)


def test_a_failure_is_a_dash_and_a_sentence(judge) -> None:
    (series,) = collect([judge.add("dch", 16, 0.7), judge.add("ksh", 16, None)], judge)
    assert series.entry(row(series, "KSH"), 16).mean is None
    assert "KSH at 16 bits: failed, ran out of luck_&_time" in printed(series)


def test_texts_of_a_record_cannot_command_a_terminal(judge) -> None:
    hostile = {"title": "\x1b[31m[bold]red\nline", "kind": "deep"}
    data = {"title": "\x1b]0;owned\a[bold]data"}
    parts = {"method": hostile, "dataset": data}
    records = [
        judge.add("\x1b[31mevil[bold]", 16, 0.7, parts=parts, finished="2027"),
        judge.add("ksh", 16, None, reason="\x1b]0;x\a"),
    ]
    (series,) = collect(records, judge)
    text = printed(series)
    assert "\x1b" not in text
    assert "\a" not in text
    assert "evil[bold]" in text
    assert "[bold]data" in text


def test_selections(judge) -> None:
    records = [judge.add(m, b, 0.5, s) for m in ("dch", "ksh") for b in (16, 32) for s in (0, 1)]
    records.append(
        judge.add("dch", 16, 0.5, dataset="lists", request={"dataset": "lists:my lists"})
    )
    assert len(select(records, methods="ksh")) == 4
    assert len(select(records, bits="16", seeds="1,")) == 2
    assert len(select(records, datasets="lists:my lists")) == 1
    assert len(select(records, datasets=["lists"], methods=["dch"], bits=[16], seeds=[0])) == 1
    for wrong, part in (
        ({"methods": "sdh"}, "hashbench run --methods sdh"),
        ({"bits": "64"}, "hashbench run --bits 64"),
        ({"datasets": "cifar100"}, "did you mean cifar10"),
        ({"seeds": "7,"}, "hashbench run"),
    ):
        with pytest.raises(InputError, match=part):
            select(records, **wrong)


def test_missing_metrics_name_what_there_is(judge) -> None:
    series = collect([judge.add("dch", 16, 0.7)], judge, "map@h3")
    with pytest.raises(InputError, match="map@h2"):
        check_metric(series)
    with pytest.raises(InputError, match="hashbench run"):
        check_metric(collect([judge.add("dch", 16, None)], judge))
    check_metric(collect([judge.add("dch", 16, 0.7), judge.add("ksh", 16, None)], judge))


def test_stored_codes_are_scored_under_any_convention(store) -> None:
    found = collect(store.records(), StoredJudge(store), "map@h2", "house(nohit=drop,empty=drop)")
    again = collect(store.records(), StoredJudge(store), "map@h2", "house(empty=drop,nohit=drop)")
    assert str(found[0].convention) == str(again[0].convention)
    check_metric(found)
    text = printed(found[0])
    assert "empty balls" in text
    (series,) = collect(store.records(), StoredJudge(store), "map@h2", "deephash")
    with pytest.raises(InputError, match="--keep-relaxed"):
        check_metric([series])


def test_damaged_codes_are_a_dash_and_a_sentence(store) -> None:
    first = next(r for r in store.records() if r.cell.method == "ksh" or r.cell.method == "dch")
    store.path("codes", first.key).write_bytes(b"none")
    (series,) = collect(store.records(), StoredJudge(store))
    assert any("damaged" in text for text in series.failures)
    check_metric([series])


def test_lookup_is_below_the_table(judge) -> None:
    made = judge.add("dch", 16, 0.7)
    judge.lookups[made.key] = {
        "radius": 2,
        "hash": {"queries_per_s": 5e4, "candidates": 120.0, "identical": True},
        "flat": {"queries_per_s": 9e3, "candidates": 54000.0, "identical": True},
    }
    assert "hash 50,000 (120)" in printed(collect([made], judge)[0])


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


def queries(seed: int, shift: float, size: int = 200) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(0.5 + shift, 0.1, size), 0, 1)


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


def test_the_ceiling_is_below_the_table_as_full_map_and_of_the_view_shown(judge) -> None:
    (series,) = collect([judge.add("dch", 16, 0.7)], judge)
    assert ceiling(series) == ""
    judge.ceilings |= {"": 0.4321, "unseen@all": 0.25}
    (series,) = collect([judge.add("dch", 16, 0.7)], judge)
    text = " ".join(printed(series, 400).split())
    assert "un-hashed efficientnet_lite0 features has a full mAP of 0.432 (house" in text
    assert "hold the methods' full mAP (--metric map) against it, not map@h2" in text
    assert "full mAP is in this table" in ceiling(series.of("map"))
    assert "full mAP [unseen@all] of 0.250" in ceiling(series.of_view("unseen@all"))
    assert ceiling(series.of_view("seen@seen")) == ""
    (sheet,) = paper_sheets([series])
    assert any("full mAP of 0.432" in remark for remark in sheet.remarks)


def test_views_of_a_split_are_a_table_of_their_own(judge) -> None:
    records = [judge.add("dch", 16, 0.7), judge.add("lsh", 16, 0.4), judge.add("dch", 32, 0.6)]
    judge.views = {"seen@all": 0.1, "unseen@all": -0.2}
    (series,) = collect(records, judge)
    assert set(series.views) == {"seen@all", "unseen@all"}
    assert series.of_view("unseen@all").info.title == "mAP@H<=2 [unseen@all]"
    lines = printed(series).split("by view of the split")[1].splitlines()
    table = [line.split() for line in lines if line.strip()]
    assert table[1:8] == [
        ["method", "16", "bits", "32", "bits"],
        ["lsh"],
        ["seen@all", "0.500", "-"],
        ["unseen@all", "0.200", "-"],
        ["dch"],
        ["seen@all", "0.800", "0.700"],
        ["unseen@all", "0.500", "0.400"],
    ]
    # A table of a view has none of its own below.
    assert "by view" not in printed(series.of_view("unseen@all"))


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


def test_tuned_methods_without_labels_are_said_to_be_chosen_by_labels(judge) -> None:
    quiet = {"summary": "", "supervised": False, "kind": "shallow", "role": "method"}
    records = [
        judge.add(
            "itq", 16, 0.4, part=quiet, params={"iterations": 50}, origins=(Origin(base="tuned"),)
        ),
        judge.add("sh", 16, 0.3, part=quiet),
        judge.add("itq-cca", 16, 0.5, origins=(Origin(base="tuned"),)),
    ]
    (series,) = collect(records, judge)
    (said,) = [note for note in notes(series) if "chose by labels" in note]
    assert said.endswith("without any, too: itq.")
    (series,) = collect(records[1:], judge)
    assert not [note for note in notes(series) if "chose by labels" in note]
