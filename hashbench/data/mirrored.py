"""Mirror images: a training set with each of its images a second time, left and right exchanged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hashbench.data.joined import JoinedSource
from hashbench.data.split import Split
from hashbench.items import ImageSource, Items, TrainItems, rows_of, source_of
from hashbench.parsing import in_number

#: Mirror images of a name that no data set's images have.
PREFIX = "mirror image of"


@dataclass(frozen=True, eq=False)
class MirroredSource:
    """Images of another source, left and right exchanged.

    Attributes:
        base: the images of the data set.
        rows: `(images,)` int64 rows of `base` that are mirrored.
    """

    base: ImageSource
    rows: NDArray[np.int64]

    @cached_property
    def ids(self) -> list[str]:
        """The ids of the images, told apart from theirs."""
        names = self.base.ids
        return [f"{PREFIX} {names[row]}" for row in self.rows]

    @cached_property
    def fingerprint(self) -> str:
        """Digest of which images are mirrored, and of the images."""
        digest = hashlib.sha256(f"mirror images of {self.base.fingerprint}\n".encode())
        digest.update(self.rows.astype("<i8").tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, row: int) -> NDArray[np.uint8]:
        """Image `row` as `(height, width, 3)` uint8 RGB."""
        return np.ascontiguousarray(self.base.read(int(self.rows[row]))[:, ::-1])


def with_mirrored(split: Split) -> Split:
    """The split whose training set holds every image and its mirror image, of the same labels.

    Queries and database stay what they are, and are encoded as they are. Mirror images
    follow the images themselves, so that an item keeps its place.
    """
    train = split.train
    source, rows = source_of(train), rows_of(train)
    base = source
    if isinstance(source, JoinedSource) and rows.max() < len(source.parts[0]):
        base = source.parts[0]  # so that what else is joined changes no cached feature
    joined = JoinedSource([source, MirroredSource(base, rows)])
    both = np.concatenate([rows, np.arange(len(source), len(joined))])
    return replace(
        split,
        train=TrainItems(joined, both, labels=np.concatenate([train.labels, train.labels])),
        query=Items(joined, rows_of(split.query)),
        database=Items(joined, rows_of(split.database)),
        notes=(
            *split.notes,
            f"{in_number(len(rows), 'mirror image', 'mirror images')} among the training items.",
        ),
    )
