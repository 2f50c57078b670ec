"""Distance histograms: the two counts a query from which scores are computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.evaluation import backends
from hashbench.evaluation.words import Columns, class_ids, code_words, item_columns, label_columns

#: Bytes of temporaries, whatever the size of the database.
BUDGET = 512 << 20
#: Equal items are counted once where that leaves at most this share of them.
WORTH_GROUPING = 0.8
#: Below this many queries, finding equal items costs more than it saves.
FEW_QUERIES = 64


@dataclass(frozen=True, eq=False)
class Histograms:
    """How many database items lie at each Hamming distance of each query.

    Attributes:
        total: `(queries, bins)` int64, items at each distance.
        relevant: `(queries, bins)` int64, those of them that share a label
            with the query.
        near: whether the last bin holds all greater distances as well; else
            there are `bits + 1` bins.
    """

    total: NDArray[np.int64]
    relevant: NDArray[np.int64]
    near: bool = False

    def __add__(self, other: Histograms) -> Histograms:
        """Histograms over two shards of a database."""
        return Histograms(self.total + other.total, self.relevant + other.relevant, self.near)

    def within(self, distance: int) -> Histograms:
        """The same without bins beyond a distance that no item can exceed."""
        if self.total.shape[1] <= distance + 1:
            return self
        bins = slice(0, distance + 1)
        return Histograms(self.total[:, bins], self.relevant[:, bins])


def count(
    query: Codes,
    database: Codes,
    query_labels: NDArray[Any],
    database_labels: NDArray[Any],
    *,
    reach: int | None = None,
    engine: str = "auto",
    budget: int = BUDGET,
) -> Histograms:
    """Count the database items, and the relevant ones, at each distance.

    Memory stays within about `budget` bytes beyond the arguments and the
    result: the database is read in shards, which may come from memory maps.

    Args:
        query: `queries` codes.
        database: `items` codes.
        query_labels: `(queries, classes)` multi-hot, or `(queries,)`
            whole-numbered class ids.
        database_labels: the same of the database.
        reach: the greatest distance of interest; None for all.
        engine: "auto", or see `backends.choose`.
        budget: bytes of temporaries.
    """
    near = reach is not None and reach + 1 < query.bits
    bins = reach + 2 if near and reach is not None else query.bits + 1
    name, add = backends.choose(engine, len(query) * len(database))
    kernel = backends.loaded_kernel() if name == "numpy" else backends.numba_kernel()
    labels, single = label_columns(query_labels)
    mine, back = _group_queries(Columns(code_words(query.packed), labels, None, single), kernel)
    # With one label a query and item, class ids take the place of bits.
    ids = None if single else class_ids(mine.labels, "query")
    out = np.zeros((mine.codes.shape[1], 2 * bins), np.int64)
    for part in shards(database, database_labels, budget):
        columns, labels = mine, database_labels[part]
        labels, single = label_columns(labels) if ids is None else item_columns(labels)
        if ids is not None and single:
            columns = Columns(mine.codes, ids, None, True)
        shard = Columns(code_words(database.packed[part]), labels, None, single)
        if len(out) >= FEW_QUERIES:
            shard = _group_items(shard, kernel)
        add(columns, shard, out, near)
    total, relevant = out[:, ::2] + out[:, 1::2], np.ascontiguousarray(out[:, 1::2])
    if back is not None:
        total, relevant = total[back], relevant[back]
    return Histograms(total, relevant, near)


def shards(database: Codes, labels: NDArray[Any], budget: int = BUDGET) -> Iterator[slice]:
    """Consecutive parts of the database whose counting fits the budget."""
    classes = labels.shape[1] if labels.ndim == 2 else 64
    width = database.packed.shape[1]
    per_item = 2 * classes + 4 * (width + classes // 8 + 16) + 96
    size = max(1, budget // per_item)
    for start in range(0, len(database), size):
        yield slice(start, min(start + size, len(database)))


def _group_queries(
    columns: Columns, kernel: Any | None
) -> tuple[Columns, NDArray[np.int64] | None]:
    """Each different query once, and where each query's row is found."""
    grouped = _equal(columns, kernel)
    if grouped is None:
        return columns, None
    first, group, _ = grouped
    return _pick(columns, first, None), group


def _group_items(columns: Columns, kernel: Any | None) -> Columns:
    """Each different (code, label set) pair once, weighted, if that pays."""
    grouped = _equal(columns, kernel)
    if grouped is None or len(grouped[0]) > WORTH_GROUPING * columns.codes.shape[1]:
        return columns
    return _pick(columns, grouped[0], grouped[2])


def _pick(columns: Columns, at: NDArray[np.int64], weights: NDArray[np.int64] | None) -> Columns:
    codes, labels = (np.ascontiguousarray(part[:, at]) for part in columns[:2])
    return Columns(codes, labels, weights, columns.single)


def _equal(
    columns: Columns, kernel: Any | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] | None:
    """First row, group of each row, and size of the groups; None without a kernel."""
    if kernel is None:
        return None
    rows = np.ascontiguousarray(np.concatenate([columns.codes, columns.labels]).T)
    first, group, size = kernel.group_equal(rows)
    return first, group, size
