"""What running cells in workers costs and gains, against a plain loop in one process.

    python benchmarks/sweep.py
    python benchmarks/sweep.py --dataset cifar10 --data-root ~/data

Prints, for the same cells in the same run: the time of `run_here` (imports done,
one thread), that of `run_local` (the start of its workers included), their
ratio, and the overhead a cell: what the workers' wall-clock time held besides
the seconds their records account for.
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
    from hashbench.runner.work import Settings

    warm_up()
    share_threads(1)
    request = Request(
        tuple(args.methods.split(",")), BITS, tuple(SEEDS), (args.dataset,), backbone=args.backbone
    )
    cells = plan(request, args.data_root)
    workers = args.workers or available_cores()
    base = Settings(Path(), args.data_root, conventions=("house",), device="cpu", threads=1)

    with tempfile.TemporaryDirectory() as folder:

        def timed(name: str, executor, limits: Limits, some=cells) -> tuple[float, float]:  # type: ignore[no-untyped-def]
            from hashbench.results.store import Store
            from hashbench.runner.attempt import pending
            from hashbench.runner.prepare import prepare

            settings = replace(base, store=Path(folder) / name)
            store = Store(settings.store, create=True)
            tasks = prepare(pending(some, store), settings, Quiet())
            begin = time.perf_counter()
            executor(tasks, settings, limits, Quiet())
            wall = time.perf_counter() - begin
            records = store.records()
            if len(records) != len(some) or not all(record.ok for record in records):
                raise SystemExit(f"cells failed: {[r.reason for r in records if not r.ok][:1]}")
            return wall, sum(sum(record.timings.values()) for record in records)

        timed("warm-here", run_here, Limits(), cells[::12])
        timed("warm-local", run_local, Limits(workers), cells[::12])
        print(f"{len(cells)} cells of {args.dataset}, {workers} workers of 1 thread", end=", ")
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before the start")
        print("loop s  workers s  ratio  overhead of a cell: loop ms  workers ms")
        for number in range(args.rounds):
            loop, loop_work = timed(f"here-{number}", run_here, Limits())
            crew, crew_work = timed(f"local-{number}", run_local, Limits(workers))
            loop_over = (loop - loop_work) / len(cells) * 1000
            crew_over = (crew * workers - crew_work) / len(cells) * 1000
            print(
                f"{loop:6.2f}  {crew:9.2f}  {loop / crew:5.2f}  "
                f"{loop_over:27.1f}  {crew_over:10.1f}"
            )


if __name__ == "__main__":
    main()
