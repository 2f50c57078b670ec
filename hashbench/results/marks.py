"""Which best scores are significantly best, from stored per-query scores."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.evaluation.significance import holm, paired_test
from hashbench.results.store import Store
from hashbench.results.tables import Table, row_labels

LEVEL = 0.05


def significant(store: Store, table: Table, *, level: float = LEVEL) -> set[int]:
    """The code lengths at which the best row beats every other row significantly.

    Each query's scores are averaged over the seeds of a row, then the best row
    is compared with every other by a paired randomisation test, with Holm's
    correction over the comparisons of a column. Rows without per-query scores
    are no evidence: a column that has one gets no mark.
    """
    found = set()
    for bits in table.bits:
        best = [row for row in table.rows if table.rank(row, bits) == 1]
        others = [
            row
            for row in table.rows
            if row not in best and (row, bits) in table.entries and table.entries[row, bits].values
        ]
        if len(best) != 1 or not others:
            continue
        scores = {row: _per_query(store, table, row, bits) for row in [*best, *others]}
        mine = scores[best[0]]
        theirs = [scores[row] for row in others]
        if mine is None or any(other is None or len(other) != len(mine) for other in theirs):
            continue
        p_values = [paired_test(mine, other) for other in theirs if other is not None]
        if max(holm(p_values)) <= level:
            found.add(bits)
    return found


def _per_query(store: Store, table: Table, row: str, bits: int) -> NDArray[np.float64] | None:
    """`(queries,)` scores of a row averaged over its seeds, None where not stored."""
    labels = row_labels(table.records)
    columns = []
    for record in table.records:
        if not record.ok or labels[record.key] != row or int(record.cell["bits"]) != bits:
            continue
        try:
            arrays = store.per_query(record)
        except InputError:
            return None
        name = f"{table.convention}|{table.metric}"
        if name not in arrays:
            return None
        columns.append(arrays[name])
    if not columns or len({len(column) for column in columns}) != 1:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a query no seed counts stays NaN
        return np.asarray(np.nanmean(np.stack(columns), axis=0))
