"""Mixtures of items: a small database inflated to the size of a large one, in feature space."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.items import ImageSource, TrainItems, rows_of, source_of

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MixedSource:
    """Items between two others of the same label set; they have features and no images.

    Item i lies halfway between item `first[i]` and its partner `second[i]`, as far from
    the mean of their label set as such items lie: with features x and x' and their mean m

        m + ((1 - t)(x - m) + t(x' - m)) / sqrt((1 - t)^2 + t^2),    t = 1/2

    which keeps mean and covariance of the label set. An item that is alone with its label
    set is its own partner, and stays what it is.

    Attributes:
        base: the images of the data set.
        rows: `(items,)` int64 rows of `base` that are mixed.
        group: `(items,)` int64 number of each one's label set.
        first: `(mixtures,)` int64 positions within `rows`.
        second: `(mixtures,)` int64 likewise.
    """

    base: ImageSource
    rows: Rows
    group: Rows
    first: Rows
    second: Rows

    @classmethod
    def draw(cls, items: TrainItems, size: int, seed: int) -> Self:
        """`size` mixtures of labelled items, each of these as often as any other.

        Args:
            items: the items, with labels.
            size: how many mixtures.
            seed: of the draw of partners.
        """
        rng = np.random.default_rng(seed)
        _, found = np.unique(items.labels, axis=0, return_inverse=True)
        group = found.ravel().astype(np.int64)
        first = np.asarray(np.arange(size) % len(items), np.int64)
        by_group = np.argsort(group, kind="stable")
        place = np.empty_like(by_group)
        place[by_group] = np.arange(len(group))
        counts = np.bincount(group)
        start = np.concatenate([[0], np.cumsum(counts)[:-1]])
        others = counts[group[first]] - 1
        # A step of 1 to `others` round the item's own group never ends on the item itself.
        step = 1 + np.floor(rng.random(size) * others).astype(np.int64)
        begin = start[group[first]]
        second = np.asarray(
            by_group[begin + (place[first] - begin + step) % (others + 1)], np.int64
        )
        return cls(source_of(items), rows_of(items), group, first, second)

    @cached_property
    def ids(self) -> list[str]:
        """The two ids and the number of the mixture: unique."""
        names = [self.base.ids[row] for row in self.rows]
        pairs = zip(self.first, self.second, strict=True)
        return [f"mixture {at}: {names[a]} + {names[b]}" for at, (a, b) in enumerate(pairs)]

    @cached_property
    def fingerprint(self) -> str:
        """Digest of what is mixed with what, and of the images behind it."""
        digest = hashlib.sha256(f"mixtures of {self.base.fingerprint}".encode())
        for part in (self.rows, self.group, self.first, self.second):
            digest.update(f"\n{len(part)}\n".encode() + part.astype("<i8").tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.first)

    def read(self, row: int) -> NDArray[np.uint8]:
        """There are no pixels between two images."""
        raise InputError(f"{self.ids[row]} has features and no image: tune without inflation")
