"""Wall time a cell as a table, and sizes of networks as a note."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from made_records import PARTS, MadeJudge
from rich.console import Console

from hashbench.results.collect import collect
from hashbench.results.frame import frame
from hashbench.results.sheets import paper_sheets
from hashbench.results.terminal import show


def test_seconds_are_a_table_that_ranks_nothing(judge: MadeJudge) -> None:
    records = [
        judge.add("dch", 16, 0.7, seed, timings={"features": 9.0, "fit": 3.0 + seed, "encode": 1.0})
        for seed in (0, 1)
    ]
    records += [judge.add("ksh", 16, 0.6, timings={"fit": 70.0, "encode": 1.5})]
    records += [judge.add("mine", 16, 0.6, part={"title": "mine", "kind": "external"}, timings={})]
    (series,) = collect(records, judge, metric="seconds")
    means = {series.labels[row]: series.entry(row, 16).mean for row in series.rows}
    assert means == {"KSH": 71.5, "DCH": 4.5, "mine [external]": None}
    assert [series.rank(row, 16) for row in series.rows] == [0, 0, 0]
    assert not series.certificate
    assert series.of("seconds/fit").entry(series.rows[0], 16).mean == 70.0
    (sheet,) = paper_sheets([series])
    assert sheet.caption.startswith("Seconds a cell, to fit and to encode. CIFAR-10")
    assert any("wall time" in remark for remark in sheet.remarks)
    stream = io.StringIO()
    show(Console(file=stream, width=160), series)
    assert "4.5 ±0.7" in stream.getvalue()
    table: pd.DataFrame = frame(records, judge, ["house"])
    fit = table[(table.metric == "seconds/fit") & (table.method == "dch")]
    assert sorted(fit.value) == pytest.approx([3.0, 4.0])


def test_sizes_of_one_methods_networks_are_told_where_they_differ(judge: MadeJudge) -> None:
    small, large = (PARTS["dch"] | {"parameters": count} for count in (1_040, 52_816))
    records = [
        judge.add("dch", 16, 0.7, part=small),
        judge.add("dch", 16, 0.6, params={"gamma": 50.0}, part=large),
        judge.add("hashnet", 16, 0.6, part=PARTS["hashnet"] | {"parameters": 7}),
    ]
    (series,) = collect(records, judge)
    assert (
        "Parameters of the network at 16 bits: DCH [gamma=10.0] 1,040, DCH [gamma=50.0] 52,816."
        in (series.notes)
    )
    (series,) = collect(records[::2], judge)
    assert not any("Parameters" in note for note in series.notes)
