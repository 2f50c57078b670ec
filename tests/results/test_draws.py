"""Draws of a split: one table of their mean, and what they spread by."""

from __future__ import annotations

import io
import shlex
import statistics

import pytest
from made_records import PARTS, MadeJudge
from rich.console import Console

from hashbench.results.collect import collect
from hashbench.results.draws import averaged
from hashbench.results.sheets import paper_sheets
from hashbench.results.terminal import show

VALUES = {0: (0.70, 0.74), 1: (0.60, 0.64), 2: (0.83, 0.85)}


def test_the_mean_and_the_deviation_are_over_draws(judge: MadeJudge) -> None:
    records = [
        judge.add("dch", 16, value, seed, split_seed=draw, bounds=(value - 0.1, value + 0.1))
        for draw, values in VALUES.items()
        for seed, value in enumerate(values)
    ]
    records += [judge.add("ksh", 16, 0.5 + draw / 10, split_seed=draw) for draw in (0, 2)]
    records += [judge.add("dch", 16, 0.1, dataset="coco")]
    cifar, coco = averaged(collect(records, judge))
    assert coco.unit == "seed"
    ksh, dch = cifar.rows
    entry = cifar.entry(dch, 16)
    means = [0.72, 0.62, 0.84]  # of two seeds each
    assert entry.mean == pytest.approx(statistics.fmean(means))
    assert entry.std == pytest.approx(statistics.stdev(means))
    assert entry.bounds == pytest.approx(
        (statistics.fmean(means) - 0.1, statistics.fmean(means) + 0.1)
    )
    assert cifar.entry(ksh, 16).mean == pytest.approx(0.6)
    assert [cifar.rank(row, 16) for row in (ksh, dch)] == [0, 0]  # of other queries
    # No two draws have the same queries.
    assert not cifar.family(16).comparisons
    assert not cifar.marked(dch, 16)

    stream = io.StringIO()
    show(Console(file=stream, width=160), cifar)
    text = " ".join(stream.getvalue().split())
    assert "mean ± deviation over 3 draws of the split" in text
    assert "split seeds 0, 1, 2" in text
    assert "each of 2 seeds" in text
    assert "Fewer draws have been run of KSH" in text
    assert "0.600 ±0.141 (n=2)" in text
    (sheet,) = paper_sheets([cifar])
    assert "over 3 draws of the split" in sheet.caption
    # KSH has one seed of two in two of the draws, and none in the other.
    assert [gap.sentence.split()[0] for gap in sheet.gaps] == ["1", "2", "1"]
    assert "split seed 1," in sheet.gaps[1].sentence
    (line,) = sheet.gaps[1].commands
    assert "--split-seed 1 " in line
    assert "--methods ksh --bits 16" in line


def test_rows_of_every_draw_alone_are_ranked(judge: MadeJudge) -> None:
    draws = {"dch": (0, 1, 2), "hashnet": (0, 1, 2), "ksh": (2,)}
    values = {"dch": 0.6, "hashnet": 0.5, "ksh": 0.9}
    records = [
        judge.add(m, 16, values[m], split_seed=d) for m, found in draws.items() for d in found
    ]
    records += [judge.add(m, 32, values[m], split_seed=2) for m in draws]  # the only draw there
    (cifar,) = averaged(collect(records, judge))
    ranks = {row.method: [cifar.rank(row, bits) for bits in (16, 32)] for row in cifar.rows}
    assert ranks == {"dch": [1, 2], "hashnet": [2, 0], "ksh": [0, 1]}
    assert any("among rows of all its draws" in note for note in cifar.notes)


def test_draws_of_fewer_seeds_are_told_and_asked_for(judge: MadeJudge) -> None:
    seeds = {0: (0, 1, 2), 1: (0,), 2: (0, 2)}
    records = [
        judge.add(method, 16, 0.7, seed, split_seed=draw)
        for draw, found in seeds.items()
        for seed in found
        for method in ("dch", "ksh")
    ]
    (cifar,) = averaged(collect(records, judge))
    assert "split seed 1 of 1 seed, split seed 2 of 2 seeds" in cifar.notes[0]
    (sheet,) = paper_sheets([cifar])
    assert [gap.sentence.partition(" cells")[0] for gap in sheet.gaps] == ["4 of 6", "2 of 6"]
    (dch, ksh), both = ([shlex.split(line) for line in gap.commands] for gap in sheet.gaps)
    for line in (dch, ksh):
        assert line[line.index("--split-seed") + 1] == "1"
        assert line[line.index("--seeds") + 1] == "1,2"
    assert [line[line.index("--seeds") + 1] for line in both] == ["1,"] * 2


def test_a_method_that_says_something_else_of_itself_later_is_one_row(judge: MadeJudge) -> None:
    later = {"part": {**PARTS["ksh"], "year": 2013, "bibtex": ""}, "finished": "2026-03-03T00:00"}
    records = [judge.add("ksh", 16, 0.7, split_seed=draw) for draw in (0, 1)]
    records += [judge.add("ksh", 16, 0.6, split_seed=2, **later)]
    records += [judge.add("ksh", 16, 0.5, dataset="coco")]
    found = averaged(collect(records, judge))
    assert [[row.year for row in series.rows] for series in found] == [[2013], [2013]]
    assert found[0].entry(found[0].rows[0], 16).n == 3
    (sheet,) = paper_sheets(found)
    assert [line.text for line in sheet.lines] == ["KSH"]


def test_what_differs_in_more_than_the_draw_is_not_averaged(judge: MadeJudge) -> None:
    records = [
        judge.add("dch", 16, 0.7),
        judge.add("dch", 16, 0.8, split_seed=1, backbone="alexnet"),
        judge.add("dch", 16, 0.8, split_seed=1, options={"allow_missing": True}),
    ]
    assert [series.unit for series in averaged(collect(records, judge))] == ["seed"] * 3
