"""The first items that codes retrieve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes

#: Items shown of a retrieval.
TOP = 10


def nearest(query: Codes, database: Codes, top: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`(queries, top)` database rows and Hamming distances, nearest first, ties as stored."""
    rows, distances = [], []
    for code in query.packed:
        distance = np.bitwise_count(database.packed ^ code).sum(axis=1, dtype=np.int64)
        order = np.argsort(distance, kind="stable")[:top]
        rows.append(order)
        distances.append(distance[order])
    return np.array(rows), np.array(distances)
