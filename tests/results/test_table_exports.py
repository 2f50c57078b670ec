from __future__ import annotations

import csv
import io
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from made_records import TUNED, example, exported

from hashbench.commands import export
from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.origin import Origin
from hashbench.results.sinks import for_csv


def rows(judge, *records, **options) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exported("csv", judge, *records, **options))))


def test_csv_has_one_line_a_score_and_one_for_a_failure(judge) -> None:
    records = [
        judge.add("dch", 16, 0.7, bounds=(0.6, 0.8), origins=(TUNED,)), judge.add("ksh", 16, None),
    ]  # fmt: skip
    found = rows(judge, *records, convention="house,deephash")
    assert len(found) == 2 * 2 + 1
    house = next(r for r in found if (r["metric"], r["convention"]) == ("map@h2", "house"))
    assert (house["method"], house["value"], house["queries"]) == ("dch", "0.7", "1000")
    assert (house["origin"], house["worst"], house["best"]) == ("tuned", "0.6", "0.8")
    failed = next(r for r in found if r["status"] == "failed")
    assert (failed["method"], failed["value"]) == ("ksh", "")
    assert failed["reason"] == "ran out of luck_&_time"


def test_csv_keeps_every_convention_that_is_stored_unless_some_are_named(judge) -> None:
    stored = Convention.parse_list("house,house(radius=3)")
    found = rows(judge, judge.add("dch", 16, 0.7), stored=lambda _: stored)
    assert {r["convention"] for r in found} == {"house", "house(radius=3)"}


def test_csv_has_a_cell_of_two_rows_in_both(judge) -> None:
    found = rows(judge, judge.add("dch", 16, 0.7, origins=(Origin(), TUNED)))
    assert {(r["variant"], r["origin"]) for r in found} == {
        ("DCH [defaults]", "defaults"), ("DCH [tuned]", "tuned"),
    }  # fmt: skip


def test_lookup_figures_are_in_the_csv(judge) -> None:
    made = judge.add("dch", 16, 0.7)
    judge.lookups[made.key] = {"radius": 2, "hash": {"queries_per_s": 5e4, "identical": True}}
    found = {r["metric"]: r for r in rows(judge, made)}
    assert float(found["lookup/hash/queries_per_s"]["value"]) == 5e4


def test_no_cell_of_a_csv_is_a_formula(judge) -> None:
    hostile = {"title": "=cmd|' /C calc'!A0", "kind": "deep"}
    records = [
        judge.add("evil", 16, 0.7, part=hostile), judge.add("ksh", 16, None, reason="@SUM(A1)"),
        judge.add("low", 16, -0.25),
    ]  # fmt: skip
    found = rows(judge, *records)
    cells = [cell for row in found for name, cell in row.items() if name != "value"]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@")]
    assert any(row["value"] == "-0.25" for row in found)
    assert for_csv("\t=1") == "'\t=1"
    assert for_csv(-1.5) == -1.5


def test_markdown_marks_best_and_second_with_mean_and_deviation(judge) -> None:
    found = exported(
        "markdown", judge,
        judge.add("dch", 16, 0.70), judge.add("dch", 16, 0.72, 1),
        judge.add("hashnet", 16, 0.60), judge.add("hashnet", 16, 0.60, 1),
        judge.add("lsh", 16, 0.9), judge.add("lsh", 16, 0.9, 1),
    )  # fmt: skip
    assert "**0.710 ± 0.014**" in found
    assert "<u>0.600 ± 0.000</u>" in found
    assert found.index("LSH *(floor)*") < found.index("HashNet") < found.index("| DCH")
    assert "Mean ± standard deviation over 2 seeds." in found
    assert "Not ranked: floor." in found
    assert "hyper-parameters: defaults" in found


def test_fewer_seeds_are_said_in_the_place_and_below(judge) -> None:
    records = [judge.add("dch", 16, 0.7, seed) for seed in range(3)] + [judge.add("ksh", 16, 0.6)]
    found = exported("markdown", judge, *records)
    assert "0.600</u> (n=1)" in found
    assert "Means are over 3 seeds, but of KSH 1" in found
    assert r"($n$=1)" in exported("latex", judge, *records)
    coco = [judge.add("dch", 16, 0.7, dataset="coco")]
    assert "3 seeds on CIFAR-10, 1 seed on MS-COCO" in exported("markdown", judge, *records, *coco)
    assert "One seed." in exported("markdown", judge, *coco)


def test_a_failure_is_a_dash_with_a_footnote_of_one_line(judge) -> None:
    records = judge.add("dch", 16, 0.7), judge.add("ksh", 16, None)
    assert "–<sup>1</sup>" in exported("markdown", judge, *records)
    latex = exported("latex", judge, *records, fragment=True)
    assert r"{--\rlap{\textsuperscript{a}}}" in latex
    assert r"ran out of luck\_\&\_time" in latex
    long = judge.add("ksh", 32, None, reason="Traceback\n" + "x" * 5000)
    footnote = next(
        s for s in exported("markdown", judge, long, records[0]).splitlines() if "xxx" in s
    )
    assert len(footnote) < 300


def test_data_sets_share_a_sheet_and_settings_do_not(judge) -> None:
    coco = judge.add("dch", 16, 0.6, dataset="coco")
    cifar = judge.add("dch", 16, 0.7)
    both = exported("markdown", judge, cifar, coco)
    assert "CIFAR-10 16 bits" in both
    assert "MS-COCO 16 bits" in both
    for change in ({"backbone": "alexnet"}, {"protocol": "cifar10-1"}):
        other = judge.add("dch", 16, 0.6, **change)
        assert exported("markdown", judge, cifar, other).count("| method") == 2


def test_tuned_on_one_data_set_and_not_on_the_other_is_one_line(judge) -> None:
    tuned = judge.add("dch", 16, 0.7, origins=(TUNED,))
    plain = judge.add("dch", 16, 0.6, dataset="coco")
    found = exported("markdown", judge, tuned, plain)
    assert found.count("\n| DCH") == 1
    assert "0.700" in found.split("\n| DCH")[1].splitlines()[0]
    assert "0.600" in found.split("\n| DCH")[1].splitlines()[0]
    assert "hyper-parameters: tuned." in found
    assert "hyper-parameters: defaults." in found


def test_a_dagger_is_explained_where_it_stands(judge) -> None:
    draw = np.random.default_rng(0)
    records = [
        judge.beside("dch", 16, draw.normal(0.7, 0.1, 200)),
        judge.beside("ksh", 16, draw.normal(0.5, 0.1, 200)),
    ]
    found = exported("markdown", judge, *records)
    assert "**†" in found
    assert "Holm-corrected over all pairs" in found
    assert r"\dag{}" in exported("latex", judge, *records)


def test_how_often_each_is_first_is_in_caption_and_csv(judge) -> None:
    records = [
        judge.beside("dch", 16, [0.9, 0.8, 0.9]), judge.beside("ksh", 16, [0.4, 0.5, 0.5]),
        judge.beside("dch", 32, [0.9, 0.9]),  # alone: first of nothing
    ]  # fmt: skip
    said = "First of all in draws of queries: DCH 100% at 16 bits."
    assert said in exported("markdown", judge, *records)
    lines = [row for row in rows(judge, *records) if row["metric"] == "first/map@h2"]
    assert sorted((row["method"], row["bits"], row["value"], row["seed"]) for row in lines) == [
        ("dch", "16", "1.0", ""),
        ("ksh", "16", "0.0", ""),
    ]
    more = [judge.beside(m, 16, [v, v], s) for m, v in (("dch", 0.9), ("ksh", 0.4)) for s in (1, 2)]
    assert "in draws of queries and seeds: DCH 100%" in exported(
        "markdown",
        judge,
        *(judge.beside(m, 16, [v, v]) for m, v in (("dch", 0.9), ("ksh", 0.4))),
        *more,
    )


def test_bounds_stand_beside_the_value(judge) -> None:
    made = judge.add("dch", 16, 0.7, bounds=(0.61, 0.79))
    assert r"0.700 \[0.610, 0.790\]" in exported("markdown", judge, made)
    assert r"[0.610, 0.790]" in exported("latex", judge, made)


def test_ablation_shows_four_lines_and_says_what_is_missing(judge) -> None:
    bench = {"protocol": "my lists", "options": {"mirrored": True}, "mode": "full"}
    own = Origin(sources={"gamma": "command line"})
    records = judge.add("dch", 16, 0.7, origins=(own,), **bench), judge.add("ksh", 16, 0.6)
    records += (
        judge.add("dch-q", 16, 0.6, 1, **bench),
        judge.add("dch-c", 16, 0.6, dataset="coco"),
    )
    found = exported("markdown", judge, *records, ablation=True, results=Path("a b"))
    order = [found.index(f"| {name} ") for name in ("DCH", "DCH-Q", "DCH-C", "DCH-E")]
    assert order == sorted(order)
    assert "KSH" not in found
    mine, coco = (shlex.split(line) for line in found.splitlines() if "dch-e --bits" in line)
    assert coco[coco.index("--methods") + 1] == "dch,dch-q,dch-e"
    assert mine == [
        "hashbench", "run", "--datasets", "cifar10", "--protocol", "my lists", "--backbone",
        "efficientnet_lite0", "--train", "full", "--mirrored", "--untuned", "--methods",
        "dch-c,dch-e", "--bits", "16", "--no-floors", "--seeds", "2", "--results", "a b",
    ]  # fmt: skip
    with pytest.raises(InputError, match="dch-q"):
        exported("markdown", judge, judge.add("dch", 16, 0.7), ablation=True)


def test_several_conventions_are_a_table_each_and_no_two_have_one_label(judge) -> None:
    records = judge.add("dch", 16, 0.7), judge.add("dch", 16, 0.6, protocol="another")
    latex = exported("latex", judge, *records, convention="house,deephash")
    found = [line.partition("-h2-")[2] for line in latex.splitlines() if line.startswith(r"\label")]
    assert found == ["house}", "house-2}", "deephash}", "deephash-2}"]
    assert latex.count("house convention") == latex.count("deephash convention") == 2


def test_the_command_for_missing_cells_can_be_copied(judge) -> None:
    records = [
        judge.add(m, b, 0.5, dataset="coco") for m, b in (("ksh", 16), ("itq-cca", 16), ("ksh", 32))
    ]
    found = exported("markdown", judge, *records, results=Path("a b"))
    line = found[found.index("hashbench run") :].splitlines()[0]
    assert shlex.split(line)[-2:] == ["--results", "a b"]
    assert "efficientnet_lite0" in line
    assert "--methods itq-cca --bits 32" in line
    assert "% hashbench run" in exported("latex", judge, *records)


def test_metrics_that_are_not_there_are_one_sentence(judge, store) -> None:
    with pytest.raises(InputError, match="map@h2"):
        exported("markdown", judge, judge.add("dch", 16, 0.7), metric="map@h3")
    words = ["--format", "csv", "--results", str(store.root), "--metric"]
    found = CliRunner().invoke(export.command, [*words, "map@h3"]).exception
    assert isinstance(found, InputError)
    assert "did you mean map@h2" in str(found)
    assert "first/r@h2" in CliRunner().invoke(export.command, [*words, "r@h2"]).output


BROKEN = """
def fail(tables):
    raise RuntimeError("no luck")


broken = Export(name="broken", summary="fails", write=fail)
"""


def invoke(*arguments: str) -> None:
    from hashbench.commands.export import command

    command.main(list(arguments), standalone_mode=False)


def test_a_format_from_a_strangers_file(store, tmp_path, capsys) -> None:
    plugin = tmp_path / "page.py"
    plugin.write_text(example("Export") + BROKEN)
    common = ["--plugin", str(plugin), "--results", str(store.root)]
    invoke(*common, "--format", "html", "--methods", "dch", "--bits", "16")
    said = capsys.readouterr().out
    assert said.startswith("<h1>CIFAR-10: mAP@H&lt;=2</h1>")
    assert "<th>DCH</th><td>0." in said
    assert len(example("Export").splitlines()) <= 40
    invoke("--plugin", str(plugin), "--help")
    listed = capsys.readouterr().out
    assert "a page for the web" in listed
    assert "pipe tables" in listed
    with pytest.raises(InputError, match=r"'broken' of .*page\.py failed.*no luck"):
        invoke(*common, "--format", "broken")
    with pytest.raises(InputError, match="did you mean html"):
        invoke(*common, "--format", "htm")


def test_the_verb_writes_each_format(store, tmp_path, capsys) -> None:
    for kind in ("csv", "latex", "markdown", "bib"):
        out = tmp_path / f"table.{kind}"
        arguments = ["--format", kind, "--results", str(store.root)]
        invoke(*arguments, "--out", str(out), "--json")
        assert json.loads(capsys.readouterr().out)["format"] == kind
        first = out.read_bytes()
        invoke(*arguments, "--out", "-")
        assert capsys.readouterr().out.encode() == first
        invoke(*arguments, "--json")
        assert json.loads(capsys.readouterr().out)["text"].encode() == first
    assert "\\begin{document}" in (tmp_path / "table.latex").read_text()


def test_the_verb_computes_a_convention_that_nobody_asked_for_before(store, capsys) -> None:
    arguments = ["--format", "csv", "--results", str(store.root)]
    for convention in ("house(nohit=drop,empty=drop)", "house(empty=drop,nohit=drop)"):
        invoke(*arguments, "--convention", convention)
        found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert {r["convention"] for r in found} == {str(Convention.parse(convention))}
        assert {r["metric"] for r in found} >= {"map@h2", "empty@h2"}
