"""Images of several sources as one: a data set, and what a protocol adds to it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hashbench.items import ImageSource


class JoinedSource:
    """The images of several sources, one source after the other.

    Features are extracted and cached source by source, so that what is added to a
    data set costs no second extraction of the data set.

    Args:
        parts: the data set itself, then what is added; ids are unique among all.
    """

    def __init__(self, parts: Sequence[ImageSource]) -> None:
        self.parts: tuple[ImageSource, ...] = tuple(
            inner
            for part in parts
            for inner in (part.parts if isinstance(part, JoinedSource) else (part,))
        )
        self.ids = [name for part in self.parts for name in part.ids]
        self.starts = np.cumsum([0, *map(len, self.parts)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def read(self, row: int) -> NDArray[np.uint8]:
        """Image `row` as `(height, width, 3)` uint8 RGB."""
        part = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.parts[part].read(row - int(self.starts[part]))

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the fingerprints of the parts, in order."""
        return hashlib.sha256(
            "\n".join(part.fingerprint for part in self.parts).encode()
        ).hexdigest()
