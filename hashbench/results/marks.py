"""Which best scores are significantly best, from stored per-query scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.evaluation.statistics import LEVEL, compare_family
from hashbench.results.store import Store
from hashbench.results.tables import Table, row_labels


def significant(store: Store, table: Table, *, level: float = LEVEL) -> set[int]:
    """The code lengths at which the best row beats every other row significantly.

    Every two rows of a column are compared by one family of tests, see
    `statistics.compare_family`. Rows without per-query scores are no evidence:
    a column that has one gets no mark.
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
        scores = {}
        for row in [*best, *others]:
            matrix = _per_query(store, table, row, bits)
            if matrix is not None:
                scores[row] = matrix
        if len(scores) != 1 + len(others) or len({part.shape[1] for part in scores.values()}) > 1:
            continue
        against = [
            item
            for item in compare_family(scores).comparisons
            if best[0] in (item.first, item.second)
        ]
        if all(item.over_queries(level) for item in against):
            found.add(bits)
    return found


def _per_query(store: Store, table: Table, row: str, bits: int) -> NDArray[np.float64] | None:
    """`(seeds, queries)` scores of a row, None where not stored."""
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
    return np.stack(columns)
