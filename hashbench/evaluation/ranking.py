"""Rankings that histograms cannot describe: by storage order or real outputs.

These cost a sort a query, so only conventions that ask for them come here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.evaluation.ties import Top


@dataclass(frozen=True, eq=False)
class Ranked:
    """Average precision of rankings sorted query by query.

    Attributes:
        gains: `(queries, bins)` float64, the sum of precisions at the relevant
            items of each distance (order "stable").
        ball_gain: `(queries,)` float64, the same sum over the ball of the
            convention's radius.
        top: what the first N items hold, by N.
    """

    gains: NDArray[np.float64] | None
    ball_gain: NDArray[np.float64]
    top: dict[int, Top]


def rank(
    query: Codes,
    database: Codes,
    query_labels: NDArray[np.uint8],
    database_labels: NDArray[np.uint8],
    *,
    outputs: tuple[NDArray[np.float32], NDArray[np.float32]] | None,
    radius: int,
    lengths: Sequence[int],
    denominator: str,
) -> Ranked:
    """Sort the database for each query and sum the precisions.

    Args:
        query: `(queries)` codes.
        database: `(items)` codes.
        query_labels: `(queries, classes)` multi-hot.
        database_labels: `(items, classes)` multi-hot.
        outputs: real outputs of the queries and of the database: rank by their
            inner product, largest first, then by distance and as stored. None:
            rank by distance, then as stored.
        radius: radius of the ball.
        lengths: lengths of the lists to evaluate.
        denominator: see `Convention`.
    """
    nq = len(query)
    gains = np.zeros((nq, query.bits + 1))
    ball_gain = np.zeros(nq)
    top = {n: Top(np.zeros(nq), np.zeros(nq)) for n in lengths}
    for row, distance, relevance in _rows(query, database, query_labels, database_labels):
        if outputs is None:
            index = np.argsort(distance, kind="stable")
        else:
            ball = np.flatnonzero(distance <= radius)
            index = _by_similarity(outputs, row, ball, distance)
            ball_gain[row] = _precisions(relevance[index])[1].sum()
            if not lengths:
                continue
            index = _by_similarity(outputs, row, np.arange(len(database)), distance)
        places, precision = _precisions(relevance[index])
        if outputs is None:
            hit_distance = distance[index[places]]
            gains[row] = np.bincount(hit_distance, precision, minlength=query.bits + 1)
            ball_gain[row] = gains[row, : radius + 1].sum()
        for n, result in top.items():
            hits = int(np.searchsorted(places, n))
            found = {"hits": hits, "min": min(len(places), n), "total": len(places)}[denominator]
            result.hits[row] = hits
            result.ap[row] = precision[:hits].sum() / found if found else 0.0
    return Ranked(gains if outputs is None else None, ball_gain, top)


def _precisions(listed: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions (from 0) of the relevant items of a list, and the precision at each."""
    places = np.flatnonzero(listed)
    return places, np.arange(1, len(places) + 1) / (places + 1)


def _by_similarity(
    outputs: tuple[NDArray[np.float32], NDArray[np.float32]],
    row: int,
    items: NDArray[np.int64],
    distance: NDArray[np.uint16],
) -> NDArray[np.int64]:
    """`items` by inner product with query `row`, ties by distance and as stored."""
    items = items[np.argsort(distance[items], kind="stable")]
    similarity = outputs[1][items] @ outputs[0][row].astype(np.float64)
    return np.asarray(items[np.argsort(-similarity, kind="stable")])


def _rows(
    query: Codes,
    database: Codes,
    query_labels: NDArray[np.uint8],
    database_labels: NDArray[np.uint8],
) -> Iterator[tuple[int, NDArray[np.uint16], NDArray[np.bool_]]]:
    """Each query with its distance to, and relevance of, every database item."""
    ql, dl = query_labels.astype(np.float32), database_labels.astype(np.float32)
    columns = np.ascontiguousarray(database.packed.T)
    for row in range(len(query)):
        distance = np.zeros(len(database), np.uint16)  # 16 bits or less sort in linear time
        for byte, column in zip(query.packed[row], columns, strict=True):
            distance += np.bitwise_count(column ^ byte)
        yield row, distance, dl @ ql[row] > 0
