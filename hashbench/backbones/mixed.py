"""Features of mixtures of items, from the features of the items."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.data.mixed import MixedSource

#: Where a mixture lies between its item and its partner.
SHARE = 0.5

#: Rows that are mixed at a time: what is at hand stays in the processor's cache.
BLOCK = 512


class MixedTable:
    """The `(mixtures, dim)` features of a `MixedSource`, computed as they are asked for.

    Args:
        source: what is mixed with what.
        table: `(len(source.base), dim)` float32 features of what is mixed.
    """

    def __init__(self, source: MixedSource, table: NDArray[np.float32]) -> None:
        self.source = source
        features = np.asarray(table[source.rows], np.float64)
        counts = np.bincount(source.group)
        sums = np.zeros((len(counts), features.shape[1]))
        np.add.at(sums, source.group, features)
        means = sums / counts[:, None]
        self.means = means.astype(np.float32)
        self.around = (features - means[source.group]).astype(np.float32)
        self.shape = (len(source), features.shape[1])
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: NDArray[np.integer] | slice) -> NDArray[np.float32]:
        """The rows at these positions (or a slice of them), a copy."""
        index = np.arange(len(self))[rows]
        found = np.empty((*index.shape, self.shape[1]), np.float32)
        scale = math.hypot(1 - SHARE, SHARE)
        own, others = np.float32((1 - SHARE) / scale), np.float32(SHARE / scale)
        for start in range(0, len(index), BLOCK):
            mine = index[start : start + BLOCK]
            one, other = self.source.first[mine], self.source.second[mine]
            mixed = found[start : start + BLOCK]
            np.multiply(self.around[one], own, out=mixed)
            mixed += self.around[other] * others
            mixed += self.means[self.source.group[one]]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows."""
        return np.asarray(self[:], dtype=dtype)
