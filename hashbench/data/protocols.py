"""Protocols: how a data set is split into queries, training set and database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.seeds import derive

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Protocol:
    """How many images are drawn for what, and how.

    Queries are never in the database. Two protocols with the same numbers of
    queries and training images draw the same ones from the same seed.

    A protocol that changes in any way gets another version, and with it another
    id: results of the old one keep theirs.

    Attributes:
        name: what users call it.
        queries: number of query images.
        train: number of training images; None takes the whole database.
        train_in_database: whether the training images are searched too.
        summary: one line for listings.
        balanced: draw the same number for every class (the rarest class first
            where images have several), instead of uniformly.
        database: pinned number of database images, where the official files fix it.
        pins: `Split.digest` by seed, where the official files fix them.
        unlabelled: whether images without a label belong to the database; they are
            never queries or training images.
        version: counts the changes of the protocol.
        variant: name of the variation of the split that is drawn, see `variants`.
    """

    name: str
    queries: int
    train: int | None
    train_in_database: bool
    summary: str
    balanced: bool = False
    database: int | None = None
    pins: Mapping[int, str] = field(default_factory=dict, hash=False)
    unlabelled: bool = False
    version: int = 1
    variant: str = ""

    @property
    def id(self) -> str:
        """Stable name, part of every result's key."""
        return self.name if self.version == 1 else f"{self.name}.{self.version}"

    def draw(
        self, labels: NDArray[np.uint8], seed: int, queries: Rows | None = None
    ) -> tuple[Rows, Rows, Rows]:
        """Query, training and database rows, each in random order.

        Args:
            labels: `(n, classes)` multi-hot labels of all images.
            seed: root seed of the draw.
            queries: rows of the query images, where the official files say which they are.

        Raises:
            InputError: if there are too few images, overall or of one class.
        """
        order = permutation(len(labels), derive(seed, "split"))
        wanted = (self.queries if queries is None else len(queries)) + (self.train or 0)
        if wanted >= len(labels):
            raise InputError(
                f"protocol {self.id} needs more than {wanted:,} images "
                f"and the data set has {len(labels):,}: prepare the whole data set"
            )
        take = self._balanced if self.balanced else self._uniform
        # Where images without a label are kept, they go straight to the database.
        drawn = order[labels[order].any(axis=1)] if self.unlabelled else order
        if queries is None:
            query = take(drawn, labels, self.queries)
            rest = _without(order, query)
        else:
            query = drawn[np.isin(drawn, queries)]
            rest = _without(order, queries)
        if self.train is None:
            return query, rest[np.isin(rest, drawn)], rest
        train = take(rest[np.isin(rest, drawn)], labels, self.train)
        return query, train, rest if self.train_in_database else _without(rest, train)

    def _uniform(self, order: Rows, labels: NDArray[np.uint8], count: int) -> Rows:
        return order[:count]

    def _balanced(self, order: Rows, labels: NDArray[np.uint8], count: int) -> Rows:
        classes = labels.shape[1]
        quota, remainder = divmod(count, classes)
        if remainder:
            raise InputError(
                f"protocol {self.id} draws {count:,} images in equal parts "
                f"and cannot for {classes} classes"
            )
        taken = np.zeros(len(labels), dtype=bool)
        for label in np.argsort(labels.sum(axis=0, dtype=np.int64), kind="stable"):
            mine = order[(labels[order, label] > 0) & ~taken[order]][:quota]
            if len(mine) < quota:
                raise InputError(
                    f"protocol {self.id} needs {quota:,} images of class {label} "
                    f"and finds {len(mine):,}: prepare the whole data set"
                )
            taken[mine] = True
        return order[taken[order]]


def permutation(count: int, seed: int) -> Rows:
    """A random order of `range(count)`.

    Sorting raw PCG64 output rather than `Generator.permutation`: NumPy promises
    the raw stream never changes between releases, and the split must not.
    """
    return np.argsort(np.random.PCG64(seed).random_raw(count), kind="stable").astype(np.int64)


def _without(order: Rows, taken: Rows) -> Rows:
    return order[~np.isin(order, taken)]
