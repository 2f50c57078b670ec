"""What reads a folder of many records: seconds of a dry run, a finished run, exports and a page.

    python benchmarks/records.py                          # 10,000 records
    python benchmarks/records.py --records 1000 --keep /tmp/many

Eight methods are run on the digits at five code lengths and five draws of the split, under two
conventions. Their cells are then written under further seeds by the store's own writers, so that
every key and digest is right. Each command is timed as a whole process: processor time of it and
its children, and time by the clock.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

METHODS = "lsh,sign,class-codes,pcah,itq,sh,agh,itq-cca"
BITS = "8,16,24,32,48"
DRAWS = 5

#: Cells that are run.
REAL = len(METHODS.split(",")) * len(BITS.split(",")) * DRAWS


def run(seeds: int) -> list[str]:
    """The run that asks for every record, with this many seeds."""
    return [
        "run", "--methods", METHODS, "--bits", BITS, "--datasets", "digits", "--no-floors",
        "--split-seeds", str(DRAWS), "--seeds", str(seeds), "--untuned",
    ]  # fmt: skip


def timed(what: str, place: Path, *arguments: str) -> None:
    """Print what a command takes.

    Raises:
        SystemExit: if it fails.
    """
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    order = [sys.executable, "-m", "hashbench", *arguments]
    done = subprocess.run(order, cwd=place, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{what}: exit code {done.returncode}: {done.stderr[-2000:]}")
    busy = sum(getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime"))
    print(
        f"{what:24} {busy:6.1f} s of processor time, {time.monotonic() - begin:6.1f} s by the "
        f"clock, {after.ru_maxrss / 1000:.0f} MB at most so far",
        flush=True,
    )


def multiply(folder: Path, seeds: int) -> int:
    """Write every record of seed 0 under further seeds; returns how many there are then."""
    from hashbench.evaluation import Convention
    from hashbench.evaluation.metrics import versions
    from hashbench.store import Store
    from hashbench.store.scorefiles import get_scores, kept_conventions, put_scores

    store = Store(folder)
    sync, os.fsync = os.fsync, lambda _: None  # making them is not what is timed
    try:
        for first in [record for record in store.records() if record.cell.seed == 0]:
            codes = store.open_codes(first)
            hasher = store.path("hasher", first.key).read_bytes()
            named = [Convention.parse(name) for name in kept_conventions(store, first)]
            scores = [found[0] for item in named if (found := get_scores(store, first, item))]
            for seed in range(1, seeds):
                cell = replace(first.cell, seed=seed)
                copy = replace(first, cell=cell, key=cell.key(first.evidence))
                record = store.put(copy, codes, hasher)
                for one in scores:
                    put_scores(store, record, one, versions(one.convention))
    finally:
        os.fsync = sync
    return len(store.keys())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=10_000, help=f"a multiple of {REAL}")
    parser.add_argument("--keep", type=Path, help="folder to work in, used again if it is there")
    options = parser.parse_args()
    seeds = max(1, options.records // REAL)
    with tempfile.TemporaryDirectory() as temporary:
        place = options.keep or Path(temporary)
        place = place.resolve()
        place.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ["HASHBENCH_CACHE"] = str(place / "cache")
        many = ["--results", "many"]
        if not (place / "many").exists():
            timed(f"running {REAL} cells", place, *run(1), *many)
            count = multiply(place / "many", seeds)
        else:
            from hashbench.store import Store

            count = len(Store(place / "many").keys())
        print(f"{count:,} records")
        timed("dry run", place, *run(seeds), *many, "--dry-run")
        timed("finished run", place, *run(seeds), *many)
        timed("export of markdown", place, "export", "--format", "markdown", "--out", "t.md", *many)
        timed("export of csv", place, "export", "--format", "csv", "--out", "scores.csv", *many)
        timed("report", place, "report", "many", "--out", "report.html")


if __name__ == "__main__":
    main()
