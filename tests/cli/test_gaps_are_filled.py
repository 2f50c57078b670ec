"""The commands a table prints for what is missing are run; then nothing is missing."""

from __future__ import annotations

import re
import shlex

import pytest

QUICK = ("--workers", "0")
#: Uneven runs: rows that lack a length, a seed or a draw of the split.
UNEVEN = {
    "lengths": [("--methods", "lsh,pcah", "--bits", "8"), ("--methods", "pcah", "--bits", "16")],
    "seeds": [("--methods", "lsh,sign", "--bits", "8"), ("--methods", "sign", "--bits", "8",
              "--seeds", "3")],
    "draws": [("--methods", "lsh,sign", "--bits", "8", "--split-seeds", "2"),
              ("--methods", "lsh", "--bits", "16")],
    "seeds of draws": [("--methods", "lsh,itq", "--bits", "8", "--seeds", "3"),
                       ("--methods", "lsh,itq", "--bits", "8", "--split-seed", "1")],
    "options": [("--methods", "itq", "--bits", "8", "--mirrored", "--seeds", "2", "--protocol",
                 "digits-unseen", "--set", "itq.iterations=3"),
                ("--methods", "itq", "--bits", "8", "--mirrored", "--split-seed", "1", "--protocol",
                 "digits-unseen", "--set", "itq.iterations=3")],
    "settings": [("--methods", "itq", "--bits", "8", "--untuned"),
                 ("--methods", "itq", "--bits", "8,16", "--set", "itq.iterations=3")],
    "conventions": [("--methods", "lsh", "--bits", "8,16", "--convention", "deephash"),
                    ("--methods", "pcah", "--bits", "8", "--convention", "house,deephash")],
}  # fmt: skip


def missing(table: str) -> list[list[str]]:
    lines = re.findall(r"^ +hashbench run .*$", table, re.MULTILINE)
    return [shlex.split(line)[1:] for line in lines]


@pytest.mark.parametrize("runs", UNEVEN.values(), ids=UNEVEN)
def test_what_is_printed_fills_the_gap(runs, hashbench) -> None:
    for options in runs:
        assert hashbench("run", *options, "--no-floors", *QUICK).code == 0
    commands = missing(hashbench("export", "--format", "markdown").out)
    assert commands
    for words in commands:
        done = hashbench(*words, *QUICK)
        assert done.code == 0, done.err
    table = hashbench("export", "--format", "markdown").out
    assert "have not been run" not in table
    assert missing(table) == []


def test_what_tune_found_at_some_lengths_leaves_no_gap_that_stays(hashbench) -> None:
    tuned = hashbench(
        "tune", "--method", "itq", "--space", "iterations=5|100", "--bits", "8", "--out",
        "found.toml", *QUICK,
    )  # fmt: skip
    assert tuned.code == 0, tuned.err
    for options in [("--bits", "8,16"), ("--bits", "8", "--params", "found.toml", "--seeds", "2")]:
        assert hashbench("run", "--methods", "itq", *options, "--no-floors", *QUICK).code == 0
    for words in missing(hashbench("export", "--format", "markdown").out):
        assert hashbench(*words, *QUICK).code == 0
    assert missing(hashbench("export", "--format", "markdown").out) == []
