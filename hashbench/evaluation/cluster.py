"""Counting shards of a database on a Ray cluster: histograms add up."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench import runtime
from hashbench.codes import Codes
from hashbench.errors import InputError, installs
from hashbench.evaluation.histograms import BUDGET, Histograms, count, shards
from hashbench.raycluster import SILENCE, ClusterHead, connect

#: Shards a processor of the cluster, so that a lost or slow worker costs little.
SHARDS_PER_CPU = 4


def count_on_ray(
    query: Codes,
    database: Codes,
    query_labels: NDArray[np.uint8],
    database_labels: NDArray[np.uint8],
    *,
    reach: int | None = None,
    engine: str = "auto",
    budget: int = BUDGET,
) -> Histograms:
    """As `histograms.count`, with one task a shard on the connected Ray cluster.

    Connects to the cluster of `RAY_ADDRESS`, or starts one on this machine. A
    shard whose worker dies is counted again elsewhere; each is added once.

    Raises:
        InputError: if Ray is not installed, no cluster can be had, or its head is lost.
    """
    try:
        import ray
    except ImportError:
        raise InputError(
            f"the ray executor needs Ray: {installs('ray')}, or use --executor local"
        ) from None
    connect(ray)
    head = ClusterHead(ray)
    processors = max(1, int(ray.cluster_resources().get("CPU", 1)))
    parts = _parts(database, database_labels, budget, processors * SHARDS_PER_CPU)
    task = ray.remote(num_cpus=1, max_retries=5)(_count_shard)
    queries = ray.put((np.asarray(query.packed), query.bits, np.asarray(query_labels)))
    todo = iter(parts)
    waiting: list[Any] = []
    total: Histograms | None = None
    while True:
        # Only shards about to be counted are copied into the cluster's memory.
        for part in islice(todo, 2 * processors - len(waiting)):
            shard = np.asarray(database.packed[part]), np.asarray(database_labels[part])
            waiting.append(task.remote(queries, *shard, reach, engine, budget))
        if not waiting:
            break
        done, waiting = ray.wait(waiting, timeout=1)
        if head.is_lost():
            raise InputError(
                f"Ray's head at {head.address} has not answered for {SILENCE:g} s: start the "
                "cluster again, or use --executor local"
            )
        for finished in ray.get(done):
            histograms = Histograms(*finished)
            total = histograms if total is None else total + histograms
    assert total is not None
    return total


def _parts(database: Codes, labels: NDArray[np.uint8], budget: int, at_least: int) -> list[slice]:
    size = -(-len(database) // at_least)
    fitting = next(iter(shards(database, labels, budget))).stop
    size = max(1, min(size, fitting))
    return [slice(start, start + size) for start in range(0, len(database), size)]


def _count_shard(
    queries: tuple[Any, int, Any],
    packed: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    reach: int | None,
    engine: str,
    budget: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    query, bits, query_labels = queries
    with runtime.use(runtime.Runtime(threads=1)):
        found = count(
            Codes(query, bits),
            Codes(packed, bits),
            query_labels,
            labels,
            reach=reach,
            engine=engine,
            budget=budget,
        )
    return found.total, found.relevant, found.near
