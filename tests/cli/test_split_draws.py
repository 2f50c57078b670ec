"""`hashbench run --split-seeds`: several draws of a split, from the run to the tables."""

from __future__ import annotations

import json
from statistics import fmean

import pytest


def test_draws_are_run_averaged_and_shown_each(hashbench) -> None:
    run = ("run", "--methods", "lsh", "--bits", "16", "--no-floors", "--workers", "0")
    done = hashbench(*run, "--protocol", "digits-unseen", "--split-seeds", "2")
    assert done.code == 0, done.err
    assert "mean ± deviation over 2 draws of the split" in done.out
    columns = json.loads(hashbench("compare", "--json").out)["columns"]
    assert [column["bench"]["split_seed"] for column in columns] == [0, 1]
    each = [row["mean"] for column in columns for row in column["rows"]]
    table = hashbench("export", "--format", "markdown").out
    assert f"| {fmean(each):.3f} ± " in table
    assert "Split seed 1: Unseen in training" in table
    apart = hashbench("export", "--format", "markdown", "--each-draw").out
    assert [f"| {value:.3f} " in apart for value in each] == [True, True]
    # Draws may be named; the same ones are not run again.
    again = hashbench(*run, "--protocol", "digits-unseen", "--split-seeds", "1,")
    assert "1 cell is in" in again.out + again.err
    assert hashbench(*run, "--split-seeds", "x").code == 2


@pytest.mark.parametrize("given", [2, [0, 1]])
def test_draws_from_python(given, tmp_path) -> None:
    import hashbench

    job = hashbench.api.job("lsh", 16, "digits", split_seeds=given, floors=False, results=tmp_path)
    assert [ask.cell.bench.split_seed for ask in job.asks] == [0, 1]
