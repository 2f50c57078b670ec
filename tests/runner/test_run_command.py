"""The real command in a process of its own: stopped, killed, and run from a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hashbench import cli, registries
from hashbench.runner.execute import run_here

COMMAND = [sys.executable, "-c", "from hashbench.cli import main; main()", "run", "--no-floors"]


def fixed(bench) -> tuple[str, ...]:
    return "--plugin", str(bench.plugin), "--bits", "8", "--results", str(bench.settings.store)


def start(bench, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *fixed(bench), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_cells(bench, process: subprocess.Popen[str], count: int) -> list[int]:
    """The workers' process ids, once `count` cells have begun."""
    deadline = time.monotonic() + 900
    while len(bench.starts()) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(line.split()[-1]) for line in bench.journal.read_text().splitlines()]


def gone(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] == "Z"


def wait_until(condition, seconds: float = 900) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks processes up in /proc")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_process_and_goes_on_later(bench, stop) -> None:
    journal = f"quick.journal={bench.journal}"
    sweep = ("--methods", "quick", "--seeds", "4", "--set", journal)
    process = start(bench, *sweep, "--set", "quick.seconds=0.4")
    workers = wait_for_cells(bench, process, 3)
    process.send_signal(stop)
    out, err = process.communicate(timeout=900)
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert err.strip().count("\n") == 0, err
        assert "what was finished is kept" in err
    assert "Traceback" not in out + err
    assert wait_until(lambda: all(map(gone, workers)))
    done = {record.key for record in bench.store.records()}
    assert done
    begun = len(bench.starts())
    tasks = bench.tasks("quick", seeds=range(4), journal=str(bench.journal), seconds=0.4)
    assert {record.status for record in bench.run(tasks, run_here).records} <= {"ok"}
    assert len(bench.store.records()) == 4
    assert len(bench.starts()) - begun == 4 - len(done)  # only what had no codes


@pytest.fixture
def here(bench, capfd):
    """`here("--seeds", "2")` runs the command in this process: exit code, stdout and stderr."""

    def run(*args: str) -> tuple[int, str, str]:
        registries.made.clear()  # each call is a process of its own
        with pytest.raises(SystemExit) as stop:
            cli.main(["run", "--no-floors", *fixed(bench), *args])
        captured = capfd.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return run


def test_a_sweep_file_is_run_kept_and_overridden(bench, here) -> None:
    sweep = Path("night.toml")
    sweep.write_text('methods = ["quick"]\nseeds = 2\nworkers = 0\n')
    code, _, err = here(str(sweep), "--seeds", "1")
    assert code == 0, err
    assert len(bench.store.records()) == 1
    (kept,) = (bench.settings.store / "sweeps").iterdir()
    assert kept.read_bytes() == sweep.read_bytes()
    assert kept.name.startswith("night-")


def test_a_dry_run_runs_nothing_and_makes_nothing(bench, here) -> None:
    code, out, err = here("--methods", "quick", "--seeds", "2", "--dry-run")
    assert code == 0, err
    assert out.count("to do") == 3
    assert "eta unknown" in out
    assert not bench.settings.store.exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_store_is_one_sentence(bench, here) -> None:
    bench.settings.store.mkdir()
    bench.settings.store.chmod(0o500)
    code, _, err = here("--methods", "quick", "--workers", "0")
    assert code == 2
    assert err.startswith(f"hashbench: cannot write results to {bench.settings.store}")
    assert err.count("\n") == 1
