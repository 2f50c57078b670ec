"""FAISS and LanceDB beside each other on the same codes: rate, recall, memory, build, bytes.

    python benchmarks/search.py --codes 100000,1000000

Codes of 48 bits around 2,000 centres, so that balls hold something; each engine
runs in a process of its own, so that its memory is its own. Queries come one at
a time, as `hashbench search` sends them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from hashbench.codes import Codes

BITS, CENTRES, QUERIES, RADIUS = 48, 2000, 100, 2
KINDS = ("faiss flat", "faiss hash", "faiss multihash", "lancedb")


def codes_of(count: int, seed: int) -> Codes:
    generator = np.random.default_rng(7)
    centres = generator.integers(0, 2, (CENTRES, BITS), np.uint8)
    generator = np.random.default_rng(seed)
    parts = []
    for start in range(0, count, 100_000):
        size = min(100_000, count - start)
        flips = generator.random((size, BITS)) < 0.03
        parts.append(Codes.from_bits(centres[generator.integers(0, CENTRES, size)] ^ flips))
    return Codes.concatenate(parts)


def memory() -> float:
    """MB of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def build(kind: str, count: int, folder: Path) -> dict[str, float]:
    from hashbench.search import build_index
    from hashbench.search.index import Entries

    engine, _, structure = kind.partition(" ")
    codes = codes_of(count, 1)
    start = time.perf_counter()
    build_index(
        folder, codes, Entries([str(row) for row in range(count)]), engine, {"structure": structure}
    )
    seconds = time.perf_counter() - start
    size = sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("entries.npz", "index.json")
    )
    return {"build_s": seconds, "MB on disk": size / 2**20}


def search(kind: str, count: int, folder: Path) -> dict[str, float]:
    from hashbench.search import open_index

    queries = codes_of(QUERIES, 2).packed
    truth = [
        set(np.flatnonzero(np.bitwise_count(codes ^ query).sum(1) <= RADIUS).tolist())
        for codes in [codes_of(count, 1).packed]
        for query in queries
    ]
    index = open_index(folder)
    before = memory()
    engine = index.engine
    found = [engine.within(query[None], RADIUS)[0] for query in queries]
    grown = memory() - before
    hits = sum(
        len(wanted & set(near.rows.tolist())) for wanted, near in zip(truth, found, strict=True)
    )
    passes = []
    for _ in range(5):
        start = time.perf_counter()
        for query in queries:
            engine.within(query[None], RADIUS)
        passes.append(time.perf_counter() - start)
    return {
        "queries/s": QUERIES / statistics.median(passes),
        "recall": hits / sum(map(len, truth)),
        "mean ball": sum(map(len, truth)) / QUERIES,
        "MB more": grown,
        "identical": float(
            all(
                wanted == set(near.rows.tolist()) for wanted, near in zip(truth, found, strict=True)
            )
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", default="100000,1000000")
    parser.add_argument("--one", nargs=4, metavar=("STEP", "KIND", "COUNT", "FOLDER"))
    options = parser.parse_args()
    if options.one:
        step, kind, count, folder = options.one
        function = {"build": build, "search": search}[step]
        print(json.dumps(function(kind, int(count), Path(folder))))
        return
    for count in map(int, options.codes.split(",")):
        for kind in KINDS:
            with tempfile.TemporaryDirectory() as base:
                row: dict[str, float] = {}
                for step in ("build", "search"):
                    command = [sys.executable, __file__, "--one", step, kind, str(count)]
                    done = subprocess.run(
                        [*command, str(Path(base) / "index")],
                        check=True,
                        capture_output=True,
                        text=True,
                        env={**os.environ, "OMP_NUM_THREADS": "1"},
                    )
                    row |= json.loads(done.stdout)
            figures = ", ".join(f"{name} {value:,.4g}" for name, value in row.items())
            print(f"{count:>9,} codes, {kind:<15} {figures}", flush=True)


if __name__ == "__main__":
    main()
