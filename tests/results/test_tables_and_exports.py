from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import record
from rich.console import Console

from hashbench import registry
from hashbench.errors import InputError
from hashbench.evaluation.metrics import describe_metric
from hashbench.results import export, latex, published
from hashbench.results.ablation import ablation_rows
from hashbench.results.marks import significant
from hashbench.results.names import METHODS
from hashbench.results.references import KEYS, bibtex
from hashbench.results.sheets import paper_sheets
from hashbench.results.tables import check_score, row_labels, select, tables
from hashbench.results.terminal import show


def sheets(*records, **options):
    return paper_sheets(tables(select(records)), **options)


def test_csv_has_one_row_a_score_and_one_for_a_failure() -> None:
    text = export.csv([record("dch", 16, 0.7), record("ksh", 16, None)])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 2 * 2 + 1
    wanted = {"method", "dataset", "bits", "seed", "metric", "convention", "value"}
    assert wanted <= set(rows[0])
    house = next(r for r in rows if (r["metric"], r["convention"]) == ("map@h2", "house"))
    assert (house["method"], house["value"], house["queries"]) == ("dch", "0.7", "1000")
    failed = next(r for r in rows if r["status"] == "failed")
    assert (failed["method"], failed["value"], failed["queries"]) == ("ksh", "", "")
    assert failed["reason"] == "ran out of luck_&_time"


def test_markdown_marks_best_and_second_with_mean_and_deviation() -> None:
    text = export.markdown(
        sheets(
            record("dch", 16, 0.70), record("dch", 16, 0.72, 1),
            record("hashnet", 16, 0.60), record("lsh", 16, 0.1),
        )
    )  # fmt: skip
    assert "**0.710 ± 0.014**" in text
    assert "<u>0.600</u>" in text
    assert text.index("LSH") < text.index("HashNet") < text.index("| DCH")
    assert "Mean ± standard deviation over up to 2 seeds." in text


def test_a_failure_is_a_dash_with_a_footnote() -> None:
    made = sheets(record("dch", 16, 0.7), record("ksh", 16, None))
    assert "–<sup>1</sup>" in export.markdown(made)
    assert r"{--\rlap{\textsuperscript{a}}}" in latex.fragment(made)
    assert r"ran out of luck\_\&\_time" in latex.fragment(made)


def test_data_sets_share_a_sheet_and_settings_do_not() -> None:
    both = sheets(record("dch", 16, 0.7), record("dch", 16, 0.6, dataset="coco", protocol="coco"))
    assert len(both) == 1
    assert [column.text for column in both[0].columns] == ["MS-COCO", "CIFAR-10"]
    assert len(sheets(record("dch", 16, 0.7), record("dch", 16, 0.6, backbone="alexnet"))) == 2
    assert len(sheets(record("dch", 16, 0.7), record("dch", 16, 0.6, protocol="cifar10-1"))) == 2


def test_equal_scores_have_no_best() -> None:
    sheet = sheets(record("dch", 16, 0.5), record("lsh", 16, 0.5))[0]
    assert {cell.rank for cell in sheet.cells.values()} == {0}


def test_significance_needs_a_real_difference_on_every_comparison(store) -> None:
    table = tables(select(store.records()))[0]
    assert 32 in significant(store, table)
    for path in (store.root / "per-query").glob("*.npz"):
        path.unlink()
    assert significant(store, table) == set()


def test_a_method_that_is_as_good_is_not_beaten(store) -> None:
    first = next(r for r in store.records() if (r.cell["method"], r.cell["bits"]) == ("dch", 16))
    value = first.scores["house"]["map@h2"] - 1e-5
    twin = replace(
        first,
        key="f" * 16,
        cell=first.cell | {"method": "twin"},
        scores={"house": {"map@h2": value}},
    )
    shutil.copy(store.path("per-query", first.key), store.path("per-query", twin.key))
    table = tables([first, twin])[0]
    assert table.rank("dch", 16) == 1
    assert significant(store, table) == set()


def test_latex_is_aligned_and_cites() -> None:
    text = latex.document(sheets(record("dch", 16, 0.7), record("ksh", 16, 0.6)))
    assert r"\bfseries 0.700" in text
    assert r"{\underline{\tablenum[table-format=1.3]{0.600}}}" in text
    assert r"DCH~\cite{cao2018dch}" in text
    assert "@inproceedings{cao2018dch," in text
    assert "@inproceedings{liu2012ksh," in text
    assert "kulis2009bre" not in text
    assert r"S[table-format=1.3]" in text


@given(st.text(max_size=40))
def test_escaped_text_has_no_live_characters(text) -> None:
    out = latex.escape(text)
    for command in (
        r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textbar{}",
                    r"\textsuperscript{\dag}", r"$\pm$", r"$\leq$", r"$\Delta$", r"$\times$", "$-$",
                    "$<$", "$>$", r"\&", r"\%", r"\$", r"\#", r"\_", r"\{", r"\}", "-{}-",
    ):  # fmt: skip
        out = out.replace(command, "")
    assert not set(out) & set("\\&%$#_{}~^<>")


@pytest.mark.skipif(
    not (shutil.which("tectonic") or shutil.which("pdflatex")),
    reason="neither tectonic nor pdflatex is installed",
)
@pytest.mark.parametrize("kind", ["paper", "against", "ablation"])
def test_latex_compiles_as_it_is(tmp_path, kind) -> None:
    records = [
        *(record("dch", bits, 0.7 + seed / 99, seed) for bits in (16, 48) for seed in (0, 1)),
        *(record("dch-q", bits, 0.6 + seed / 99, seed) for bits in (16, 48) for seed in (0, 1)),
        record("my_hash", 16, 0.1),
        record("ksh", 48, None),
        record("dch", 16, 0.5, dataset="coco", protocol="coco"),
    ]
    if kind == "against":
        made = published.comparison_sheets(tables(select(records), convention="deephash"))
    elif kind == "ablation":
        kept, rows = ablation_rows(select(records))
        made = paper_sheets(tables(kept), rows=rows)
    else:
        made = paper_sheets(tables(select(records)), lambda table: {16})
    (tmp_path / "table.tex").write_text(latex.document(made))
    command = (
        ["tectonic", "table.tex"]
        if shutil.which("tectonic")
        else ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    )
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (tmp_path / "table.pdf").stat().st_size > 5000


def test_published_numbers_are_the_papers() -> None:
    known = published.published()
    assert len(known) == 12 * 3 * 4
    assert [known["dch", "cifar10", bits] for bits in (16, 32, 48, 64)] == [
        0.7901, 0.7979, 0.8071, 0.7936,
    ]  # fmt: skip


def test_comparison_gives_the_difference_and_every_setting() -> None:
    found = tables([record("dch", 48, 0.70), record("lsh", 48, 0.1)], convention="deephash")
    rows = list(csv.DictReader(io.StringIO(published.comparison_csv(found))))
    assert [row["method"] for row in rows] == ["dch"]  # LSH is not in the paper
    assert float(rows[0]["difference"]) == pytest.approx(0.75 - 0.8071)
    assert rows[0]["published_backbone"] == "alexnet"
    assert rows[0]["ours_backbone"] == "efficientnet_lite0"
    assert (rows[0]["published_tuning"], rows[0]["ours_tuning"]) == ("full", "head")
    text = export.markdown(published.comparison_sheets(found))
    for part in ("Not like for like", "alexnet", "full", "head", "overlapped", "-0.057"):
        assert part in text
    assert "deephash convention, ours" not in text


def test_another_convention_is_called_unlike() -> None:
    (table,) = tables([record("dch", 48, 0.70)], convention="house")
    assert any("ours the house convention" in sentence for sentence in published.unlike(table))


def test_nothing_to_compare_says_what_to_run() -> None:
    with pytest.raises(InputError, match="hashbench run"):
        published.comparison_sheets(tables([record("lsh", 48, 0.1)]))
    with pytest.raises(InputError, match="map@h2"):
        published.comparison_csv(tables([record("dch", 48, 0.1)], metric="r@h2"))


def test_ablation_shows_four_rows_and_says_what_is_missing() -> None:
    records, rows = ablation_rows([record("dch", 16, 0.7), record("dch-q", 16, 0.6)])
    text = export.markdown(paper_sheets(tables(records), rows=rows))
    order = [text.index(f"| {name} ") for name in ("DCH", "DCH-Q", "DCH-C", "DCH-E")]
    assert order == sorted(order)
    assert "hashbench run --methods dch-c" in text
    with pytest.raises(InputError, match="dch-q"):
        ablation_rows([record("dch", 16, 0.7), record("lsh", 16, 0.7)])


def test_missing_scores_name_what_there_is() -> None:
    with pytest.raises(InputError, match="--convention hashnet"):
        check_score([record("dch", 16, 0.7)], "map@h2", "hashnet")
    with pytest.raises(InputError, match="map@h2"):
        check_score([record("dch", 16, 0.7)], "map@h3", "house")
    with pytest.raises(InputError, match="hashbench run"):
        check_score([record("dch", 16, None)], "map@h2", "house")


def test_every_built_in_method_has_a_name_and_a_reference() -> None:
    built_in = [
        name
        for name in registry.methods().names()
        if registry.methods().entry(name).origin == "hashbench"
    ]
    assert "dch" in built_in
    assert not [name for name in built_in if name not in METHODS or name not in KEYS]
    assert all(f"{{{key}," in bibtex() for key in KEYS.values())


def test_names_of_metrics() -> None:
    titles = {name: describe_metric(name).title for name in ("map@h2", "p@100", "strange")}
    assert titles == {"map@h2": "mAP@H<=2", "p@100": "P@100", "strange": "strange"}
    assert describe_metric("empty@h2").title == "share of empty balls within H<=2"


def test_export_command_writes_each_format(store, tmp_path, capsys) -> None:
    from hashbench.commands.export import command

    for kind in ("csv", "latex", "markdown", "bib"):
        out = tmp_path / f"table.{kind}"
        command.main(
            ["--format", kind, "--out", str(out), "--results", str(store.root), "--json"],
            standalone_mode=False,
        )
        assert json.loads(capsys.readouterr().out)["format"] == kind
        first = out.read_bytes()
        command.main(
            ["--format", kind, "--out", str(out), "--results", str(store.root)],
            standalone_mode=False,
        )
        assert out.read_bytes() == first
        capsys.readouterr()
    assert "\\begin{document}" in Path(tmp_path / "table.latex").read_text()


def test_lookup_figures_are_in_the_csv_and_under_the_table() -> None:
    figures = {"queries_per_s": 5e4, "candidates": 120.0, "identical": True}
    slower = {"queries_per_s": 9e3, "candidates": 54000.0, "identical": True}
    lookup = {"radius": 2, "hash": figures, "flat": slower}
    made = replace(record("dch", 16, 0.7), lookup=lookup)
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(export.csv([made])))}
    assert float(rows["lookup/hash/queries_per_s"]["value"]) == 5e4
    assert float(rows["lookup/flat/candidates"]["value"]) == 54000.0
    console = Console(file=io.StringIO(), width=80)
    show(console, tables([made])[0])
    assert "hash 50,000 (120)" in console.file.getvalue()


def test_a_method_tuned_for_each_length_is_one_row() -> None:
    tuned = [record("dch", bits, 0.5, params={"gamma": bits / 4}) for bits in (16, 32)]
    assert set(row_labels(tuned).values()) == {"dch"}
    # What competes at one length is told apart.
    other = record("dch", 32, 0.6, params={"gamma": 9.0})
    labels = row_labels([*tuned, other])
    assert labels[other.key] == "dch [gamma=9.0]"
    assert labels[tuned[1].key] == "dch [gamma=8.0]"
