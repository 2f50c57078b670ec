"""Sweeps and hyper-parameters are files people pass on: nothing in them is trusted."""

from __future__ import annotations

import math
import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hostility import corpus, fuzz, mutated, plain, result_or_refusal, sentence, within
from hypothesis import example, given
from hypothesis import strategies as st

from hashbench.commands import run
from hashbench.errors import InputError
from hashbench.params import Setting, read_params, write_params
from hashbench.runner.sweepfile import keep_sweep, read_sweep
from hashbench.store import Store

OPTIONS = ("methods", "bits", "seeds", "set", "plugin", "timeout", "keep-relaxed")

SWEEP = b"""# a night
methods = ["lsh", "itq-cca"]
bits = [16, 32]
seeds = 2
timeout = "2h"
keep-relaxed = true
set = ["ksh.anchors=100"]
"""

PARAMS = b"""[tuned-for]
dataset = "digits"

# 30 trials
[ksh]
anchors = 100
kernel = "rbf"
rate = 1e-5
centred = true

[ksh.16]
anchors = 50
"""

#: What may stand on the right of an equals sign, and much that may not.
VALUES = st.sampled_from(
    (
        "nan", "-inf", "1e999", "0x" + "f" * 3000, "-9223372036854775809", "9" * 3000, "1979-05-27",
        "07:32:00", "[]", "[[[]]]", "{}", "{a = {b = 1}}", "''", '"\\u0000"', '"\\u001b[2J"',
        '"\\U0001F600"', "true", "[1, 'a', {}]", "'" + "x" * 3000 + "'", "'''\n\n'''", "-0.0", "+1",
        "'\x7f'", '"\\u007f"',
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("toml") / "x.toml"


@st.composite
def changed(draw: st.DrawFn, whole: bytes) -> bytes:
    """`whole` with its bytes changed, or another value after one of its equals signs."""
    if draw(st.booleans()):
        return draw(mutated(whole))
    lines = whole.decode().split("\n")
    place = draw(st.sampled_from([row for row, line in enumerate(lines) if "=" in line]))
    lines[place] = f"{lines[place].split('=')[0]}= {draw(VALUES)}"
    return "\n".join(lines).encode()


def parameters(path: Path) -> dict | None:
    """What is read is what can be written and read again."""
    found = result_or_refusal(lambda: read_params(path), path)
    if found is not None:
        again = path.with_name("again.toml")
        again.unlink(missing_ok=True)
        setting = Setting("a", "b", 0, "c", "d", "e")
        for method, table in found.items():
            lengths = {key: value for key, value in table.items() if isinstance(value, dict)}
            plain = {key: value for key, value in table.items() if key not in lengths}
            for bits, values in {None: plain, **lengths}.items():
                assert all(isinstance(value, (bool, int, float, str)) for value in values.values())
                numbers = [value for value in values.values() if isinstance(value, float)]
                assert all(map(math.isfinite, numbers))
                if bits is None and (plain or not lengths):
                    write_params(again, setting, method, values, "a note")
                elif bits is not None:
                    write_params(again, setting, method, values, "a note", int(bits))
        if found:
            assert read_params(again) == found
    return found


def sweep(path: Path) -> dict | None:
    found = result_or_refusal(lambda: read_sweep(path, OPTIONS), path)
    if found is not None:
        assert set(found) <= set(OPTIONS)
        for value in found.values():
            assert isinstance(value, (str, int, float, list))
            str(value)
    return found


@pytest.mark.parametrize("kind", ["params", "sweep"])
def test_the_files_that_are_changed_are_read(path, kind) -> None:
    path.write_bytes({"params": PARAMS, "sweep": SWEEP}[kind])
    assert {"params": parameters, "sweep": sweep}[kind](path)


@pytest.mark.parametrize("path", corpus(__file__, "params"), ids=lambda path: path.name)
def test_hyperparameters_that_once_broke_are_refused_with_a_sentence(path) -> None:
    with within(10), pytest.raises(InputError) as refusal:
        read_params(path)
    sentence(refusal.value, path)


@pytest.mark.parametrize("path", corpus(__file__, "sweep"), ids=lambda path: path.name)
def test_sweeps_that_once_broke_are_refused_with_a_sentence(path) -> None:
    with within(10), pytest.raises(InputError) as refusal:
        read_sweep(path, OPTIONS)
    sentence(refusal.value, path)


@fuzz(200)
@given(changed(PARAMS))
def test_changed_hyperparameters_are_read_or_refused(path, data) -> None:
    path.write_bytes(data)
    parameters(path)


@fuzz(200)
@given(changed(SWEEP))
@example(b"set = {ksh = {anchors = [1, {}]}}")
def test_a_changed_sweep_is_read_or_refused(path, data) -> None:
    path.write_bytes(data)
    sweep(path)


@fuzz(60)
@given(changed(SWEEP))
@example(b"m" * 500 + b" = 1")
def test_a_changed_sweep_is_planned_or_refused(path, data) -> None:
    """Through the command line, whose options take what the file says."""
    path.write_bytes(data)
    arguments = [str(path), "--dry-run", "--datasets", "digits", "--results"]
    outcome = CliRunner().invoke(
        run.command, [*arguments, str(path.parent / "results")], standalone_mode=False
    )
    if isinstance(outcome.exception, InputError):
        sentence(outcome.exception, path)
    elif outcome.exception is not None:
        assert isinstance(outcome.exception, click.ClickException), repr(outcome.exception)
        assert plain(outcome.exception.format_message())


def test_a_sweep_from_a_pipe_is_not_kept_as_an_empty_file(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    store = Store(tmp_path / "results", create=True)
    with within(5), pytest.raises(InputError, match=r"cannot keep .*no regular file"):
        keep_sweep(tmp_path / "pipe.toml", store)
