"""Real lookup: how fast FAISS finds the Hamming ball, and what it looks at."""

from __future__ import annotations

import hashlib
import time
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.evaluation.backends import threads

#: Queries searched at a time, so that crowded balls do not fill the memory.
BATCH = 100
#: At most this many queries are timed.
MAX_QUERIES = 1000


def measure_lookup(query: Codes, database: Codes, radius: int = 2) -> dict[str, Any]:
    """Build three FAISS indexes over the database and search the ball of each query.

    All three are exact: IndexBinaryFlat compares with every code;
    IndexBinaryHash looks into every bucket within `radius` flips of the query's
    prefix; IndexBinaryMultiHash uses `radius` + 1 disjoint parts of the code, of
    which at least one must agree (pigeonhole).

    Args:
        query: codes; the first 1,000 are searched.
        database: codes to search in.
        radius: Hamming radius.

    Returns:
        "radius", "queries", "threads", and for "flat", "hash" and "multihash":
        "build_s" seconds, "queries_per_s", "candidates" (mean number of codes
        compared a query), "found" (mean ball size), "bytes" (size of the
        serialised index), "identical" (whether it found exactly the ball of
        the flat index), and the parameters.
    """
    import faiss

    codes = np.ascontiguousarray(database.packed)
    queries = np.ascontiguousarray(query.packed[:MAX_QUERIES])
    width = 8 * codes.shape[1]
    prefix = int(np.clip(np.ceil(np.log2(max(2, len(codes)))), 1, min(database.bits, 24)))
    tables = min(radius + 1, database.bits)
    part = max(1, min(database.bits // tables, 32))
    makers: dict[str, tuple[dict[str, int], Any]] = {
        "flat": ({}, lambda: faiss.IndexBinaryFlat(width)),
        "hash": ({"bits": prefix}, lambda: _hash(faiss, width, prefix, radius)),
        "multihash": (
            {"hashes": tables, "bits": part},
            lambda: _multihash(faiss, width, tables, part, radius),
        ),
    }
    result: dict[str, Any] = {
        "radius": radius,
        "queries": len(queries),
        "threads": threads(),
    }
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads())
    exact = None
    try:
        for name, (parameters, make) in makers.items():
            index = make()
            start = time.perf_counter()
            index.add(codes)
            built = time.perf_counter() - start
            balls, seconds, candidates = _search(faiss, index, queries, radius)
            exact = balls if exact is None else exact
            result[name] = {
                **parameters,
                "build_s": round(built, 6),
                "queries_per_s": round(len(queries) / seconds, 1),
                "candidates": candidates if name != "flat" else float(len(codes)),
                "found": float(np.mean([size for size, _ in balls])),
                "bytes": len(faiss.serialize_index_binary(index)),
                "identical": balls == exact,
            }
    finally:
        faiss.omp_set_num_threads(before)
    return result


def _hash(faiss: Any, width: int, prefix: int, radius: int) -> Any:
    index = faiss.IndexBinaryHash(width, prefix)
    index.nflip = min(radius, prefix)
    return index


def _multihash(faiss: Any, width: int, tables: int, part: int, radius: int) -> Any:
    index = faiss.IndexBinaryMultiHash(width, tables, part)
    index.nflip = min(radius // tables, part)  # 0 unless the code is too short to cut in radius + 1
    return index


def _search(
    faiss: Any, index: Any, queries: NDArray[np.uint8], radius: int
) -> tuple[list[tuple[int, bytes]], float, float]:
    """Size and digest of each ball, seconds of the search alone, mean codes compared."""
    balls: list[tuple[int, bytes]] = []
    seconds = 0.0
    statistics = faiss.cvar.indexBinaryHash_stats
    statistics.reset()
    for start in range(0, len(queries), BATCH):
        batch = queries[start : start + BATCH]
        began = time.perf_counter()
        limits, _, ids = index.range_search(batch, radius + 1)  # FAISS excludes the radius itself
        seconds += time.perf_counter() - began
        for left, right in pairwise(limits):
            ball = np.sort(ids[left:right])
            balls.append((len(ball), hashlib.sha256(ball.tobytes()).digest()))
    return balls, seconds, statistics.ndis / len(queries)
