"""A split: what a hasher learns from and encodes, and the labels it never sees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hashbench.items import FeatureTable, Items, TrainItems, ids_of

#: Positions within the queries and within the database.
View = tuple[NDArray[np.int64], NDArray[np.int64]]

#: Name of the view that the plain score is of.
PLAIN = ""


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
        notes: what a reader of the scores must know (images left out, overlaps
            that were allowed by name), one sentence each.
        views: parts of the split that are scored by themselves, by name: positions
            within `query` and within `database`, `(n,)` int64 each. Empty for most
            protocols. Under the name `PLAIN` stands what the plain score is of,
            where that is not every query over the whole database.
    """

    train: TrainItems
    query: Items
    database: Items
    query_labels: NDArray[np.uint8]
    database_labels: NDArray[np.uint8]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    views: Mapping[str, View] = field(default_factory=dict)

    def with_features(self, table: FeatureTable, backbone: str = "") -> Self:
        """The same split with features of a backbone, from `table`, bound to all three parts."""
        return replace(
            self,
            train=self.train.with_features(table, backbone),
            query=self.query.with_features(table, backbone),
            database=self.database.with_features(table, backbone),
        )

    @cached_property
    def ids_sha256(self) -> str:
        """Hex digest of the three lists of ids, in order: which images, not what they are."""
        digest = hashlib.sha256()
        for name, items in self._parts.items():
            digest.update("\n".join([name, *ids_of(items), ""]).encode())
        return digest.hexdigest()

    @cached_property
    def digest(self) -> str:
        """Hex digest of everything scores are a function of beside codes.

        That is the ids and labels of the three parts, the names of the classes and the
        views, all in order. What the images show is in `ImageSource.fingerprint`.
        """
        digest = hashlib.sha256(self.ids_sha256.encode())
        labels = (self.query_labels, self.train.labels, self.database_labels)
        for name, part in zip(self._parts, labels, strict=True):
            digest.update(f"\n{name} {part.shape}\n".encode())
            digest.update(np.ascontiguousarray(part != 0).data)
        digest.update("\n".join(["", *self.classes]).encode())
        for name, positions in self.views.items():
            digest.update(f"\n{name}\n".encode())
            for rows in positions:
                digest.update(f"{len(rows)}\n".encode() + rows.astype("<i8").tobytes())
        return digest.hexdigest()

    @property
    def _parts(self) -> dict[str, Items]:
        return {"query": self.query, "train": self.train, "database": self.database}

    @property
    def counts(self) -> dict[str, int]:
        """How many query, training and database images there are."""
        return {name: len(items) for name, items in self._parts.items()}
