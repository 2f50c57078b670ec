"""The ceiling: retrieval by cosine of the features themselves, before anything is hashed."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.evaluation.labels import Labels, read_labels
from hashbench.evaluation.ties import group_gain
from hashbench.parsing import in_number

#: Similarities held at once, of some queries with the whole database.
_BLOCK = 1 << 23
#: Database rows brought to float64 at once.
_ROWS = 512
#: Decimals of a cosine: products of equal rows may differ by rounding, and are ties.
_DECIMALS = 9


class Rows(Protocol):
    """`(n, dim)` numbers of which some rows at a time are read, such as an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Their number and width."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> NDArray[Any]: ...


def cosine_map(
    query: Rows,
    database: Rows,
    query_labels: NDArray[Any],
    database_labels: NDArray[Any],
) -> float:
    """Mean average precision of ranking the database by cosine; see `cosine_precision`."""
    return float(cosine_precision(query, database, query_labels, database_labels).mean())


def cosine_precision(
    query: Rows,
    database: Rows,
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
    if len(query.shape) != 2 or len(database.shape) != 2 or query.shape[1] != database.shape[1]:
        raise InputError(
            "features must be (n, dim) arrays of one dim for queries and database, got shapes "
            f"{query.shape} and {database.shape}"
        )
    if not len(query) or not len(database):
        raise InputError("ranking by cosine needs a query and a database item at least")
    labels = read_labels(query_labels, database_labels)
    for side, given, mine in zip(("query", "database"), (query, database), labels, strict=True):
        if len(given) != len(mine):
            raise InputError(
                f"{in_number(len(given), f'{side} feature has', f'{side} features have')} "
                f"{len(mine)} labels: give one each"
            )
    precision = np.empty(len(query))
    step = max(1, _BLOCK // len(database))
    for start in range(0, len(query), step):
        rows = slice(start, start + step)
        similarity = _cosines(_unit(query[rows], "query"), database)
        relevant = _relevance(labels[0][rows], labels[1])
        for place, (values, hits) in enumerate(zip(similarity, relevant, strict=True), start):
            precision[place] = _average_precision(values, hits)
    return precision


def _cosines(query: NDArray[np.float64], database: Rows) -> NDArray[np.float64]:
    """`(queries, items)` cosines of unit queries with the database."""
    found = np.empty((len(query), len(database)))
    for start in range(0, len(database), _ROWS):
        rows = slice(start, start + _ROWS)
        found[:, rows] = query @ _unit(database[rows], "database").T
    return found


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
    # Whole numbers that carry the relevance in their last bit: sorting those moves no pairs.
    keys = np.rint(similarity * -(10**_DECIMALS)).astype(np.int64) << 1
    keys |= relevant
    keys.sort()
    hits, value = keys & 1, keys >> 1
    starts = np.flatnonzero(np.r_[True, value[1:] != value[:-1]])
    found = np.add.reduceat(hits, starts)
    counts = found > 0
    sizes = np.diff(np.r_[starts, len(keys)])[counts]
    before = (np.cumsum(hits) - hits)[starts][counts]
    gains = group_gain(starts[counts], before, sizes, found[counts], "expected")
    return float(gains.sum()) / total
