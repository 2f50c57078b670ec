"""Running the command line as a user does, in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hashbench import cli, registries


@dataclass
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def hashbench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """`hashbench("run", "--bits", "16")` in an empty working folder without any data set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HASHBENCH_DATA", str(tmp_path / "data"))

    def run(*args: str) -> Outcome:
        registries.made.clear()  # each call is a process of its own
        with pytest.raises(SystemExit) as stop:
            cli.main([str(arg) for arg in args])
        captured = capfd.readouterr()
        return Outcome(int(stop.value.code or 0), captured.out, captured.err)

    return run
