"""Several runs over one store, and stores that are damaged, full or read-only."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import replace

import numpy as np
import pytest

from hashbench.results.store import StoreError
from hashbench.runner import attempt as attempts
from hashbench.runner.attempt import attempt, pending
from hashbench.runner.execute import Limits, run_here
from hashbench.runner.local import context, run_local


class Silent:
    def __getattr__(self, name):
        return lambda *_: None


def sweep(bench, tasks) -> None:
    from hashbench.registry import methods

    methods().add_file(bench.plugin)
    run_local(tasks, bench.settings, Limits(workers=2), Silent())


def test_two_runs_share_the_work(bench) -> None:
    tasks = bench.tasks("quick,wrong", seeds=range(10), journal=str(bench.journal), seconds=0.02)
    runs = [context().Process(target=sweep, args=(bench, tasks)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(120)
        assert run.exitcode == 0
    assert len(bench.starts()) == len(set(bench.starts())) == 20  # failures are not repeated either
    assert len(bench.store.records()) == 20


def test_a_cell_another_run_holds_is_waited_for_and_not_repeated(bench) -> None:
    tasks = bench.tasks("quick", seeds=range(2), journal=str(bench.journal))
    with bench.store.claim(tasks[0].cell.key) as held:
        assert held
        assert attempt(tasks[0], bench.settings, lambda *_: None) is None
    (held_cell, _) = tasks
    run_here(tasks[:1], bench.settings, Limits(), Silent())
    found = bench.run(tasks)  # planned before the other run finished the first
    assert {record.status for record in found.records} == {"ok"}
    assert len(bench.starts()) == 2
    assert held_cell.cell.key in {record.key for record in found.records}


def test_the_claim_of_a_dead_process_is_free(bench) -> None:
    store = bench.store
    process = context().Process(target=hold, args=(bench,))
    process.start()
    deadline = time.monotonic() + 60
    while not (bench.settings.store / "held").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with store.claim("cell") as held:
        assert not held
    process.kill()
    process.join()
    with store.claim("cell", timeout=5) as held:
        assert held


def hold(bench) -> None:
    with bench.store.claim("cell"):
        (bench.settings.store / "held").touch()
        time.sleep(600)


@pytest.mark.parametrize("kind", ["records", "codes", "per-query", "splits"])
@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_damage_is_put_aside_and_the_cell_computed_again(bench, kind, damage) -> None:
    (task,) = bench.tasks("quick")
    bench.run([task], run_here)
    path = next(path for path in (bench.settings.store / kind).iterdir())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    with pytest.warns(UserWarning, match="damaged"):
        tasks = pending([task.cell], bench.store)
    assert len(tasks) == 1
    kept = bench.settings.store / "quarantine" / path.name
    assert kept.is_file()  # never lost silently
    (record,) = bench.run(tasks, run_here).records
    assert record.ok
    assert pending([task.cell], bench.store) == []
    with np.load(bench.store.path("codes", task.cell.key)) as codes:
        assert codes["bits"] == 8


def test_missing_codes_or_split_make_a_cell_undone(bench) -> None:
    (task,) = bench.tasks("quick")
    bench.run([task], run_here)
    for kind in ("codes", "splits"):
        next((bench.settings.store / kind).glob("*.npz")).unlink()
        assert len(pending([task.cell], bench.store)) == 1
        bench.run(pending([task.cell], bench.store), run_here)
        assert pending([task.cell], bench.store) == []


@pytest.mark.parametrize("executor", [run_here])
def test_a_full_disk_stops_the_run_with_one_sentence(bench, executor, monkeypatch) -> None:
    tasks = bench.tasks("quick", seeds=range(3))
    store = bench.store
    real = os.fsync
    writes = []

    def fsync(descriptor: int) -> None:
        writes.append(descriptor)
        if len(writes) > 9:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StoreError, match="No space left on device; what was finished is kept"):
        bench.run(tasks, executor)
    monkeypatch.undo()
    left = pending([task.cell for task in tasks], store)
    assert 0 < len(left) < 3
    assert not list(bench.settings.store.rglob("*.tmp"))
    bench.run(left, executor)
    assert pending([task.cell for task in tasks], store) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_disk_that_is_full_in_a_worker_stops_the_run(bench) -> None:
    tasks = bench.tasks("quick", seeds=range(3))
    claims = bench.settings.store / "claims"
    claims.rmdir()
    claims.symlink_to("/dev/full")
    with pytest.raises(StoreError, match="cannot write results to"):
        bench.run(tasks)


def test_what_a_killed_writer_left_is_removed_by_the_next(bench) -> None:
    (task,) = bench.tasks("quick")
    stale = [
        bench.settings.store / kind / f".{task.cell.key}.{end}.abc.tmp"
        for kind, end in (("records", "json"), ("codes", "npz"), ("per-query", "npz"))
    ]
    for path in stale:
        path.write_bytes(b"half")
    other = bench.settings.store / "records" / ".0123456789abcdef.json.abc.tmp"
    other.write_bytes(b"of a cell that another run may be writing")
    bench.run([task], run_here)
    assert not any(path.exists() for path in stale)
    assert other.exists()


def test_a_jump_of_the_clock_ends_no_cell(bench, monkeypatch) -> None:
    tasks = bench.tasks("quick", seeds=range(4), seconds=0.1)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 1e6 * (int(real() * 20) % 3 - 1))
    records = bench.run(tasks, timeout=30).records
    assert [record.status for record in records] == ["ok"] * 4


def test_data_that_is_missing_skips_its_cells_alone(bench, monkeypatch) -> None:
    from hashbench.errors import InputError
    from hashbench.runner import prepare as prepares

    cells = bench.cells("quick")
    missing = replace(cells[0], dataset="cifar10")
    tasks = pending([*cells, missing], bench.store)
    real = prepares.bound_split

    def bound(cell, *rest):
        if cell.dataset == "cifar10":
            raise InputError("cifar10 is not prepared")
        return real(cell, *rest)

    monkeypatch.setattr(prepares, "bound_split", bound)
    listener = Silent()
    ready = prepares.prepare(tasks, bench.settings, listener)
    assert [task.cell.dataset for task in ready] == ["digits"]
    record = bench.store.get(missing.key)
    assert (record.status, record.reason) == ("skipped", "cifar10 is not prepared")
    with pytest.raises(InputError, match="cifar10 is not prepared"):
        prepares.prepare(pending([missing], bench.store), bench.settings, listener)


def test_a_failure_of_another_run_since_the_plan_is_not_repeated(bench) -> None:
    tasks = bench.tasks("wrong", journal=str(bench.journal))
    bench.run(tasks, run_here)
    bench.run(tasks, run_here)  # planned before the first
    assert len(bench.starts()) == 1
    bench.run(bench.tasks("wrong", journal=str(bench.journal)), run_here)
    assert len(bench.starts()) == 2
    assert attempts.LOG_LINES >= 10
