"""Items: what a hasher is given. Images and their features, never their labels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError, shown
from hashbench.given import given, positions


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
    """An ordered set of images: opaque tokens, lazily decoded pixels, cached features.

    What a data set knows of them besides (file names, their place in it) may tell a class, so
    methods are given none of it; the house itself asks `source_of` and `rows_of`.

    Attributes:
        backbone: name of the backbone of the features, for hashers that train it from pixels;
            empty until one has been bound with `with_features`.

    Example:
        >>> import numpy as np
        >>> from hashbench.items import items_from_features
        >>> items = items_from_features(np.eye(3))
        >>> len(items), items.subset([2, 0]).features().tolist()
        (3, [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    """

    _source: ImageSource
    _rows: NDArray[np.int64]
    _table: FeatureTable | None = None
    backbone: str = ""

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def tokens(self) -> list[str]:
        """One opaque, unique text per item, in order; the same on every machine."""
        ids = self._source.ids
        return [hashlib.sha256(ids[row].encode()).hexdigest()[:16] for row in self._rows]

    def image(self, index: int) -> NDArray[np.uint8]:
        """Item `index` as `(height, width, 3)` uint8 RGB."""
        return self._source.read(int(self._rows[index]))

    def features(self) -> NDArray[np.float32]:
        """The `(n, dim)` float32 features under the cell's backbone, a copy.

        Raises:
            RuntimeError: if no backbone has been bound.
        """
        if self._table is None:
            raise RuntimeError("these items have no backbone: bind one with with_features()")
        return np.ascontiguousarray(self._table()[self._rows], dtype=np.float32)

    def with_features(self, table: FeatureTable, backbone: str = "") -> Self:
        """The same items with features from `table`, those of the backbone of that name."""
        return replace(self, _table=table, backbone=backbone)

    def subset(self, indices: NDArray[np.integer] | Sequence[int]) -> Self:
        """The items at `indices` (positions within these, a mask or a slice), in that order.

        Raises:
            InputError: for anything else.
        """
        return replace(self, _rows=self._rows[positions(indices, len(self))])

    def batches(self, size: int) -> Iterator[Self]:
        """These items in consecutive parts of at most `size`.

        Raises:
            InputError: if `size` is no whole number from 1.
        """
        if isinstance(size, bool) or not isinstance(size, Integral) or size < 1:
            raise InputError(f"batches have a whole number of items, from 1, not {shown(size, 40)}")
        for start in range(0, len(self), size):
            yield self.subset(np.arange(start, min(start + size, len(self))))


def no_labels(who: str, given: object) -> None:
    """Raise where a method is to learn from items that come without labels.

    Args:
        who: the method's name.
        given: what its `fit` was given, which is no `TrainItems`.

    Raises:
        InputError: if it is `Items`.
    """
    if isinstance(given, Items):
        raise InputError(f"{who} was given Items to learn from: give TrainItems, which have labels")


def demand_items(who: str, given: object) -> None:
    """Raise unless a method is given items to encode.

    Raises:
        InputError: naming what was given, and what takes it.
    """
    if not isinstance(given, Items):
        kind = type(given).__name__
        raise InputError(f"{who} encodes Items, not a {kind}: transform(X) takes arrays")


def source_of(items: Items) -> ImageSource:
    """The images of the data set that items are rows of: for the house, not for methods."""
    return items._source


def rows_of(items: Items) -> NDArray[np.int64]:
    """`(n,)` int64 rows of `source_of(items)`, in order: for the house, not for methods."""
    return items._rows


def ids_of(items: Items) -> list[str]:
    """The data set's own ids of items, in order: for the house, not for methods."""
    ids = items._source.ids
    return [ids[row] for row in items._rows]


@dataclass(frozen=True, eq=False)
class TrainItems(Items):
    """Items with labels: the training set, and nothing but the training set.

    Attributes:
        labels: `(n, classes)` uint8 multi-hot, read-only; two items are similar iff they
            share at least one positive label.

    Example:
        >>> import numpy as np
        >>> from hashbench.items import train_from_features
        >>> train = train_from_features(np.eye(2), np.array([[1, 0], [1, 1]]))
        >>> train.labels.tolist(), train.labels.flags.writeable
        ([[1, 0], [1, 1]], False)
    """

    labels: NDArray[np.uint8] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        labels = self.labels
        if not isinstance(labels, np.ndarray) or labels.ndim != 2 or len(labels) != len(self._rows):
            raise InputError(f"training labels must be ({len(self._rows)}, classes) multi-hot")
        # Over bytes, which nobody can make writable: cells of one process share these labels.
        fixed = np.frombuffer(self.labels.tobytes(), self.labels.dtype)
        object.__setattr__(self, "labels", fixed.reshape(self.labels.shape))

    def subset(self, indices: NDArray[np.integer] | Sequence[int]) -> Self:
        """The items and labels at `indices`, in that order, as `Items.subset`."""
        index = positions(indices, len(self))
        return replace(self, _rows=self._rows[index], labels=self.labels[index])

    def by_label_set(self, seed: int) -> NDArray[np.int64]:
        """Positions sorted by label set, shuffled within each by `seed`.

        Every k-th of them is a stratified sample, rare label sets included.
        """
        shuffle = np.random.default_rng(seed).permutation(len(self))
        _, group = np.unique(self.labels, axis=0, return_inverse=True)
        return shuffle[np.argsort(group[shuffle].ravel(), kind="stable")]

    def without_labels(self) -> Items:
        """The same items as a hasher sees them at encode time."""
        return Items(self._source, self._rows, self._table, self.backbone)

    def with_labels(self, labels: NDArray[np.uint8]) -> Self:
        """The same items with other labels, `(n, classes)` uint8."""
        return replace(self, labels=labels)


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


@dataclass(frozen=True, eq=False)
class ArrayTable:
    """A `FeatureTable` that is in memory, and goes where its items are sent."""

    table: NDArray[np.float32]

    def __call__(self) -> NDArray[np.float32]:
        """The table."""
        return self.table


def items_from_features(features: NDArray[np.floating], name: str = "array") -> Items:
    """Items over an `(n, dim)` array of features, for use without a data set.

    Raises:
        InputError: if the array is none of numbers, or has other than two dimensions.
    """
    values = given("features", features)
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise InputError(f"features must be numbers (n, dim), got {values.shape} {values.dtype}")
    table = np.ascontiguousarray(values, dtype=np.float32)
    return Items(ArraySource(len(table), name), np.arange(len(table)), ArrayTable(table))


def train_from_features(
    features: NDArray[np.floating], labels: NDArray[np.integer], name: str = "array"
) -> TrainItems:
    """Training items over `(n, dim)` features and `(n, classes)` multi-hot labels.

    Raises:
        InputError: as `items_from_features`, or for labels other than 0 and 1.
    """
    base = items_from_features(features, name)
    marks = given("labels", labels)
    if marks.dtype.kind not in "biuf" or not np.isin(marks, (0, 1)).all():
        raise InputError("labels of shape (n, classes) must be multi-hot: only 0 and 1")
    return TrainItems(base._source, base._rows, base._table, labels=marks.astype(np.uint8))
