"""Items: what a hasher is given. Images and their features, never their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray


class ImageSource(Protocol):
    """All images of a data set, in a fixed order; rows of it make `Items`."""

    @property
    def ids(self) -> Sequence[str]:
        """One unique, stable id per image."""

    @property
    def fingerprint(self) -> str:
        """Hex digest of the ids in order and of the images' content, wherever they are kept."""

    def __len__(self) -> int: ...

    def read(self, row: int) -> NDArray[np.uint8]:
        """Decode one image as `(height, width, 3)` uint8 RGB.

        Raises:
            InputError: if the image is missing, truncated or no image.
        """


#: Gives the `(len(source), dim)` float32 feature table, usually memory-mapped.
FeatureTable = Callable[[], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Items:
    """An ordered set of images: ids, lazily decoded pixels, cached features.

    Attributes:
        source: all images of the data set.
        rows: `(n,)` int64 rows of `source`, in order.
        table: where the features of the cell's backbone come from; None until
            a backbone has been bound with `with_features`.
        backbone: name of that backbone, for hashers that train it from pixels.
    """

    source: ImageSource
    rows: NDArray[np.int64]
    table: FeatureTable | None = None
    backbone: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def ids(self) -> list[str]:
        """The ids of these items, in order."""
        ids = self.source.ids
        return [ids[row] for row in self.rows]

    def image(self, index: int) -> NDArray[np.uint8]:
        """Item `index` as `(height, width, 3)` uint8 RGB."""
        return self.source.read(int(self.rows[index]))

    def features(self) -> NDArray[np.float32]:
        """The `(n, dim)` float32 features under the cell's backbone.

        Raises:
            RuntimeError: if no backbone has been bound.
        """
        if self.table is None:
            raise RuntimeError("these items have no backbone: bind one with with_features()")
        return np.ascontiguousarray(self.table()[self.rows], dtype=np.float32)

    def with_features(self, table: FeatureTable, backbone: str = "") -> Self:
        """The same items with features from `table`, those of the backbone of that name."""
        return replace(self, table=table, backbone=backbone)

    def subset(self, indices: NDArray[np.integer] | Sequence[int]) -> Self:
        """The items at `indices` (positions within these items), in that order."""
        return replace(self, rows=self.rows[np.asarray(indices, dtype=np.int64)])

    def batches(self, size: int) -> Iterator[Self]:
        """These items in consecutive parts of at most `size`."""
        for start in range(0, len(self), size):
            yield self.subset(np.arange(start, min(start + size, len(self))))


@dataclass(frozen=True, eq=False)
class TrainItems(Items):
    """Items with labels: the training set, and nothing but the training set.

    Attributes:
        labels: `(n, classes)` uint8 multi-hot; two items are similar iff they
            share at least one positive label.
    """

    labels: NDArray[np.uint8] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.labels is None or self.labels.ndim != 2 or len(self.labels) != len(self.rows):
            raise ValueError(f"training labels must be ({len(self.rows)}, classes) multi-hot")

    def subset(self, indices: NDArray[np.integer] | Sequence[int]) -> Self:
        """The items and labels at `indices`, in that order."""
        index = np.asarray(indices, dtype=np.int64)
        return replace(self, rows=self.rows[index], labels=self.labels[index])

    def by_label_set(self, seed: int) -> NDArray[np.int64]:
        """Positions sorted by label set, shuffled within each by `seed`.

        Every k-th of them is a stratified sample, rare label sets included.
        """
        shuffle = np.random.default_rng(seed).permutation(len(self))
        _, group = np.unique(self.labels, axis=0, return_inverse=True)
        return shuffle[np.argsort(group[shuffle].ravel(), kind="stable")]

    def without_labels(self) -> Items:
        """The same items as a hasher sees them at encode time."""
        return Items(self.source, self.rows, self.table, self.backbone)


class ArraySource:
    """An `ImageSource` for features that have no images, such as plain arrays."""

    def __init__(self, count: int, name: str = "array") -> None:
        self.ids: Sequence[str] = [f"{name}/{row}" for row in range(count)]
        self.fingerprint = f"{name}-{count}"

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, row: int) -> NDArray[np.uint8]:
        """There are no pixels behind an array of features."""
        raise RuntimeError(f"{self.ids[row]} is a row of features and has no image")


def items_from_features(features: NDArray[np.floating], name: str = "array") -> Items:
    """Items over an `(n, dim)` array of features, for use without a data set."""
    table = np.ascontiguousarray(features, dtype=np.float32)
    return Items(ArraySource(len(table), name), np.arange(len(table)), lambda: table)


def train_from_features(
    features: NDArray[np.floating], labels: NDArray[np.integer], name: str = "array"
) -> TrainItems:
    """Training items over `(n, dim)` features and `(n, classes)` multi-hot labels."""
    base = items_from_features(features, name)
    return TrainItems(base.source, base.rows, base.table, labels=np.asarray(labels, np.uint8))
