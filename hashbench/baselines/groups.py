"""The similarity matrix of a training set, without ever holding it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class LabelGroups:
    """Items grouped by equal label vectors.

    Similarity depends on labels alone, so the `(n, n)` matrix S is decided by
    the much smaller one between groups: 10 groups for CIFAR-10, a few thousand
    for multi-label sets of 10,500 images.

    Attributes:
        index: `(n,)` int64 group of each item.
        similar: `(groups, groups)` float64; 1 where the groups share at least
            one positive label, else 0.
    """

    index: NDArray[np.int64]
    similar: NDArray[np.float64]

    @classmethod
    def of(cls, labels: NDArray[np.integer]) -> Self:
        """The groups of `(n, classes)` multi-hot labels."""
        unique, index = np.unique(np.asarray(labels) > 0, axis=0, return_inverse=True)
        shared = unique.astype(np.float32) @ unique.T.astype(np.float32)
        return cls(index.ravel().astype(np.int64), (shared > 0).astype(np.float64))

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.similar)

    def sums(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum `(n, k)` values over each group: `(groups, k)`."""
        return self._membership @ np.asarray(values, dtype=np.float64)

    @cached_property
    def _membership(self) -> csr_array:
        n = len(self.index)
        return csr_array((np.ones(n), (self.index, np.arange(n))), shape=(self.count, n))

    def signed_product(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """`S v` for S in {-1, +1} and `(n, k)` or `(n,)` values, in O((n + groups^2) k)."""
        if values.ndim == 1:
            totals = np.bincount(self.index, values, minlength=self.count)
            return (2.0 * packed_product(self._packed, totals) - totals.sum())[self.index]
        sums = self.sums(values)
        return (2.0 * (self.similar @ sums) - sums.sum(axis=0))[self.index]

    @cached_property
    def _packed(self) -> NDArray[np.uint8]:
        """`similar`, which is symmetric, eight rows to a byte: 64 times smaller to read."""
        return np.packbits(self.similar > 0, axis=0, bitorder="little")


@njit(cache=True)
def packed_product(packed, sums):  # type: ignore[no-untyped-def] # pragma: no cover
    """`similar @ sums` for the symmetric bits of `similar` (the method of four Russians).

    All 256 sums of eight values are worked out once for each byte of rows and then looked
    up, so that a product reads a bit where a dense one reads eight bytes.

    Args:
        packed: `(ceil(groups / 8), groups)` uint8, least significant bit first.
        sums: `(groups,)` float64.
    """
    count = len(sums)
    result = np.zeros(count)
    table = np.zeros(256)
    for block in range(len(packed)):
        for bit in range(8):
            at = 8 * block + bit
            value = sums[at] if at < count else 0.0
            for byte in range(1 << bit):
                table[byte + (1 << bit)] = table[byte] + value
        for group in range(count):
            result[group] += table[packed[block, group]]
    return result
