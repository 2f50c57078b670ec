"""What running cells in workers costs and gains, against a plain loop in one process.

    python benchmarks/sweep.py
    python benchmarks/sweep.py --dataset cifar10 --data-root ~/data

Prints, for the same cells in the same run: the time of `run_here` (imports done,
one thread), that of `run_local` (the start of its workers included), their
ratio; the seconds until the workers' first cell began; the seconds that workers
stood idle at the end, when no cell was left for them; and the overhead a cell:
what the rest of their time held besides the seconds their records account for.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

SEEDS = range(3)
BITS = (16, 32, 48, 64)
METHODS = ("itq-cca", "lsh", "sdh", "ksh")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--backbone", default=None)
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()

    from hashbench.runner.environment import share_threads
    from hashbench.runner.execute import Limits, Quiet, available_cores, run_here
    from hashbench.runner.local import run_local, warm_up
    from hashbench.runner.plan import Request, plan
    from hashbench.runner.settings import Settings

    class Clock(Quiet):
        """When the first cell began, and when each ended."""

        def __init__(self) -> None:
            self.first = 0.0
            self.ends: list[float] = []

        def started(self, cell) -> None:  # type: ignore[no-untyped-def]
            self.first = self.first or time.perf_counter()

        def finished(self, cell, record) -> None:  # type: ignore[no-untyped-def]
            self.ends.append(time.perf_counter())

    warm_up()
    share_threads(1)
    request = Request(
        tuple(args.methods.split(",")), BITS, tuple(SEEDS), (args.dataset,), backbone=args.backbone
    )
    cells = plan(request, args.data_root)
    workers = args.workers or available_cores()
    base = Settings(Path(), args.data_root, conventions=("house",), device="cpu", threads=1)

    with tempfile.TemporaryDirectory() as folder:

        def timed(name: str, executor, limits: Limits, some=cells) -> tuple[float, ...]:  # type: ignore[no-untyped-def]
            """Wall time, start, idle time at the end and overhead a cell, all in seconds."""
            from hashbench.runner.claim import pending
            from hashbench.runner.prepare import gather, prepare
            from hashbench.store import Store

            settings = replace(base, store=Path(folder) / name)
            store = Store(settings.store, create=True)
            tasks, _ = gather(some, settings)
            tasks, _ = prepare(pending(tasks, store, settings)[0], settings, Quiet())
            slots, clock = max(1, limits.workers), Clock()
            begin = time.perf_counter()
            executor(tasks, settings, limits, clock)
            end = time.perf_counter()
            records = store.records()
            if len(records) != len(some) or not all(record.ok for record in records):
                raise SystemExit(f"cells failed: {[r.reason for r in records if not r.ok][:1]}")
            work = sum(sum(record.timings.values()) for record in records)
            start = clock.first - begin
            # Once no cell waits, each one that ends leaves a worker idle.
            idle = sum(end - last for last in clock.ends[-slots:])
            over = slots * (end - clock.first) - idle - work
            return end - begin, start, idle, over / len(some)

        timed("warm-here", run_here, Limits(), cells[::12])
        timed("warm-local", run_local, Limits(workers), cells[::12])
        print(f"{len(cells)} cells of {args.dataset}, {workers} workers of 1 thread", end=", ")
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before the start")
        print("loop s  workers s  ratio  start s  idle s  overhead of a cell: loop ms  workers ms")
        for number in range(args.rounds):
            loop, _, _, alone = timed(f"here-{number}", run_here, Limits())
            crew, start, idle, over = timed(f"local-{number}", run_local, Limits(workers))
            print(
                f"{loop:6.2f}  {crew:9.2f}  {loop / crew:5.2f}  {start:7.2f}  {idle:6.2f}  "
                f"{1000 * alone:27.1f}  {1000 * over:10.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
