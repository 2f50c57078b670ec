"""Real lookup: how fast FAISS finds the Hamming ball, and what it looks at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.evaluation.backends import threads
from hashbench.evaluation.structures import (
    BATCH,
    Structure,
    balls,
    faiss_threads,
    flat,
    hashed,
    heap_bytes,
    multihashed,
    rivals,
    serialised,
    visited,
)

#: At most this many queries are timed.
MAX_QUERIES = 1000

#: Timed passes over the queries after one that is not, and the seconds after which no more begin.
REPEATS, LONGEST = 5, 5.0

#: A rate is shown where at most this share of the balls is empty: nothing is found fast.
MOST_EMPTY = 0.5


def measure_lookup(query: Codes, database: Codes, radius: int = 2) -> dict[str, Any]:
    """Build FAISS indexes over the database and search the ball of each query.

    Three are exact: IndexBinaryFlat compares with every code; IndexBinaryHash
    looks into every bucket within `radius` flips of the query's prefix;
    IndexBinaryMultiHash uses `radius` + 1 disjoint parts of the code, of which
    at least one must agree (pigeonhole). Multi-table LSH of one to eight bands
    of the code stands beside them as the rival that gives up recall for speed.

    Each index searches all queries once unmeasured and then up to five times;
    the median pass gives its rate.

    Args:
        query: codes; the first 1,000 are searched.
        database: codes to search in.
        radius: Hamming radius.

    Returns:
        "radius", "queries", "database", "threads", "batch", "repeats",
        "empty" (share of empty balls); for "flat", "hash" and "multihash"
        "build_s" (seconds, median of as many builds as took a second, at most
        three), "queries_per_s", "candidates" (mean number of codes compared a
        query), "found" (mean ball size), "bytes" (size on disk), "memory"
        (bytes the index holds, None where that is not known), "recall" (share
        of the balls' codes it found), "identical" (whether that is all of
        every ball, and nothing else), "passes" (how many were timed), and the
        parameters. "points" is a list of {"index", "recall", "queries_per_s"}
        of these and of multi-table LSH, to be drawn as recall against speed;
        "rival" names the multi-table LSH of best recall among those at least
        as fast as the fastest exact index, None if there is none. Rates are
        None where more than half of the balls are empty.
    """
    codes = np.ascontiguousarray(database.packed)
    queries = np.ascontiguousarray(query.packed[:MAX_QUERIES])
    width, bits = 8 * codes.shape[1], database.bits
    exact = (
        flat(width),
        hashed(width, bits, len(codes), radius),
        multihashed(width, bits, radius),
    )
    with faiss_threads(threads()):
        truth = balls(_built(exact[0], codes), queries, radius)
        empty = float(np.mean([not len(ball) for ball in truth])) if truth else 1.0
        result: dict[str, Any] = {
            "radius": radius,
            "queries": len(queries),
            "database": len(codes),
            "threads": threads(),
            "batch": BATCH,
            "repeats": REPEATS,
            "empty": empty,
        }
        found = {item.name: _measured(item, codes, queries, radius, truth) for item in exact}
        points = found | {
            item.name: _measured(item, codes, queries, radius, truth)
            for item in rivals(width, bits)
        }
    if empty > MOST_EMPTY:
        for measured in points.values():
            measured["queries_per_s"] = None
    result |= found
    names = ("recall", "queries_per_s")
    result["points"] = [
        {"index": name, **{key: measured[key] for key in names}}
        for name, measured in points.items()
    ]
    result["rival"] = _rival(result["points"], set(found))
    return result


def fastest(lookup: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The exact index of the highest rate in what `measure_lookup` gave, and its figures."""
    rates = {
        name: part["queries_per_s"]
        for name, part in lookup.items()
        if isinstance(part, dict) and isinstance(part.get("queries_per_s"), int | float)
    }
    if not rates:
        return None
    name = max(rates, key=lambda name: rates[name])
    return name, lookup[name]


def _rival(points: list[dict[str, Any]], exact: set[str]) -> str | None:
    if any(point["queries_per_s"] is None for point in points):
        return None
    best = max(point["queries_per_s"] for point in points if point["index"] in exact)
    others = [
        point for point in points if point["index"] not in exact and point["queries_per_s"] >= best
    ]
    return str(max(others, key=lambda point: point["recall"])["index"]) if others else None


def _built(structure: Structure, codes: NDArray[np.uint8]) -> Any:
    index = structure.make()
    index.add(codes)
    return index


def _measured(
    structure: Structure,
    codes: NDArray[np.uint8],
    queries: NDArray[np.uint8],
    radius: int,
    truth: list[NDArray[np.int64]],
) -> dict[str, Any]:
    built: list[float] = []
    index: Any = None
    memory: int | None = None
    while len(built) < 3 and sum(built) < 1.0:
        index = None  # one at a time in memory
        before = heap_bytes()
        start = time.perf_counter()
        index = _built(structure, codes)
        built.append(time.perf_counter() - start)
        after = heap_bytes()
        memory = None if before is None or after is None else max(0, after - before)
    counters = visited()
    counters.reset()
    seen = balls(index, queries, radius)  # the first pass is not timed
    compared = counters.ndis / max(1, len(queries))
    passes: list[float] = []
    while len(passes) < REPEATS and sum(passes) < LONGEST:
        start = time.perf_counter()
        for first in range(0, len(queries), BATCH):
            index.range_search(queries[first : first + BATCH], radius + 1)
        passes.append(time.perf_counter() - start)
    wanted = sum(map(len, truth))
    hits = sum(len(np.intersect1d(*pair)) for pair in zip(seen, truth, strict=True))
    return {
        **structure.parameters,
        "build_s": round(float(np.median(built)), 6),
        "queries_per_s": round(len(queries) / float(np.median(passes)), 1),
        "passes": len(passes),
        "candidates": float(len(codes)) if structure.name == "flat" else compared,
        "found": float(np.mean([len(ball) for ball in seen])) if seen else 0.0,
        "bytes": serialised(index),
        "memory": memory,
        "recall": hits / wanted if wanted else 1.0,
        "identical": all(map(np.array_equal, seen, truth)),
    }
