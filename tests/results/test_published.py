from __future__ import annotations

import csv
import io
import re

import pytest
from made_records import TUNED

from hashbench import registries
from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.results import published
from hashbench.results.collect import collect
from hashbench.results.exports import Tables, write


def text(kind: str, judge, *records, convention: str = "deephash", **options) -> str:
    tables = Tables(
        records=records,
        judge=judge if records else None,
        conventions=Convention.parse_list(convention),
        against=True,
        **options,
    )
    return write(registries.exports().get(kind), tables)


def rows(*arguments, **options) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text("csv", *arguments, **options))))


def test_published_numbers_are_the_papers() -> None:
    known = published.published()
    assert sum(len(method.values) for method in known.values()) == 12 * 3 * 4
    assert [known["dch"].values["cifar10", bits] for bits in (16, 32, 48, 64)] == [
        0.7901, 0.7979, 0.8071, 0.7936,
    ]  # fmt: skip
    assert known["itq-cca"].title == "ITQ-CCA"


def test_a_comparison_gives_the_difference_and_every_setting(judge) -> None:
    records = [judge.add("dch", 48, 0.70, origins=(TUNED,)), judge.add("lsh", 48, 0.1)]
    found = {(r["method"], r["bits"]): r for r in rows(judge, *records)}
    dch = found["dch", "48"]
    assert float(dch["difference"]) == pytest.approx(0.75 - 0.8071)
    assert (dch["published_backbone"], dch["ours_backbone"]) == ("alexnet", "efficientnet_lite0")
    assert (dch["published_training_mode"], dch["ours_training_mode"]) == ("full", "head")
    assert (dch["ours_origin"], dch["seeds"]) == ("tuned", "1")
    said = text("markdown", judge, *records)
    assert "In brackets" not in said
    tied = judge.add("dch", 16, 0.70, bounds=(0.6, 0.8))
    assert "In brackets the worst and the best order" in text("markdown", judge, *records, tied)
    for part in ("Not like for like", "alexnet", "full", "head", "overlapped", "-0.057"):
        assert part in said
    assert "deephash convention, ours" not in said


def test_what_ours_have_beyond_the_published_is_said(judge) -> None:
    options = {"options": {"mirrored": True}, "split_seed": 2}
    records = [judge.add("dch", 48, 0.70), judge.add("dch", 48, 0.72, **options)]
    found = [r for r in rows(judge, *records, convention="deephash,house") if r["ours"]]
    told = [(r["ours_convention"], r["ours_split"], r["ours_options"]) for r in found]
    both = ("split seed 0", ""), ("split seed 2", "mirror images trained on")
    assert sorted(told) == [(name, *one) for name in ("deephash", "house") for one in both]
    assert "ours with mirror images trained on, of which" in text("markdown", judge, *records)


def test_methods_of_one_side_alone_have_a_dash(judge) -> None:
    records = [judge.add("dch", 48, 0.70), judge.add("lsh", 48, 0.2)]
    found = {(r["method"], r["bits"]): r for r in rows(judge, *records)}
    assert (found["lsh", "48"]["published"], found["lsh", "48"]["ours"]) == ("", "0.25")
    assert found["lsh", "48"]["difference"] == ""
    assert (found["ksh", "48"]["published"], found["ksh", "48"]["ours"]) == ("0.4012", "")
    said = text("markdown", judge, *records, bits=(48,))
    lines = [line for line in said.splitlines() if line.startswith("| LSH")]
    assert [re.split(r"\s*\|\s*", line)[1:4] for line in lines] == [
        ["LSH", "published", "–"], ["LSH", "ours", "0.250"], ["LSH", "difference", "–"],
    ]  # fmt: skip
    assert [line for line in said.splitlines() if line.startswith("| KSH")] == [
        next(line for line in said.splitlines() if "| KSH" in line and "published" in line)
    ]


def test_published_numbers_stand_alone(judge) -> None:
    said = text("markdown", judge)
    assert said.count("| DCH ") == 3
    for title in ("NUS-WIDE", "MS-COCO", "CIFAR-10", "ITQ-CCA", "HashNet"):
        assert title in said
    assert "ours" not in said
    assert len(rows(judge, bits=(48,))) == 12 * 3
    assert r"\begin{document}" in text("latex", judge)


def test_a_guess_has_no_difference_and_says_so(judge) -> None:
    made = judge.add("dch-e", 48, 0.7, part={"title": "DCH-E", "kind": "deep"})
    found = next(r for r in rows(judge, made) if r["method"] == "dch-e" and r["bits"] == "48")
    assert (found["published"], found["ours"], found["difference"]) == ("0.7495", "0.75", "")
    assert "without defining it" in found["remark"]
    assert "without defining it" in text("markdown", judge, made)


def test_tuned_and_untuned_are_compared_apart(judge) -> None:
    records = [
        judge.add("dch", 48, 0.7),
        judge.add("dch", 48, 0.8, params={"gamma": 2.0}, origins=(TUNED,)),
    ]
    found = [r for r in rows(judge, *records) if (r["method"], r["bits"]) == ("dch", "48")]
    assert {(r["variant"], r["ours"]) for r in found} == {
        ("DCH [defaults]", "0.75"), ("DCH [tuned]", "0.8500000000000001"),
    }  # fmt: skip


def test_another_convention_is_called_unlike(judge) -> None:
    (series,) = collect([judge.add("dch", 48, 0.70)], judge)
    assert any("ours the house convention" in text for text in published.unlike("cifar10", series))


def test_nothing_to_compare_says_what_to_run(judge) -> None:
    with pytest.raises(InputError, match="hashbench run"):
        text("markdown", judge, judge.add("dch", 48, 0.1, dataset="digits"))
    with pytest.raises(InputError, match="map@h2"):
        text("csv", judge, judge.add("dch", 48, 0.1), metric="r@h2")


def test_the_verb_shows_the_published_numbers_without_a_folder(tmp_path, capsys) -> None:
    from hashbench.commands.export import command

    arguments = ["--format", "markdown", "--against", "published", "--bits", "48"]
    command.main([*arguments, "--results", str(tmp_path / "none")], standalone_mode=False)
    said = capsys.readouterr()
    assert "48 bits" in said.out
    assert "16 bits" not in said.out
    assert "published numbers alone" in said.err


def test_published_numbers_alone_are_cited(judge) -> None:
    cited = re.findall(r"cite\{(\w+)\}", text("latex", judge))
    assert {"gong2011itq", "cao2018dch", "cao2017hashnet", "chua2009nuswide"} <= set(cited)
    listed = re.findall(r"@\w+\{(\w+),", text("bib", judge))
    assert set(listed) == set(cited)
    assert len(listed) == len(set(listed))
    ours = re.findall(r"@\w+\{(\w+),", text("bib", judge, judge.add("dch", 48, 0.1)))
    assert set(ours) == set(cited)
