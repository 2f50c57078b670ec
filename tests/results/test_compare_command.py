"""`hashbench compare`: the tests of a table's columns."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from made_records import EVIDENCE, real_record

from hashbench.commands.compare import command
from hashbench.errors import InputError
from hashbench.results.collect import collect
from hashbench.results.explain import find_cell
from hashbench.results.results import Results
from hashbench.results.scored import StoredJudge


def run(*arguments: object) -> str:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def body(store, *arguments: object) -> dict:
    return json.loads(run("--results", store.root, "--json", *arguments))


@pytest.mark.parametrize("convention", ["house", "house(nohit=drop,empty=drop)"])
def test_it_says_what_the_table_says(store, convention) -> None:
    found = body(store, "--convention", convention)
    (series,) = collect(store.records(), StoredJudge(store), "map@h2", convention)
    for column in found["columns"]:
        means = {row["row"]: row["mean"] for row in column["rows"]}
        assert means == {
            series.names[row]: mean
            for row in series.rows
            if (mean := series.entry(row, column["bits"]).mean) is not None
        }
        for pair in column["pairs"]:
            assert pair["difference"] == pytest.approx(
                means[pair["first"]] - means[pair["second"]], abs=1e-12
            )
        marked = {row["row"] for row in column["rows"] if row["marked"]}
        assert marked == {
            series.names[row] for row in series.rows if series.marked(row, column["bits"])
        }
        assert all(row["low"] <= row["mean"] <= row["high"] for row in column["rows"])
    assert [column["bits"] for column in found["columns"]] == [16, 32]


@pytest.mark.parametrize(
    ("convention", "metric"), [("house(radius=3)", "map@h3"), ("dpsh", "map"), ("graded", "wap")]
)
def test_a_convention_without_the_usual_score_is_compared_by_its_own(
    store, convention, metric
) -> None:
    found = body(store, "--convention", convention)
    assert found["metric"] == metric
    assert found == body(store, "--convention", convention, "--metric", metric)


def test_another_backbone_or_state_of_the_data_changes_nothing_and_is_no_seed(store) -> None:
    before = body(store)
    for change in ({"backbone": "alexnet"}, {"evidence": replace(EVIDENCE, images="beef" * 16)}):
        first = store.records()[0]
        bench = replace(first.cell.bench, backbone=change.get("backbone", "efficientnet_lite0"))
        cell = replace(first.cell, bench=bench)
        evidence = change.get("evidence", first.evidence)
        other = replace(
            first,
            key=cell.key(evidence),
            cell=cell,
            evidence=evidence,
            finished="2025-01-01T00:00:00+00:00",
        )
        query, database = store.open_codes(first)
        store.put(other, (query, database))
    columns = body(store)["columns"]
    assert [c for c in columns if c["bench"]["backbone"] == "efficientnet_lite0"] == [
        c | {"series": columns[-1]["series"]} for c in before["columns"]
    ]
    assert len(body(store, "--all-versions")["columns"]) == len(columns) + 1


def test_selections(store) -> None:
    found = body(store, "--methods", "dch,lsh", "--bits", "32", "--seeds", "1,")
    (column,) = found["columns"]
    assert [row["seeds"] for row in column["rows"]] == [1, 1]
    assert [(p["first"], p["second"]) for p in column["pairs"]] == [("dch", "lsh")]
    with pytest.raises(InputError, match="hashbench run --methods ksh"):
        run("--results", store.root, "--methods", "ksh")


def test_the_table_shows_the_same(store, tmp_path) -> None:
    text = run("--results", store.root)
    methods, floors = text.split("Holm over these 2")[0], text.split("Holm over these 2")[1]
    assert "Holm over these 1" in methods
    assert "method - floor" in text
    assert floors.count("lsh") >= 2
    assert "32 bits" in text
    assert "hyper-parameters: defaults" in text
    run("--results", store.root, "--out", tmp_path / "tests.txt")
    assert (tmp_path / "tests.txt").read_text() == text
    assert "nothing to test" not in text
    assert run("--results", store.root, "--methods", "dch").count("nothing to test it against") == 2


def test_a_cell_of_other_data_is_found_by_name_no_more_and_failed_ones_are_told(store) -> None:
    now = find_cell(store, "dch:16:0")
    old = replace(EVIDENCE, images="dead" * 16)
    earlier = "2000-01-01T00:00:00+00:00"
    store.put(replace(now, key=now.cell.key(old), evidence=old, finished=earlier, files={}))
    assert find_cell(store, "dch:16:0").key == now.key
    cell = replace(now.cell, method="ksh")
    key = cell.key(EVIDENCE)
    store.put(replace(now, key=key, cell=cell, status="failed", reason="no luck", files={}))
    assert " at 16 bits: failed, no luck" in run("--results", store.root)


def test_what_no_result_has_is_said_with_what_there_is(store) -> None:
    for words, there in ((("--bits", "24"), "16, 32"), (("--seeds", "7,"), "0, 1")):
        with pytest.raises(InputError, match=rf"no result has .*\(there are: {there}\)"):
            run("--results", store.root, *words)


def test_no_state_of_the_data_takes_the_place_of_another(store) -> None:
    now = find_cell(store, "dch:16:0")
    old = replace(EVIDENCE, images="dead" * 16)
    store.put(replace(now, key=now.cell.key(old), evidence=old, finished="2000", files={}))
    results = Results(store.root)
    name = str(now.cell.bench)
    assert list(results.compare(bits=[16])) == [(name, 16)]
    assert sorted(results.compare(bits=[16], all_versions=True)) == [
        (f"{name}, data feedfeed cafecafe", 16), (f"{name}, data feedfeed deaddead", 16),
    ]  # fmt: skip


def test_scores_without_values_of_single_queries_are_named(store) -> None:
    with pytest.raises(InputError, match="map@h2"):
        run("--results", store.root, "--metric", "map@h3")
    with pytest.raises(InputError, match=r"no values of single queries.*such as map, map@h2"):
        run("--results", store.root, "--metric", "empty@h2")


def test_holm_is_over_the_column(store) -> None:
    real_record(store, "ksh", 32, 0.5)
    for column in body(store)["columns"]:
        methods = len(column["rows"]) - 1
        assert [row["first"] for row in column["rows"] if row["row"] == "lsh"] == [None]
        for family, size in (("methods", methods * (methods - 1) // 2), ("floors", methods)):
            pairs = [pair for pair in column["pairs"] if pair["family"] == family]
            assert len(pairs) == size
            assert all((pair["second"] == "lsh") == (family == "floors") for pair in pairs)
            smallest = min(pairs, key=lambda pair: pair["p"])
            assert smallest["adjusted"] == pytest.approx(min(1, smallest["p"] * size))
            assert np.isfinite([pair["p"] for pair in pairs]).all()
