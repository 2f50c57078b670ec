"""Distance histograms: the two counts a query from which scores are computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes


@dataclass(frozen=True, eq=False)
class Histograms:
    """How many database items lie at each Hamming distance of each query.

    Attributes:
        total: `(queries, bits + 1)` int64, items at each distance.
        relevant: `(queries, bits + 1)` int64, those of them that share a label
            with the query.
    """

    total: NDArray[np.int64]
    relevant: NDArray[np.int64]

    def __add__(self, other: Histograms) -> Histograms:
        """Histograms over two shards of a database."""
        return Histograms(self.total + other.total, self.relevant + other.relevant)


def count(
    query: Codes,
    database: Codes,
    query_labels: NDArray[np.uint8],
    database_labels: NDArray[np.uint8],
) -> Histograms:
    """Count the database items, and the relevant ones, at each distance."""
    nq, nd, bins = len(query), len(database), query.bits + 1
    flat = np.zeros(nq * 2 * bins, np.int64)
    ql, dl = query_labels.astype(np.float32), database_labels.astype(np.float32)
    step = max(1, 20_000_000 // max(1, nd))
    for start in range(0, nq, step):
        part = slice(start, min(start + step, nq))
        distance = np.zeros((part.stop - start, nd), np.int32)
        for q, d in zip(query.packed[part].T, database.packed.T, strict=True):
            distance += np.bitwise_count(q[:, None] ^ d[None, :])
        key = distance * 2 + (ql[part] @ dl.T > 0)
        key += np.arange(part.stop - start, dtype=np.int32)[:, None] * (2 * bins)
        flat[start * 2 * bins : part.stop * 2 * bins] = np.bincount(
            key.ravel(), minlength=(part.stop - start) * 2 * bins
        )
    table = flat.reshape(nq, bins, 2)
    return Histograms(table.sum(axis=2), np.ascontiguousarray(table[:, :, 1]))
