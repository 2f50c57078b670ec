from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sweep_bench import Recorder

from hashbench.errors import InputError
from hashbench.runner.execute import Limits, run_here
from hashbench.runner.local import run_local
from hashbench.store import StoreError


def outcomes(listener):
    return {record.cell.method: record for record in listener.records}


def test_workers_compute_what_a_plain_loop_computes(bench) -> None:
    tasks = bench.tasks("quick,itq-cca", bits=(8, 16))
    bench.run(tasks)
    codes = [bench.store.open_codes(bench.store.get(task.key)) for task in tasks]
    bench.settings = bench.settings.__class__(
        **{**bench.settings.__dict__, "store": Path("elsewhere")}
    )
    bench.run(bench.tasks("quick,itq-cca", bits=(8, 16)), run_here)
    for task, (query, database) in zip(tasks, codes, strict=True):
        again = bench.store.open_codes(bench.store.get(task.key))
        assert np.array_equal(query.packed, again[0].packed)
        assert np.array_equal(database.packed, again[1].packed)


def test_a_worker_is_used_again_and_never_after_a_strangers_method(bench) -> None:
    records = bench.run(bench.tasks("lsh", seeds=range(6))).records
    assert [record.status for record in records] == ["ok"] * 6
    bench.run(bench.tasks("quick", seeds=range(3), journal=str(bench.journal)))
    workers = [line.split()[-1] for line in bench.journal.read_text().splitlines()]
    assert len(set(workers)) == 3
    assert str(os.getpid()) not in workers


def test_every_failure_has_its_status_and_reason_and_stops_nothing(bench) -> None:
    tasks = bench.tasks("wrong,leave,press,greedy,loud,crash,quick")
    found = outcomes(bench.run(tasks))
    expected = {
        "wrong": ("failed", "OSError: its own file is missing"),
        "leave": ("failed", "SystemExit: enough"),
        "press": ("failed", "NotPressed: KeyboardInterrupt, though nobody pressed Ctrl-C"),
        "greedy": ("out-of-memory", "MemoryError: an array of 9 TB"),
        "loud": ("failed", "ValueError: too much"),
        "crash": ("failed", "its worker died twice, of SIGSEGV"),
        "quick": ("ok", ""),
    }
    assert {name: (record.status, record.reason) for name, record in found.items()} == expected
    assert "misbehave" in found["wrong"].log  # the last lines of the traceback
    assert "last words" in found["crash"].log
    assert "Segmentation fault" in found["crash"].log
    for name in expected:
        assert bench.store.get(found[name].key) == found[name]


def test_failures_are_tried_again_and_successes_are_not(bench) -> None:
    bench.run(bench.tasks("wrong,quick"))
    again = bench.tasks("wrong,quick")
    assert [task.cell.method for task in again] == ["wrong"]
    assert again[0].replaces


def test_a_cell_that_takes_too_long_is_killed(bench, monkeypatch) -> None:
    tasks = bench.tasks("hang,quick", journal=str(bench.journal))
    listener, real = Recorder(), time.monotonic

    def clock() -> float:
        """Later by 200 s once one cell waits and the other is done, however busy the machine."""
        late = listener.records and "waiting\n" in bench.journal.read_text()
        return real() + 200 * bool(late)

    monkeypatch.setattr(time, "monotonic", clock)
    run_local(tasks, bench.settings, Limits(workers=2, timeout=100), listener)
    found = outcomes(listener)
    assert found["hang"].status == "timeout"
    assert found["hang"].reason == "it took more than 100 s"
    assert "about to wait" in found["hang"].log
    assert "in misbehave" in found["hang"].log  # where it stood
    assert found["quick"].ok


def test_a_worker_that_allocates_too_much_is_killed(bench) -> None:
    found = outcomes(bench.run(bench.tasks("hog,quick"), memory=900 * 2**20))
    assert found["hog"].status == "out-of-memory"
    assert found["hog"].reason == "it allocated more than 900 MiB"
    assert found["quick"].ok


@pytest.mark.parametrize("executor", [run_here, run_local])
def test_out_of_cuda_memory_is_tried_alone_and_then_in_parts_of_the_same_batch(
    bench, executor
) -> None:
    tasks = bench.tasks("out-of-cuda", batch_size=128, journal=str(bench.journal))
    (record,) = bench.run(tasks, executor).records
    assert record.ok
    assert record.adjusted == {"accumulate": 4}
    assert record.cell.params["batch_size"] == 128
    assert "alone" in record.environment["memory"]
    assert len(bench.starts()) == 4  # beside others, alone, in 2 parts, in 4


def test_workers_times_threads_is_at_most_the_cores(bench, monkeypatch) -> None:
    monkeypatch.setattr("hashbench.runner.local.available_cores", lambda: 6)
    records = bench.run(bench.tasks("quick", seeds=range(3)), workers=3).records
    for record in records:
        assert record.environment["threads"] == 2
        assert all(line.endswith("x2") for line in record.environment["blas"])


def test_a_record_says_the_threads_its_head_was_trained_with(bench, monkeypatch) -> None:
    monkeypatch.setattr("hashbench.runner.local.available_cores", lambda: 2)
    (record,) = bench.run(bench.tasks("dch", epochs=1), workers=1).records  # a worker of 2 threads
    assert record.environment["threads"] == 1
    assert all(line.endswith("x1") for line in record.environment["blas"])


def test_a_killed_worker_costs_nothing_but_time(bench) -> None:
    tasks = bench.tasks("quick", seeds=range(4), journal=str(bench.journal), seconds=0.3)
    killed: list[int] = []

    def kill() -> None:
        while len(killed) < 2:
            lines = bench.journal.read_text().splitlines() if bench.journal.exists() else []
            pids = [int(line.split()[-1]) for line in lines]
            for pid in pids[:2]:
                if pid not in killed:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
            time.sleep(0.02)

    thread = threading.Thread(target=kill)
    thread.start()
    listener = bench.run(tasks)
    thread.join()
    assert [record.status for record in listener.records] == ["ok"] * 4
    assert len(killed) == 2


def test_a_store_that_cannot_be_written_stops_the_run(bench) -> None:
    tasks = bench.tasks("quick", seeds=range(4))
    (bench.settings.store / "records").rmdir()
    (bench.settings.store / "records").write_text("in the way")
    with pytest.raises((StoreError, InputError)):
        bench.run(tasks)


def test_workers_that_cannot_start_are_told_of(bench, monkeypatch) -> None:
    tasks = bench.tasks("quick")
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setattr("hashbench.runner.worker.main", _stillborn)
    with pytest.raises(InputError, match="die while starting"):
        bench.run(tasks)


def _stillborn(*_: object) -> None:
    os._exit(3)


def test_limits_that_hold_for_nothing_are_told(bench) -> None:
    with pytest.warns(
        UserWarning, match="--timeout and --memory hold for no cell with --workers 0"
    ):
        found = bench.run(bench.tasks("quick"), run_here, timeout=1e-6).records
    assert [record.status for record in found] == ["ok"]
