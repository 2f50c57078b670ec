"""Codes and labels as columns of 64-bit words, the form that is counted in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Counts = NDArray[np.int64]

#: Bytes of temporaries a block of the numpy and torch engines may take.
BLOCK_BYTES = 64 << 20

#: The class ids of a query and of an item without a label: equal to no other.
NO_CLASS = {"query": np.uint64(2**64 - 1), "item": np.uint64(2**64 - 2)}

#: From so many classes on, labels are mostly zeros, and are looked at for what is not.
_MANY_CLASSES = 128


class Columns(NamedTuple):
    """Codes with their labels, a column each.

    Attributes:
        codes: `(words, n)` uint64.
        labels: `(label words, n)` uint64, a bit a class; or class ids.
        weights: `(n,)` int64 how often each column occurs, or None for once.
        single: whether labels are class ids `(1, n)`, of which equal ones are
            shared, and not words of bits.
    """

    codes: Words
    labels: Words
    weights: Counts | None = None
    single: bool = False


def code_words(packed: NDArray[np.uint8]) -> Words:
    """`(n, bytes)` packed codes as `(words, n)` uint64."""
    return _columns(np.ascontiguousarray(packed))


def label_words(labels: NDArray[Any]) -> Words:
    """`(n, classes)` multi-hot labels as `(words, n)` uint64; a value > 0 is a label."""
    hot = np.asarray(labels)
    if hot.dtype not in (np.uint8, np.bool_):
        hot = hot > 0
    return _columns(np.packbits(hot, axis=1, bitorder="little"))


def label_columns(labels: NDArray[Any]) -> tuple[Words, bool]:
    """Labels as `Columns` has them, and whether they are class ids.

    Args:
        labels: `(n, classes)` multi-hot, or `(n,)` whole-numbered class ids.
    """
    if labels.ndim == 1:
        return np.ascontiguousarray(labels, np.int64).view(np.uint64)[None], True
    return label_words(labels), False


def class_ids(labels: Words, side: str) -> Words | None:
    """`(1, n)` class ids of label words with at most one bit a column, else None.

    Args:
        labels: `(label words, n)` uint64.
        side: "query" or "item".
    """
    several = labels[0] & (labels[0] - np.uint64(1))
    used = labels[0] != 0
    for word in labels[1:]:
        several |= word & (word - np.uint64(1))
        several |= (used & (word != 0)).astype(np.uint64)
        used |= word != 0
    if several.any():
        return None
    ids = np.full(labels.shape[1], NO_CLASS[side])
    for number, word in enumerate(labels):
        here = np.flatnonzero(word) if len(labels) > 1 or not used.all() else slice(None)
        ids[here] = np.bitwise_count(word[here] - np.uint64(1)) + np.uint64(64 * number)
    return ids[None]


def item_columns(labels: NDArray[Any]) -> tuple[Words, bool]:
    """As `label_columns` of a database, class ids wherever no item has several labels."""
    if labels.ndim == 1:
        return label_columns(labels)
    ids = _one_hot_ids(labels) if labels.shape[1] >= _MANY_CLASSES else None
    if ids is None:
        words = label_words(labels)
        ids = class_ids(words, "item")
        if ids is None:
            return words, False
    return ids, True


def _one_hot_ids(labels: NDArray[Any]) -> Words | None:
    """As `class_ids(label_words(labels), "item")`, of many classes.

    Eight bytes are looked at together, and nearly all are zero. None where
    labels are no bytes, or some item has several.
    """
    n, classes = labels.shape
    if labels.dtype.itemsize != 1 or labels.dtype.kind not in "ub" or classes % 8 or not n:
        return None
    words = np.ascontiguousarray(labels).view(np.uint64)
    at = np.flatnonzero(words != 0)
    rows, columns = np.divmod(at, words.shape[1])
    found = words.ravel()[at]
    lowest = found & (~found + np.uint64(1))  # the lowest bit that is set
    lowest = (np.bitwise_count(lowest - np.uint64(1)) // 8).astype(np.uint64)
    one = (found >> (lowest * np.uint64(8))) < 256  # nothing above the lowest byte in use
    if not one.all() or (rows[1:] == rows[:-1]).any():
        return None
    ids = np.full(n, NO_CLASS["item"])
    ids[rows] = columns.astype(np.uint64) * np.uint64(8) + lowest
    return ids[None]


def _columns(packed: NDArray[np.uint8]) -> Words:
    n, width = packed.shape
    whole = max(1, -(-width // 8)) * 8
    if whole != width:
        padded = np.zeros((n, whole), np.uint8)
        padded[:, :width] = packed
        packed = padded
    return np.ascontiguousarray(packed.view(np.uint64).T)
