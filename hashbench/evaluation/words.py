"""Codes and labels as columns of 64-bit words, the form that is counted in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Counts = NDArray[np.int64]

#: Bytes of temporaries a block of the numpy and torch engines may take.
BLOCK_BYTES = 64 << 20


class Columns(NamedTuple):
    """Codes with their labels, a column each.

    Attributes:
        codes: `(words, n)` uint64.
        labels: `(label words, n)` uint64.
        weights: `(n,)` int64 how often each column occurs, or None for once.
    """

    codes: Words
    labels: Words
    weights: Counts | None = None


def code_words(packed: NDArray[np.uint8]) -> Words:
    """`(n, bytes)` packed codes as `(words, n)` uint64."""
    return _columns(np.ascontiguousarray(packed))


def label_words(labels: NDArray[np.generic]) -> Words:
    """`(n, classes)` multi-hot labels as `(words, n)` uint64; a value > 0 is a label."""
    hot = np.asarray(labels)
    if hot.dtype not in (np.uint8, np.bool_):
        hot = hot > 0
    return _columns(np.packbits(hot, axis=1, bitorder="little"))


def _columns(packed: NDArray[np.uint8]) -> Words:
    n, width = packed.shape
    whole = max(1, -(-width // 8)) * 8
    if whole != width:
        packed = np.concatenate([packed, np.zeros((n, whole - width), np.uint8)], axis=1)
    return np.ascontiguousarray(packed.view(np.uint64).T)
