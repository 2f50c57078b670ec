"""Rankings in storage order, counted as the database is read instead of sorted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hashbench.codes import Codes
from hashbench.evaluation import backends
from hashbench.evaluation.histograms import Histograms
from hashbench.evaluation.labels import Labels
from hashbench.evaluation.ranking import Ranked, Wanted
from hashbench.evaluation.ties import Top
from hashbench.evaluation.words import class_ids, code_words, label_columns

#: Pairs from which a sort a query takes longer than to have the kernel compiled once.
WORTH_IT = 10_000_000


def rank_stored(
    query: Codes,
    database: Codes,
    query_labels: Labels,
    database_labels: Labels,
    histograms: Histograms,
    wanted: Sequence[Wanted],
) -> list[Ranked] | None:
    """What `ranking.rank` gives for order "stable" by distance, to the last bit.

    Args:
        query: `queries` codes.
        database: `items` codes.
        query_labels: `(queries, classes)` multi-hot or `(queries,)` class ids.
        database_labels: the same of the database.
        histograms: the counts of these codes; of the ball alone, if no list is
            wanted.
        wanted: what to read.

    Returns:
        One `Ranked` for each of `wanted`; None where there is nothing compiled, or
        too little to count for it.
    """
    kernel = backends.numba_kernel() if len(query) * len(database) >= WORTH_IT else None
    if kernel is None:
        return None
    (mine, single), (theirs, _) = map(label_columns, (query_labels, database_labels))
    if not single:
        alone = class_ids(mine, "query"), class_ids(theirs, "item")
        if alone[0] is not None and alone[1] is not None:
            (mine, theirs), single = (alone[0], alone[1]), True
    codes, labels = (np.ascontiguousarray(part.T) for part in (code_words(query.packed), mine))
    items = code_words(database.packed)
    lengths = np.array(sorted({n for item in wanted for n in item.lengths}), np.int64)
    firsts = np.array(sorted({n for item in wanted for n in item.firsts}), np.int64)
    total, relevant = histograms.total, histograms.relevant
    queries, bins = total.shape
    gains = np.zeros((queries, bins))
    sums, hits = np.zeros((queries, len(lengths))), np.zeros((queries, len(lengths)))
    first_sums = np.zeros((queries, len(firsts)))

    every = relevant.sum(axis=1)
    most = int(every.max())

    def part(rows: slice) -> None:
        kernel.rank_stored(
            codes[rows],
            labels[rows],
            items,
            theirs,
            single,
            total[rows],
            relevant[rows],
            histograms.near,
            most,
            (lengths, firsts),
            (gains[rows], sums[rows], hits[rows], first_sums[rows]),
        )

    backends.over_rows(part, queries)
    ranked = []
    for item in wanted:
        top, first = {}, {}
        for n in item.lengths:
            at = int(np.searchsorted(lengths, n))
            bound = {"hits": hits[:, at], "min": np.minimum(every, n), "total": every}
            top[n] = Top(sums[:, at] / np.maximum(1, bound[item.denominator]), hits[:, at])
        for n in item.firsts:
            found = np.minimum(every, n)
            at = int(np.searchsorted(firsts, n))
            first[n] = Top(first_sums[:, at] / np.maximum(1, found), found.astype(np.float64))
        ranked.append(Ranked(gains, np.zeros(queries), top, first))
    return ranked
