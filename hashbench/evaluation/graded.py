"""How many labels the items at each distance share with each query."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.evaluation.backends import over_rows
from hashbench.evaluation.histograms import Histograms
from hashbench.evaluation.labels import Labels
from hashbench.evaluation.words import code_words, label_words

#: Items looked at together, to bound memory.
ITEMS = 1 << 18


@dataclass(frozen=True, eq=False)
class Grades:
    """Items by distance and by the number of labels they share with the query.

    Attributes:
        joint: `(queries, bins, levels)` int64; level s shares s labels.
    """

    joint: NDArray[np.int64]

    @cached_property
    def shared(self) -> NDArray[np.int64]:
        """`(queries, bins)` labels shared by the items at each distance, in all."""
        return np.asarray(self.joint @ np.arange(self.joint.shape[2]))

    @property
    def histograms(self) -> Histograms:
        """Items, and those that share any label, at each distance."""
        return Histograms(self.joint.sum(axis=2), self.joint[:, :, 1:].sum(axis=2))


def count_grades(
    query: Codes, database: Codes, query_labels: Labels, database_labels: Labels
) -> Grades:
    """Count the database items by distance and by labels shared.

    Args:
        query: `queries` codes.
        database: `items` codes.
        query_labels: `(queries, classes)` multi-hot or `(queries,)` class ids.
        database_labels: the same of the database.
    """
    ids = query_labels.ndim == 1
    most = 1 if ids else int((query_labels > 0).sum(axis=1).max(initial=0))
    bins, levels = query.bits + 1, most + 1
    joint = np.zeros((len(query), bins * levels), np.int64)
    codes = code_words(query.packed)
    labels = query_labels[None] if ids else label_words(query_labels)
    for start in range(0, len(database), ITEMS):
        rows = slice(start, start + ITEMS)
        items = code_words(database.packed[rows])
        part = np.asarray(database_labels[rows])
        theirs = part[None] if ids else label_words(part)

        def add(
            some: slice,
            items: NDArray[np.uint64] = items,
            theirs: NDArray[np.uint64] = theirs,
        ) -> None:
            for row in range(*some.indices(len(query))):
                key = np.zeros(items.shape[1], np.int64)
                for word, column in zip(codes[:, row], items, strict=True):
                    key += np.bitwise_count(column ^ word)
                key *= levels
                for word, column in zip(labels[:, row], theirs, strict=True):
                    key += (column == word) if ids else np.bitwise_count(column & word)
                joint[row] += np.bincount(key, minlength=bins * levels)

        over_rows(add, len(query))
    return Grades(joint.reshape(len(query), bins, levels))
