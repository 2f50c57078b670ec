from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_records import EVIDENCE, PARTS, TUNED, printed

from hashbench.errors import InputError
from hashbench.origin import Origin
from hashbench.results.choose import select
from hashbench.results.collect import check_metric, collect
from hashbench.results.scored import StoredJudge


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


def test_options_of_the_data_are_said_in_words(judge) -> None:
    options = {"mirrored": True, "distractors": "/my pictures", "allow_missing": True}
    (series,) = collect([judge.add("ksh", 16, 0.7, options=options)], judge)
    words = "missing images allowed, distractors of /my pictures, mirror images trained on"
    assert series.about == f"protocol cifar10, efficientnet_lite0 features, {words}"
    assert str(series.bench) == f"cifar10, {series.about}"
    other = {"my_{0}": {"a": 1}, "off": False}  # of a plugin, or of a stranger's file
    (series,) = collect([judge.add("ksh", 16, 0.7, options=other)], judge)
    assert series.about.endswith('features, my {0} {"a": 1}')


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


def test_a_series_prints_as_its_table_and_is_short_in_a_list(judge) -> None:
    records = [judge.add("dch", bits, 0.7, origins=(TUNED,)) for bits in (16, 48)]
    (series,) = collect(records, judge, "map@h2", "house")
    assert "bibtex" not in repr([series])
    assert len(repr([series])) < 160
    assert repr(series.rows) == "(<Row dch tuned>,)"
    lines = str(series).splitlines()
    assert lines[0].startswith("mAP@H<=2 (house convention) on ")
    assert next(line.split() for line in lines if line[:3] == "dch") == ["dch", "0.700", "0.700"]


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
        ({"seeds": "7,"}, "there are: 0, 1"),
    ):
        with pytest.raises(InputError, match=part):
            select(records, **wrong)
    records.append(judge.add("hashnet", 32, 0.5))
    with pytest.raises(InputError, match="did you mean hashnet"):
        select(records, methods="hasnet")
    with pytest.warns(UserWarning, match="hashnet has no result at"):
        assert len(select(records, methods="dch,hashnet", bits="16")) == 3


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


def queries(seed: int, shift: float, size: int = 200) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(0.5 + shift, 0.1, size), 0, 1)


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


@pytest.mark.parametrize("width", [30, 60, 80, 300])
def test_no_number_is_cut_where_a_line_is_short(judge, width) -> None:
    records = [
        judge.add(method, bits, value + bits / 1000 + seed / 10, seed)
        for method, value in (("dch", 0.7), ("greedyhash-unsupervised", 0.3))
        for bits in (16, 32, 48, 64)
        for seed in (0, 1)
    ]
    (series,) = collect(records, judge)
    text = printed(series, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for mean in ("0.766", "0.782", "0.798", "0.814"):
        assert f"{mean} ±0.071*" in text
    assert ("greedyhash-unsupervised" in text) == (width > 30)
    lengths = [line.split().count("bits") for line in text.splitlines() if " bits" in line]
    assert lengths[0] == {30: 1, 60: 2, 80: 4, 300: 4}[width]
