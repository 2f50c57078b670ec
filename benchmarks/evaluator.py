"""How fast the evaluator is, as ratios measured within one run.

    python benchmarks/evaluator.py                     # synthetic label sets
    python benchmarks/evaluator.py --labels LIST       # label sets of a real data set
    python benchmarks/evaluator.py --stream 10000000   # also a database on disk

LIST has one image a line, its name and the indices of its classes, plain, .gz
or .xz. Codes are a noisy linear hash of the label sets, so that similar images
share codes and balls are full, as after training.
"""

import argparse
import gzip
import lzma
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import faiss
import numpy as np

from hashbench.codes import Codes
from hashbench.evaluation import backends, score
from hashbench.evaluation.histograms import count
from hashbench.evaluation.words import code_words, label_words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=Path, default=None)
    parser.add_argument("--queries", type=int, default=5000)
    parser.add_argument("--items", type=int, default=117_218)
    parser.add_argument("--bits", type=int, default=64)
    parser.add_argument("--noise", type=float, default=0.1)
    parser.add_argument("--stream", type=int, default=0, metavar="ITEMS")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    labels = label_sets(options, rng)
    split = options.queries
    print(
        f"{split} queries x {len(labels) - split} items, {options.bits} bits, "
        f"{labels.shape[1]} classes, {len(np.unique(labels, axis=0))} label sets, "
        f"{backends.threads()} threads"
    )
    codes = noisy_hash(labels, options.bits, options.noise, rng)
    query, database = Codes.from_bits(codes[:split]), Codes.from_bits(codes[split:])
    world = query, database, labels[:split], labels[split:]
    speed(world)
    stand_ins(world)
    concentrated(labels, split, options.bits, rng)
    growth(labels, rng)
    if options.stream:
        stream(options.stream, labels, rng)


def label_sets(options: argparse.Namespace, rng: np.random.Generator) -> np.ndarray:
    total = options.queries + options.items
    if options.labels is None:
        # Popular and rare classes, about three a picture, many pictures alike.
        popularity = 1 / (1 + np.arange(80)) ** 0.8
        kinds = rng.random((total // 5, 80)) < 3 * popularity / popularity.sum()
        return kinds[rng.integers(0, len(kinds), total)].astype(np.uint8)
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(options.labels.suffix, open)
    with opener(options.labels, "rt") as lines:
        rows = [[int(index) for index in line.split()[1:]] for line in lines]
    labels = np.zeros((len(rows), 1 + max(max(row, default=0) for row in rows)), np.uint8)
    for line, row in enumerate(rows):
        labels[line, row] = 1
    return labels[rng.permutation(len(labels))[:total]]


def noisy_hash(labels: np.ndarray, bits: int, noise: float, rng: np.random.Generator) -> np.ndarray:
    projected = labels @ rng.normal(size=(labels.shape[1], bits)).astype(np.float32)
    spread = noise * projected.std()
    return projected + spread * rng.normal(size=projected.shape).astype(np.float32) > 0


def timed(*works, repeat: int = 5) -> list[float]:
    """Seconds of each work: the least of a few rounds, the works in turn.

    Taking turns lets a busy moment of the machine hit all of them alike.
    """
    least = [float("inf")] * len(works)
    for _ in range(repeat):
        for number, work in enumerate(works):
            start = time.perf_counter()
            work()
            least[number] = min(least[number], time.perf_counter() - start)
    return least


def speed(world) -> None:
    query, database, query_labels, database_labels = world
    pairs = len(query) * len(database)
    few = Codes(query.packed[:8], query.bits), database, query_labels[:8], database_labels
    count(*few)  # compiles, or loads what was compiled before
    count(*few, reach=2)
    score(*few)
    index = faiss.IndexBinaryFlat(8 * database.packed.shape[1])
    index.add(database.packed)
    faiss.omp_set_num_threads(backends.threads())
    full, near, everything, flat = timed(
        lambda: count(*world),
        lambda: count(*world, reach=2),
        lambda: score(*world),
        lambda: index.range_search(query.packed, 3),
    )
    ball = count(*world, reach=2).total[:, :3].sum(axis=1).mean()
    print(f"mean ball size at radius 2: {ball:.1f}")
    print(f"full histogram with relevance  {pairs / full / 1e9:6.2f} billion pairs/s")
    print(f"ball only with relevance       {pairs / near / 1e9:6.2f} billion pairs/s")
    print(f"FAISS IndexBinaryFlat, no relevance {pairs / flat / 1e9:.2f} billion pairs/s")
    print(f"ball only against FAISS        {flat / near:6.2f} x")
    print(f"all house metrics and curves   {everything:6.2f} s, counting is {full:.2f} s of it")


def stand_ins(world, queries: int = 40) -> None:
    """The two usual evaluators, on a few queries: float matrix, then a sort or a ball a query."""
    query, database, query_labels, database_labels = world
    signs, query_signs = database.signs().astype(float), query.signs()[:queries].astype(float)

    def by_sort() -> list[float]:
        distance = 0.5 * (query.bits - query_signs @ signs.T)
        scores = []
        for row in range(queries):
            match = (database_labels @ query_labels[row] > 0)[np.argsort(distance[row])]
            places = np.flatnonzero(match) + 1
            scores.append((np.arange(1, len(places) + 1) / places).mean() if len(places) else 0)
        return scores

    def by_ball() -> list[float]:
        distance = 0.5 * (query.bits - query_signs @ signs.T)
        scores = []
        for row in range(queries):
            match = database_labels @ query_labels[row] > 0
            ball = np.flatnonzero(distance[row] <= 2)
            places = np.flatnonzero(match[ball[np.argsort(distance[row][ball])]]) + 1
            scores.append((np.arange(1, len(places) + 1) / places).mean() if len(places) else 0)
        return scores

    ours, whole, sort, ball = timed(
        lambda: count(*world), lambda: score(*world), by_sort, by_ball, repeat=3
    )
    for name, theirs in (("argsort a query", sort), ("boolean ball a query", ball)):
        times = theirs / queries * len(query)
        print(
            f"float matrix + {name:<21} {1e3 * theirs / queries:6.2f} ms a query: counting is "
            f"{times / ours:.0f} x, every metric and curve {times / whole:.0f} x faster"
        )


def concentrated(labels: np.ndarray, split: int, bits: int, rng: np.random.Generator) -> None:
    """Codes that depend on the label set alone: equal pairs are counted once."""
    codes = noisy_hash(labels, bits, 0, rng)
    world = (
        Codes.from_bits(codes[:split]),
        Codes.from_bits(codes[split:]),
        labels[:split],
        labels[split:],
    )
    compiled = backends.choose("numba", 1)[1]
    columns = (
        backends.Columns(code_words(side.packed), label_words(side_labels))
        for side, side_labels in ((world[0], world[2]), (world[1], world[3]))
    )
    every_pair = partial(compiled, *columns, np.zeros((split, 2 * bits + 2), np.int64), False)
    grouped, single = timed(lambda: count(*world), every_pair)
    pairs = len(world[0]) * len(world[1])
    print(
        f"concentrated codes: {pairs / grouped / 1e9:.1f} billion pairs/s, "
        f"{single / grouped:.1f} x for counting equal pairs once"
    )


def growth(labels: np.ndarray, rng: np.random.Generator) -> None:
    """Seconds against items, queries and bits, one varied at a time."""
    base = {"queries": 1000, "items": 50_000, "bits": 64}
    for name, values in (
        ("items", (25_000, 50_000, 100_000)),
        ("queries", (1000, 2000, 4000)),
        ("bits", (16, 64, 128, 256)),
    ):
        times = []
        for value in values:
            size = base | {name: value}
            rows = labels[rng.integers(0, len(labels), size["queries"] + size["items"])]
            codes = noisy_hash(rows, size["bits"], 0.5, rng)
            split = size["queries"]
            world = (
                Codes.from_bits(codes[:split]),
                Codes.from_bits(codes[split:]),
                rows[:split],
                rows[split:],
            )
            times += timed(lambda world=world: count(*world))
        line = ", ".join(f"{v}: {1e3 * t:.1f} ms" for v, t in zip(values, times, strict=True))
        print(f"growth in {name:<8} {line}")


def stream(items: int, labels: np.ndarray, rng: np.random.Generator, queries: int = 1000) -> None:
    """A database in files on disk, counted in shards within a memory budget."""
    with tempfile.TemporaryDirectory() as folder:
        codes = np.lib.format.open_memmap(Path(folder) / "codes.npy", "w+", np.uint8, (items, 8))
        hot = np.lib.format.open_memmap(
            Path(folder) / "labels.npy", "w+", np.uint8, (items, labels.shape[1])
        )
        for start in range(0, items, 500_000):
            stop = min(start + 500_000, items)
            rows = labels[rng.integers(0, len(labels), stop - start)]
            hot[start:stop] = rows
            codes[start:stop] = np.packbits(
                noisy_hash(rows, 64, 0.5, np.random.default_rng(start)), axis=1, bitorder="little"
            )
        codes.flush()
        hot.flush()
        query = Codes(np.ascontiguousarray(codes[:queries]), 64)
        query_labels = np.ascontiguousarray(hot[:queries])
        print(f"on disk: {items} codes of 64 bits, {(codes.nbytes + hot.nbytes) / 2**20:.0f} MiB")
        for part in (items // 10, items):
            for budget in (128, 512):
                before = _anonymous()
                with _Peak() as peak:
                    start = time.perf_counter()
                    count(
                        query,
                        Codes(codes[:part], 64),
                        query_labels,
                        hot[:part],
                        budget=budget << 20,
                    )
                    seconds = time.perf_counter() - start
                print(
                    f"  {part:>10} items, budget {budget} MiB: {seconds:.2f} s, "
                    f"{queries * part / seconds / 1e9:.2f} billion pairs/s, "
                    f"memory grew by {(peak.highest - before) / 1024:.0f} MiB"
                )


def _anonymous() -> int:
    """KiB of memory of this process that is not a file's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1])
    return 0


class _Peak:
    """The most memory seen within the block, looked at every few milliseconds."""

    def __enter__(self):
        self.highest, self._stop = _anonymous(), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stop.wait(0.005):
            self.highest = max(self.highest, _anonymous())

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


if __name__ == "__main__":
    main()
