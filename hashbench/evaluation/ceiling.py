"""The ceiling: retrieval by cosine of the features themselves, before anything is hashed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.evaluation.labels import Labels, read_labels
from hashbench.evaluation.ties import TiedRanking

#: Similarities held at once, of some queries with the whole database.
_BLOCK = 1 << 23
#: Database rows brought to float64 at once.
_ROWS = 4096
#: Decimals of a cosine: products of equal rows may differ by rounding, and are ties.
_DECIMALS = 9


def cosine_map(
    query: NDArray[Any],
    database: NDArray[Any],
    query_labels: NDArray[Any],
    database_labels: NDArray[Any],
) -> float:
    """Mean average precision of ranking the database by cosine; see `cosine_precision`."""
    return float(cosine_precision(query, database, query_labels, database_labels).mean())


def cosine_precision(
    query: NDArray[Any],
    database: NDArray[Any],
    query_labels: NDArray[Any],
    database_labels: NDArray[Any],
) -> NDArray[np.float64]:
    """Average precision of the whole database ranked by cosine, largest first.

    As `map` in the house convention: ties, which equal rows are, count their exact mean
    over all orders, and a query without a relevant item scores 0. A row of zeros
    has the cosine 0 with every other.

    Args:
        query: `(queries, dim)` features; may be a memory map, as `database`.
        database: `(items, dim)` features.
        query_labels: `(queries, classes)` multi-hot or `(queries,)` class ids.
        database_labels: the same of the database.

    Returns:
        `(queries,)` float64. Memory beside the arguments is about 200 MB at most.

    Raises:
        InputError: if shapes do not fit, or features are not finite.
    """
    if query.ndim != 2 or database.ndim != 2 or query.shape[1] != database.shape[1]:
        raise InputError(
            "features must be (n, dim) arrays of one dim for queries and database, got shapes "
            f"{query.shape} and {database.shape}"
        )
    if not len(query) or not len(database):
        raise InputError("ranking by cosine needs a query and a database item at least")
    labels = read_labels(query_labels, database_labels)
    for side, given, mine in zip(("query", "database"), (query, database), labels, strict=True):
        if len(given) != len(mine):
            raise InputError(f"{len(given)} {side} features have {len(mine)} labels: give one each")
    precision = np.empty(len(query))
    step = max(1, _BLOCK // len(database))
    for start in range(0, len(query), step):
        rows = slice(start, start + step)
        similarity = _cosines(_unit(query[rows], "query"), database)
        relevant = _relevance(labels[0][rows], labels[1])
        for place, (values, hits) in enumerate(zip(similarity, relevant, strict=True), start):
            precision[place] = _average_precision(values, hits)
    return precision


def _cosines(query: NDArray[np.float64], database: NDArray[Any]) -> NDArray[np.float64]:
    """`(queries, items)` rounded cosines of unit queries with the database."""
    found = np.empty((len(query), len(database)))
    for start in range(0, len(database), _ROWS):
        rows = slice(start, start + _ROWS)
        found[:, rows] = query @ _unit(database[rows], "database").T
    return np.round(found, _DECIMALS, out=found)


def _unit(rows: NDArray[Any], side: str) -> NDArray[np.float64]:
    values = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise InputError(f"{side} features hold NaN or infinity: remove or compute those anew")
    return values / np.where(lengths > 0, lengths, 1.0)


def _relevance(query: Labels, database: Labels) -> NDArray[np.bool_]:
    if query.ndim == 1:
        return np.asarray(query[:, None] == database)
    mine, theirs = (np.asarray(side > 0, dtype=np.float32) for side in (query, database))
    return np.asarray(mine @ theirs.T > 0)


def _average_precision(similarity: NDArray[np.float64], relevant: NDArray[np.bool_]) -> float:
    total = int(relevant.sum())
    if total == 0:
        return 0.0
    order = np.argsort(-similarity, kind="stable")
    ranked, hits = similarity[order], relevant[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    sizes = np.diff(np.r_[starts, len(ranked)])
    found = np.add.reduceat(hits.astype(np.int64), starts)
    return float(TiedRanking(sizes[None], found[None], "expected").gains.sum()) / total
