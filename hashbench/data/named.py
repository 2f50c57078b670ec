"""Images of which only the names are known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError


class NamedSource:
    """Images of which only the ids are known; an `ImageSource` that cannot be read.

    Args:
        ids: one unique, stable id per image.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, row: int) -> NDArray[np.uint8]:
        """There are no pixels.

        Raises:
            InputError: always.
        """
        raise InputError(f"{self.ids[row]} is known by name alone: prepare its data set")

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the ids in order."""
        return hashlib.sha256("\n".join(["names", *self.ids]).encode()).hexdigest()
