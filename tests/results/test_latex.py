"""LaTeX that compiles, whatever stands in names; bibliographies; texts that are safe to set."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import DATASETS, PARTS, exported

from hashbench import registries
from hashbench.results.sinks import for_bibtex, for_figure, for_latex, slug


def test_latex_is_aligned_and_cites_what_parts_say(judge) -> None:
    found = exported("latex", judge, judge.add("dch", 16, 0.7), judge.add("ksh", 16, 0.6))
    assert r"\bfseries 0.700" in found
    assert r"{\underline{\tablenum[table-format=1.3]{0.600}}}" in found
    assert r"DCH~\cite{cao2018dch}" in found
    assert r"CIFAR-10~\cite{krizhevsky2009cifar}" in found
    assert "@inproceedings{cao2018dch," in found
    assert "@inproceedings{liu2012ksh," in found
    assert r"S[table-format=1.3]" in found
    alone = exported("latex", judge, judge.add("dch", 16, 0.7))
    assert "liu2012ksh" not in alone


def test_what_fills_a_template_is_not_searched_for_templates(judge) -> None:
    hostile = {"title": "@NOTES@ @TABLES@", "kind": "deep"}
    found = exported("latex", judge, judge.add("evil", 16, 0.7, part=hostile))
    assert found.count("@NOTES@ @TABLES@") == 1
    assert found.count(r"\begin{document}") == 1


@pytest.mark.parametrize(
    "entry",
    [
        r"@misc{a, title = {x}, note = {\input{/etc/passwd}},}",
        "@misc{a, title = {^^5cinput x},}",
        "@misc{a, title = {x},}\n@misc{b, title = {y},}",
        "@preamble{a, title = {x},}",
        "@misc{a, title = {x}}, }",
        "@misc{a b, title = {x},}",
        "@misc{a, title = {x}, % no\n}",
        "@misc{a, x}",
        "no entry",
        r"@misc{a, title = {\catcode`\@=11},}",
        r"@misc{a, title = {\c\input},}",
    ],
)
def test_unsafe_bibtex_is_cited_by_nobody(judge, entry) -> None:
    assert for_bibtex(entry) is None
    made = judge.add("evil", 16, 0.7, part={"title": "Evil", "kind": "deep", "bibtex": entry})
    found = exported("latex", judge, made)
    assert "etc/passwd" not in found
    assert r"Evil &" in found


def test_bibtex_of_our_parts_is_safe_and_letters_may_have_accents() -> None:
    for registered in (registries.methods(), registries.datasets()):
        for part in registered.parts().values():
            assert not part.bibtex or for_bibtex(part.bibtex), part
    key, kept = for_bibtex('@book{a:1, author = {M{\\"u}ller and \\v{S}ev{\\c c}},}')
    assert key == "a:1"
    assert '\\"u' in kept


def test_two_parts_may_mean_different_things_by_one_key(judge) -> None:
    other = PARTS["dch"] | {"title": "Mine", "bibtex": "@misc{cao2018dch,\n  title = {Mine},\n}"}
    records = [judge.add("dch", 16, 0.7), judge.add("mine", 16, 0.6, part=other)]
    found = exported("latex", judge, *records)
    assert r"DCH~\cite{cao2018dch}" in found
    assert r"Mine~\cite{cao2018dch-2}" in found
    assert "@misc{cao2018dch-2," in found
    bib = exported("bib", judge, *records)
    assert bib.count("@") == 3
    assert DATASETS["cifar10"]["bibtex"].split(",")[0] in bib


COMMANDS = (
    r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textbar{}",
    r"\textsuperscript{\dag}", r"$\pm$", r"$\leq$", r"$\Delta$", r"$\times$", "$-$",
    "$<$", "$>$", r"\&", r"\%", r"\$", r"\#", r"\_", r"\{", r"\}", "-{}-",
)  # fmt: skip


@given(st.text(max_size=40))
def test_escaped_text_has_no_live_characters(words) -> None:
    out = for_latex(words)
    for command in COMMANDS:
        out = out.replace(command, "")
    assert not set(out) & set("\\&%$#_{}~^<>\n")


@given(st.text(max_size=300), st.text(max_size=5))
def test_file_names_are_file_names(words, more) -> None:
    name = slug(words, more)
    assert len(name) <= 140
    assert name.replace("-", "").isalnum() or not name.strip("-")
    assert name.isascii()


def test_dollars_are_no_formula_in_a_figure() -> None:
    from matplotlib.cbook import is_math_text

    assert not is_math_text(for_figure("$x$ and $"))
    assert not for_figure("_hidden").startswith("_")


@pytest.mark.skipif(
    not (shutil.which("tectonic") or shutil.which("pdflatex")),
    reason="neither tectonic nor pdflatex is installed",
)
@pytest.mark.parametrize("options", [{}, {"against": True}, {"ablation": True}])
def test_latex_compiles_as_it_is(judge, tmp_path, options) -> None:
    records = [
        judge.add(method, bits, 0.7 + seed / 99, seed, bounds=(0.6, 0.8))
        for method in ("dch", "dch-q")
        for bits in (16, 48)
        for seed in (0, 1)
    ]
    records += [judge.add("my_hash", 16, 0.1), judge.add("ksh", 48, None)]
    records += [judge.add("dch", 16, 0.5, dataset="coco")]
    if not options:
        many = [f"method-{number}" for number in range(90)]
        records += [judge.add(name, 16, 0.2, seed) for name in many for seed in (0, 1)]
    convention = "deephash" if options.get("against") else "house"
    (tmp_path / "table.tex").write_text(
        exported("latex", judge, *records, convention=convention, **options)
    )
    command = (
        ["tectonic", "table.tex"]
        if shutil.which("tectonic")
        else ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    )
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (tmp_path / "table.pdf").stat().st_size > 5000
    assert "too large for page" not in done.stdout + done.stderr  # rows would be below its edge


def test_no_row_of_latex_begins_with_what_the_one_before_would_take(judge) -> None:
    odd = [judge.add(f"m{t[0]}", 16, 0.5, part={"title": t}) for t in ("*Star", "[3em] Hash", "A")]
    lines = exported("latex", judge, *odd, fragment=True).splitlines()
    assert {line.partition(" &")[0] for line in lines if line.endswith(r" 0.500 \\")} == {
        "{}*Star", "{}[3em] Hash", "A",
    }  # fmt: skip
