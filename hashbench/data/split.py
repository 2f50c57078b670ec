"""A split: what a hasher learns from and encodes, and the labels it never sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hashbench.items import FeatureTable, Items, TrainItems


@dataclass(frozen=True, eq=False)
class Split:
    """Training, query and database items of one protocol of one data set.

    Attributes:
        train: items and labels a hasher may learn from.
        query: items to encode as queries.
        database: items to encode and to search in.
        query_labels: `(queries, classes)` uint8 multi-hot, for the evaluator only.
        database_labels: `(database, classes)` uint8 multi-hot, likewise.
        classes: class names, in label order.
        sha256: hex digest of the three id lists, in order.
        notes: what a reader of the scores must know (images left out, overlaps
            that were allowed by name), one sentence each.
    """

    train: TrainItems
    query: Items
    database: Items
    query_labels: NDArray[np.uint8]
    database_labels: NDArray[np.uint8]
    classes: tuple[str, ...]
    sha256: str
    notes: tuple[str, ...] = ()

    def with_features(self, table: FeatureTable, backbone: str = "") -> Self:
        """The same split with features of a backbone, from `table`, bound to all three parts."""
        return replace(
            self,
            train=self.train.with_features(table, backbone),
            query=self.query.with_features(table, backbone),
            database=self.database.with_features(table, backbone),
        )

    @property
    def counts(self) -> dict[str, int]:
        """How many query, training and database images there are."""
        return {"query": len(self.query), "train": len(self.train), "database": len(self.database)}
