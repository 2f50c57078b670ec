"""Kill -9 at random moments, run again: the same table, nothing computed twice."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hashbench.evaluation import Convention
from hashbench.runner import claim, local, worker
from hashbench.runner.claim import pending
from hashbench.runner.execute import Limits, run_here
from hashbench.runner.local import context, run_local
from hashbench.store import Store
from hashbench.store.judge import judge

#: kills, by what is killed; benchmarks/faults.py has hundreds.
KILLS = {"worker": 8, "parent": 4, "machine": 4}

BITS = (8, 16)
SEEDS = range(5)


class Silent:
    def __getattr__(self, name):
        return lambda *_: None


def sweep(bench) -> None:
    """One run, in a process of its own."""
    from hashbench.registries import load_plugins

    # This process is fresh and warm: forking from it saves seconds of a fork server's imports.
    local.context = lambda: multiprocessing.get_context("fork")
    load_plugins([bench.plugin])
    # As one of ours: a worker serves many cells, so that a kill hits it in the midst of them.
    claim.is_foreign = local.is_foreign = worker.is_foreign = lambda _name: False
    tasks = bench.tasks("quick", BITS, SEEDS, journal=str(bench.journal), seconds=0.02)
    run_local(tasks, bench.settings, Limits(workers=2), Silent())


def workers_of(bench, before: int) -> list[int]:
    """The workers of this run, as they signed the journal."""
    lines = bench.journal.read_text().splitlines()[before:]
    return list(dict.fromkeys(int(line.split()[-1]) for line in lines if line.count(" ") == 3))


def kill(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def table(store: Store) -> str:
    """Every score of a store, without what may differ between runs."""
    lines = []
    for record in store.records():
        scores = judge(store, record, [Convention.parse("house")])["house"]
        lines.append(f"{record.key} {record.status} {scores.to_dict()}")
    return "\n".join(lines)


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize("victim", KILLS)
def test_the_table_is_the_same_after_any_number_of_kills(bench, victim) -> None:
    dice = random.Random(victim)
    cells = bench.every("quick", BITS, SEEDS, journal=str(bench.journal), seconds=0.02)
    settings = replace(bench.settings, store=bench.settings.store.with_name("whole"))
    store = Store(settings.store, create=True)
    run_here(pending(cells, store, settings)[0], settings, Limits(), Silent())
    bench.journal.unlink()

    kills = 0
    done: set[str] = set()
    while kills < KILLS[victim]:
        if len(done) > len(cells) * 3 // 4:  # nearly over: the next sweep is a new one
            check(bench, cells, settings.store)
            start_over(bench)
            done = set()
        before = len(bench.starts())
        process = context().Process(target=sweep, args=(bench,))
        process.start()
        wait_for_work(bench, process, before)
        if victim == "worker":
            for _ in range(6):  # in one run: it goes on with new workers
                time.sleep(dice.uniform(0, 0.1))
                kills += kill(workers_of(bench, before)[-1])
            process.join(900)
            assert process.exitcode == 0  # a dead worker is no failure of the run
        else:
            time.sleep(dice.uniform(0, 0.25))
            kills += kill(process.pid)
            if victim == "machine":
                for worker in workers_of(bench, before):
                    kill(worker)
            process.join(900)
        repeated = set(bench.starts()[before:]) & done
        assert not repeated, "a cell with scores was computed again"
        done |= {f"quick {r.cell.bits} {r.cell.seed}" for r in bench.store.records()}
    check(bench, cells, settings.store)


def wait_for_work(bench, process, before: int) -> None:
    deadline = time.monotonic() + 900
    while len(bench.starts()) <= before and process.is_alive():
        assert time.monotonic() < deadline, "the run has not begun any cell"
        time.sleep(0.005)


def check(bench, cells, whole: Path) -> None:
    """Finish the sweep without a kill: the store is what an undisturbed one is."""
    bench.run(bench.left(cells))
    assert {(record.status, record.reason) for record in bench.store.records()} == {("ok", "")}
    assert bench.left(cells) == []
    assert table(bench.store) == table(Store(whole))
    assert bench.store.keys() == sorted(task.key for task in cells)
    assert not list(bench.settings.store.rglob("*.tmp"))  # no half file, no stale one


def start_over(bench) -> None:
    for path in bench.settings.store.rglob("*"):
        if path.is_file():
            path.unlink()
    bench.journal.unlink()
