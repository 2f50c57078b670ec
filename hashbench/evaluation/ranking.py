"""Rankings that histograms cannot describe: by storage order or real outputs.

These cost a sort a query, so only conventions that ask for them come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.evaluation.backends import over_rows
from hashbench.evaluation.labels import Labels
from hashbench.evaluation.ties import Top
from hashbench.evaluation.words import code_words, label_words


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
    query_labels: Labels,
    database_labels: Labels,
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
        query_labels: `(queries, classes)` multi-hot or `(queries,)` class ids.
        database_labels: the same of the database.
        outputs: real outputs of the queries and of the database: rank by their
            inner product, largest first, then by distance and as stored. None:
            rank by distance, then as stored.
        radius: radius of the ball.
        lengths: lengths of the lists to evaluate.
        denominator: see `Convention`.
    """
    nq, bits = len(query), query.bits
    gains = np.zeros((nq, bits + 1))
    ball_gain = np.zeros(nq)
    top = {n: Top(np.zeros(nq), np.zeros(nq)) for n in lengths}
    pairs = _Pairs(query, database, query_labels, database_labels)
    if outputs is not None and lengths:
        theirs = outputs[1].astype(np.float64)

    def part(rows: slice) -> None:
        for row in range(*rows.indices(nq)):
            distance, relevance = pairs.of(row)
            if outputs is None:
                index = np.argsort(distance, kind="stable")
            else:
                mine = outputs[0][row].astype(np.float64)
                ball = np.flatnonzero(distance <= radius)
                index = ball[_by_similarity(outputs[1][ball] @ mine, distance[ball])]
                ball_gain[row] = _precisions(relevance[index])[1].sum()
                if not lengths:
                    continue
                index = _by_similarity(theirs @ mine, distance)
            places, precision = _precisions(relevance[index])
            if outputs is None:
                gains[row] = np.bincount(distance[index[places]], precision, minlength=bits + 1)
                ball_gain[row] = gains[row, : radius + 1].sum()
            for n, result in top.items():
                hits = int(np.searchsorted(places, n))
                found = {"hits": hits, "min": min(len(places), n), "total": len(places)}
                result.hits[row] = hits
                result.ap[row] = precision[:hits].sum() / max(1, found[denominator])

    over_rows(part, nq)
    return Ranked(gains if outputs is None else None, ball_gain, top)


def _precisions(listed: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions (from 0) of the relevant items of a list, and the precision at each."""
    places = np.flatnonzero(listed)
    return places, np.arange(1, len(places) + 1) / (places + 1)


def _by_similarity(
    similarity: NDArray[np.float64], distance: NDArray[np.uint16]
) -> NDArray[np.int64]:
    """Items by similarity, largest first; ties by distance and as stored."""
    nearest = np.argsort(distance, kind="stable")
    return np.asarray(nearest[np.argsort(-similarity[nearest], kind="stable")])


class _Pairs:
    """Distance to, and relevance of, every database item, query by query."""

    def __init__(
        self,
        query: Codes,
        database: Codes,
        query_labels: Labels,
        database_labels: Labels,
    ) -> None:
        self._query, self._items = code_words(query.packed), code_words(database.packed)
        self._ids = query_labels.ndim == 1
        self._labels = [
            labels[None] if self._ids else label_words(labels)
            for labels in (query_labels, database_labels)
        ]

    def of(self, row: int) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        """`(items,)` distances (16 bits sort in linear time) and relevances."""
        distance = np.zeros(self._items.shape[1], np.uint16)
        for word, column in zip(self._query[:, row], self._items, strict=True):
            distance += np.bitwise_count(column ^ word)
        mine, theirs = self._labels
        if self._ids:
            return distance, theirs[0] == mine[0, row]
        relevance = np.zeros(len(distance), bool)
        for word, column in zip(mine[:, row], theirs, strict=True):
            relevance |= (column & word) != 0
        return distance, relevance
