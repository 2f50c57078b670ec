"""Several runs over one store, and stores that are damaged, full or read-only."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from dataclasses import replace

import numpy as np
import pytest

from hashbench.runner import local
from hashbench.runner.claim import AGAIN, LOG_LINES, attempt
from hashbench.runner.execute import Limits, run_here
from hashbench.runner.local import context, run_local
from hashbench.store import StoreError


class Silent:
    def __getattr__(self, name):
        return lambda *_: None


def sweep(bench, tasks) -> None:
    """One run, in a process of its own."""
    from hashbench.registries import load_plugins

    # This process is fresh and warm: forking from it saves seconds of a fork server's imports.
    local.context = lambda: multiprocessing.get_context("fork")
    load_plugins([bench.plugin])
    run_local(tasks, bench.settings, Limits(workers=2), Silent())


def test_two_runs_share_the_work(bench) -> None:
    tasks = bench.tasks("quick,wrong", seeds=range(3), journal=str(bench.journal), seconds=0.02)
    runs = [context().Process(target=sweep, args=(bench, tasks)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(900)
        assert run.exitcode == 0
    assert len(bench.starts()) == len(set(bench.starts())) == 6  # failures are not repeated either
    assert len(bench.store.records()) == 6


def test_a_cell_another_run_holds_is_waited_for_and_not_repeated(bench) -> None:
    tasks = bench.tasks("quick", seeds=range(2), journal=str(bench.journal))
    with bench.store.claim(tasks[0].key) as held:
        assert held
        assert attempt(tasks[0], bench.settings, lambda *_: None) is None
    assert attempt(tasks[1], bench.settings, lambda *_: None) == AGAIN  # to be scored elsewhere
    (held_cell, _) = tasks
    run_here(tasks[:1], bench.settings, Limits(), Silent())
    found = bench.run(tasks)  # planned before the other run finished the first
    assert {record.status for record in found.records} == {"ok"}
    assert len(bench.starts()) == 2
    assert held_cell.key in {record.key for record in found.records}


def test_the_claim_of_a_dead_process_is_free(bench) -> None:
    store = bench.store
    process = context().Process(target=hold, args=(bench,))
    process.start()
    deadline = time.monotonic() + 900
    while not (bench.settings.store / "held").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with store.claim("cell") as held:
        assert not held
    process.kill()
    process.join()
    with store.claim("cell", timeout=900) as held:
        assert held


def hold(bench) -> None:
    with bench.store.claim("cell"):
        (bench.settings.store / "held").touch()
        time.sleep(600)


@pytest.mark.parametrize("kind", ["record", "codes", "split"])
@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_what_is_damaged_is_computed_again(bench, kind, damage) -> None:
    (task,) = bench.tasks("quick")
    bench.run([task], run_here)
    codes = bench.store.open_codes(bench.store.get(task.key))
    path = bench.store.path(kind, task.evidence.split if kind == "split" else task.key)
    whole = path.read_bytes()
    hurt = whole[: len(whole) // 2] if damage is None else damage
    path.write_bytes(hurt)
    with pytest.warns(UserWarning, match="damaged"):
        tasks = bench.left([task])
    assert len(tasks) == 1
    assert path.read_bytes() == hurt  # looking moves nothing
    with pytest.warns(UserWarning, match="damaged"):
        (record,) = bench.run(tasks, run_here).records
    assert record.ok
    assert bench.left([task]) == []
    again = bench.store.open_codes(record)
    assert all(
        np.array_equal(one.packed, two.packed) for one, two in zip(codes, again, strict=True)
    )


def test_missing_codes_or_split_make_a_cell_undone(bench) -> None:
    (task,) = bench.tasks("quick")
    bench.run([task], run_here)
    for kind, name in (("codes", task.key), ("split", task.evidence.split)):
        bench.store.path(kind, name).unlink()
        with pytest.warns(UserWarning, match="missing"):
            tasks = bench.left([task])
        with pytest.warns(UserWarning, match="missing"):
            bench.run(tasks, run_here)
        assert bench.left([task]) == []


def test_damaged_scores_are_computed_again_without_training(bench) -> None:
    (task,) = bench.tasks("quick", journal=str(bench.journal))
    bench.run([task], run_here)
    (path,) = bench.store.scores_folder(task.key).iterdir()
    path.write_bytes(b"garbage")
    (again,) = bench.left([task])
    bench.run([again], run_here)
    assert bench.left([task]) == []
    assert len(bench.starts()) == 1


@pytest.mark.parametrize("executor", [run_here])
def test_a_full_disk_stops_the_run_with_one_sentence(bench, executor, monkeypatch) -> None:
    tasks = bench.tasks("quick", seeds=range(3))
    real = os.fsync
    writes = []

    def fsync(descriptor: int) -> None:
        writes.append(descriptor)
        if len(writes) > 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StoreError, match="No space left on device; what was finished is kept"):
        bench.run(tasks, executor)
    monkeypatch.undo()
    left = bench.left(tasks)
    assert 0 < len(left) < 3
    assert not list(bench.settings.store.rglob("*.tmp"))
    bench.run(left, executor)
    assert bench.left(tasks) == []


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
        bench.settings.store / "records" / f".{task.key}.json.abc.tmp",
        bench.settings.store / "codes" / f".{task.key}.npz.abc.tmp",
        bench.settings.store / "scores" / task.key / ".0123.npz.abc.tmp",
    ]
    other = bench.settings.store / "records" / ".0123456789abcdef.json.abc.tmp"
    for path in (*stale, other):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    bench.run([task], run_here)
    assert not any(path.exists() for path in stale)
    assert other.exists()  # of a cell that another run may be writing


def test_a_jump_of_the_clock_ends_no_cell(bench, monkeypatch) -> None:
    tasks = bench.tasks("quick", seeds=range(4), seconds=0.1)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 1e6 * (int(real() * 20) % 3 - 1))
    records = bench.run(tasks, timeout=900).records
    assert [record.status for record in records] == ["ok"] * 4


def test_data_that_is_missing_skips_its_cells_alone(bench) -> None:
    from hashbench.errors import InputError
    from hashbench.runner.prepare import gather

    asks = bench.asks("quick")
    bench_of = replace(asks[0].cell.bench, dataset="cifar10", protocol="cifar10")
    missing = replace(
        asks[0], cell=replace(asks[0].cell, bench=bench_of), dataset="cifar10", place=""
    )
    tasks, problems = gather([*asks, missing], bench.settings)
    assert [task.cell.bench.dataset for task in tasks] == ["digits"]
    assert [problem.asks for problem in problems] == [(missing,)]
    with pytest.raises(InputError, match="cifar10"):
        gather([missing], bench.settings)


def test_features_that_cannot_be_had_skip_their_cells_alone(bench, monkeypatch) -> None:
    from hashbench.errors import InputError
    from hashbench.runner import prepare as prepares

    tasks = bench.tasks("quick")
    other = replace(
        tasks[0],
        ask=replace(
            tasks[0].ask,
            cell=replace(tasks[0].cell, bench=replace(tasks[0].cell.bench, backbone="alexnet")),
        ),
    )
    real = prepares.bound_split

    def bound(ask, *rest):
        if ask.cell.bench.backbone == "alexnet":
            raise InputError("no weights of alexnet")
        return real(ask, *rest)

    monkeypatch.setattr(prepares, "bound_split", bound)
    ready, problems = prepares.prepare([*tasks, other], bench.settings, Silent())
    assert [task.key for task in ready] == [tasks[0].key]
    assert [str(problem.error) for problem in problems] == ["no weights of alexnet"]
    record = bench.store.get(other.key)
    assert (record.status, record.reason) == ("skipped", "no weights of alexnet")
    with pytest.raises(InputError, match="no weights of alexnet"):
        prepares.prepare([other], bench.settings, Silent())


def test_a_failure_of_another_run_since_the_plan_is_not_repeated(bench) -> None:
    tasks = bench.tasks("wrong", journal=str(bench.journal))
    bench.run(tasks, run_here)
    bench.run(tasks, run_here)  # planned before the first
    assert len(bench.starts()) == 1
    bench.run(bench.tasks("wrong", journal=str(bench.journal)), run_here)
    assert len(bench.starts()) == 2
    assert LOG_LINES >= 10
