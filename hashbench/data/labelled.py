"""Every image of a data set with its labels, held to what the two must be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.data.protocols import Rows
from hashbench.errors import InputError, shown
from hashbench.given import given
from hashbench.items import ImageSource
from hashbench.parsing import in_number


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Every image of a data set with its labels.

    Attributes:
        source: the images.
        labels: `(len(source), classes)` uint8 multi-hot; may be given as 0 and 1, or as -1 and
            1, of any type.
        classes: class names, in label order.
        notes: what a reader of scores on these images must know.
        parts: query, training and database rows where the files themselves fix
            them; the protocol draws them otherwise.
        queries: query rows where the files fix them alone.
        looked: folders the images were looked for in, if there are several.

    Raises:
        InputError: for labels that are no such array, other numbers of classes or of images, ids
            that are not unique, or rows of parts that are none.
    """

    source: ImageSource
    labels: NDArray[np.uint8]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    parts: tuple[Rows, Rows, Rows] | None = None
    queries: Rows | None = None
    looked: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", _multi_hot(self.labels, len(self.source), self.classes))
        ids = self.source.ids
        if len(set(ids)) != len(ids):
            twice = Counter(ids).most_common(1)[0][0]
            raise InputError(f"two images have the id {shown(twice)}: give each one of its own")
        for rows in (*(self.parts or ()), *(() if self.queries is None else (self.queries,))):
            found = np.asarray(rows)
            if len(found) and not (
                found.dtype.kind in "iu" and 0 <= found.min() <= found.max() < len(self.source)
            ):
                raise InputError(
                    f"parts and queries must be rows of the {len(self.source):,} images, from 0 on"
                )


def _multi_hot(labels: Any, count: int, classes: tuple[str, ...]) -> NDArray[np.uint8]:
    """Labels as multi-hot uint8; what is that already stays the very array.

    Raises:
        InputError: saying what they are instead.
    """
    array = given("labels of a data set", labels)
    if array.shape != (count, len(classes)):
        kinds = in_number(len(classes), "class", "classes")
        of = f"{in_number(count, 'image', 'images')} and {kinds}"
        raise InputError(
            f"labels of a data set must be multi-hot, ({count:,}, {len(classes)}) of {of}, got "
            f"shape {array.shape}: of class ids give np.eye(classes, dtype=np.uint8)[ids]"
        )
    if array.dtype == np.uint8 and array.max(initial=0) <= 1:
        return array
    if array.dtype.kind not in "biuf":
        raise InputError(f"labels of a data set must be numbers, got {array.dtype}")
    if not any(np.isin(array, pair).all() for pair in ((0, 1), (-1, 1))):
        odd = array[~np.isin(array, (-1, 0, 1))]
        told = f"they hold {odd[0]}" if len(odd) else "they hold 0 and -1"
        raise InputError(f"labels of a data set must be 0 and 1, or -1 and 1, but {told}")
    return np.asarray(array > 0, np.uint8)
