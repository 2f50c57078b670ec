"""Sweep files, dry runs and estimates."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashbench.cell import Bench, Cell
from hashbench.errors import InputError
from hashbench.evidence import Evidence
from hashbench.parsing import parse_duration, parse_seeds, parse_size
from hashbench.runner.estimate import Pace
from hashbench.runner.sweepfile import PATHS, keep_sweep, read_sweep
from hashbench.store import Record, Store

NAMES = ("methods", "bits", "seeds", "set", "plugin", "keep-relaxed", "results")


def read(tmp_path: Path, text: str | bytes) -> dict:
    path = tmp_path / "sweep.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_sweep(path, NAMES)


def test_a_sweep_file_says_what_the_command_line_would(tmp_path) -> None:
    found = read(
        tmp_path,
        """
        methods = ["dch", "hashnet"]
        bits = [16, 32]
        seeds = [7]
        keep-relaxed = true
        plugin = ["a.py", "b.py"]
        results = "night"
        [set]
        epochs = 5
        [set.dch]
        gamma = 10.0
        balanced = true
        """,
    )
    assert found == {
        "methods": "dch,hashnet",
        "bits": "16,32",
        "seeds": "7,",
        "keep-relaxed": "true",  # no True, which is a number of workers too
        "plugin": [str(tmp_path / "a.py"), str(tmp_path / "b.py")],
        "results": str(tmp_path / "night"),
        "set": ["epochs=5", "dch.gamma=10.0", "dch.balanced=true"],
    }
    assert parse_seeds(found["seeds"]) == (7,)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("metods = 'dch'", r"unknown option in .*sweep.toml: 'metods': did you mean methods"),
        ("methods = ", "is no TOML"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        ("methods = {a = 1}", "'methods' in .* must be a word"),
        ("relative-to = 'here'", "'relative-to' in .* must be an absolute folder"),
        ("set = 3", "'set' in .* must be a table or a list"),
        ("a = " + "[" * 3000, "is no TOML"),
        ("# " + "x" * 4_000, "line 1 is longer than 4,000"),
        ("#\n" * 50_001, "larger than 100 kB"),
    ],
)
def test_a_sweep_file_that_says_nothing_sensible_is_one_sentence(tmp_path, text, part) -> None:
    with pytest.raises(InputError, match=part) as refusal:
        read(tmp_path, text)
    assert "\n" not in str(refusal.value)


def test_a_kept_sweep_means_what_it_meant_where_it_was(tmp_path, monkeypatch) -> None:
    text = """# of a night
methods = "lsh"
datasets = "digits,lists:coco"
distractors = "more"
plugin = "mine.py"
data-root = "/data"
"""
    monkeypatch.chdir(tmp_path)
    Path('a "b"').mkdir()
    path = Path('a "b"', "sweep.toml")
    path.write_text(text)
    store = Store(tmp_path / "results", create=True)
    kept = keep_sweep(path, store)
    names = (*NAMES, "datasets", "distractors", "data-root")
    assert kept.parent == tmp_path / "results" / "sweeps"
    assert kept.read_text().endswith(text)
    folder = tmp_path / 'a "b"'
    assert read_sweep(kept, names) == {
        "methods": "lsh",
        "datasets": f"digits,lists:{folder / 'coco'}",
        "distractors": str(folder / "more"),
        "plugin": [str(folder / "mine.py")],
        "data-root": "/data",
    }
    assert keep_sweep(kept, store) == kept
    path.write_text("methods = 'lsh'\nplugin = '/mine.py'\n")
    assert keep_sweep(path, store).read_bytes() == path.read_bytes()
    assert len(list(kept.parent.iterdir())) == 2


def test_every_path_among_the_options_is_taken_for_one() -> None:
    from hashbench.commands.run import command

    taken = {
        name.removeprefix("--")
        for option in command.params
        if isinstance(option, click.Option) and isinstance(option.type, click.Path)
        for name in option.opts
    }
    assert taken == PATHS


def test_a_sweep_file_that_is_not_there_is_one_sentence(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot read the sweep"):
        read_sweep(tmp_path / "none.toml", NAMES)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_sweep_or_a_sentence(tmp_path_factory, text) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(InputError):  # and no other error
        read_sweep(path, NAMES)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("1", (0,)), ("3", (0, 1, 2)), ("7,", (7,)), ("0-2", (0, 1, 2)), ("0,5", (0, 5))],
)
def test_one_bare_number_is_how_many_seeds(text, seeds) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["0", "", "x", "-1", "9" * 400, "99999999", "3.5"])
def test_seeds_that_are_none(text) -> None:
    with pytest.raises(InputError, match="--seeds"):
        parse_seeds(text)


def test_times_and_sizes() -> None:
    assert [parse_duration(text, "--timeout") for text in ("90", "1.5m", "2h")] == [90, 90, 7200]
    assert [parse_size(text, "--memory") for text in ("1M", "1 GB", "2GiB")] == [
        2**20,
        2**30,
        2**31,
    ]
    for text in ("", "0", "-1s", "2 days", "1e9", "9" * 40):
        with pytest.raises(InputError, match="--timeout"):
            parse_duration(text, "--timeout")
    with pytest.raises(InputError, match="800M"):
        parse_size("800", "--memory")


NOTHING = Evidence("", "")


def cell(method: str, bits: int, dataset: str = "digits") -> Cell:
    return Cell(Bench(dataset, "p", 0, "pixels"), method, {}, "none", bits, 0, "1")


def finished(cell: Cell, seconds: float) -> Record:
    return Record(cell.key(NOTHING), cell, NOTHING, "ok", timings={"fit": seconds, "encode": 1.0})


def test_an_estimate_takes_the_most_similar_cells() -> None:
    pace = Pace(
        [finished(cell("lsh", 8), 1), finished(cell("lsh", 16), 3), finished(cell("x", 8), 9)]
    )
    assert pace.seconds(cell("lsh", 8)) == 2
    assert pace.seconds(cell("lsh", 32)) == 3  # the mean of its method here
    assert pace.seconds(cell("lsh", 8, "cifar10")) == 3  # and anywhere
    assert pace.seconds(cell("new", 8)) == pytest.approx((2 + 4 + 10) / 3)
    assert pace.total([cell("lsh", 8), cell("x", 8)]) == 12
    assert Pace().seconds(cell("lsh", 8)) is None
    assert Pace().total([cell("lsh", 8)]) is None


def test_failures_teach_no_times() -> None:
    failed = Record("k", cell("lsh", 8), NOTHING, "timeout", timings={"fit": 1.0})
    assert Pace([failed]).seconds(cell("lsh", 8)) is None
