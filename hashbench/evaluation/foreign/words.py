"""Texts and Python's lists in files of arrays: what of them is an array without doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hashbench.evaluation.foreign.source import MOST_BYTES, Array, Variable

#: Letters of the longest text that is a name or a code, and texts that are taken.
_LONGEST = 4096


def of_items(what: str, items: Callable[[], Sequence[Any]]) -> Variable:
    """An array that texts, numbers or rows stand for, an item each.

    Texts are names of classes as labels; else codes, if all are zeros and ones.

    Args:
        what: what it is, for messages.
        items: gives Python's texts, numbers and lists of numbers, or arrays; when it is asked for.
    """
    return Variable(what, lambda: _array(items(), _codes), lambda: _array(items(), _names))


def _array(items: Sequence[Any], written: Callable[[Sequence[str]], Array]) -> Array:
    if items and all(isinstance(item, str) for item in items):
        return written(items)
    return _stacked(items)


def _names(words: Sequence[str]) -> Array:
    longest = max(map(len, words), default=0)
    if longest > _LONGEST or 4 * longest * len(words) > MOST_BYTES:
        raise ValueError(f"it holds texts of {longest:,} letters")
    return np.array([word.strip() for word in words], np.str_)


def _codes(words: Sequence[str]) -> Array:
    texts = ["".join(word.split()) for word in words]
    sizes = {len(text) for text in texts}
    if len(sizes) != 1 or sizes == {0} or any(set(text) - {"0", "1"} for text in texts):
        return _names(words)
    digits = np.frombuffer("".join(texts).encode(), np.uint8) - np.uint8(48)
    return digits.reshape(len(texts), -1)


def _stacked(items: Sequence[Any]) -> Array:
    """Numbers, or rows of equal length, as one array.

    Raises:
        ValueError: for anything else, saying what it is.
    """
    if not items:
        raise ValueError("it is an empty list")
    kinds = {_kind(item) for item in items}
    if kinds == {"numbers"}:
        return _plain(items)
    if kinds != {"lists"}:
        raise ValueError(f"it is a list of {' and '.join(sorted(kinds))}")
    rows = [_row(item) for item in items]
    if min(row.ndim for row in rows) > 1 and len({row.shape[1:] for row in rows}) == 1:
        return np.concatenate(rows)  # batches
    shapes = {row.shape for row in rows}
    if len(shapes) > 1:
        told = " and ".join(map(str, sorted(shapes)[:2]))
        raise ValueError(f"it is a list of rows of shapes {told}")
    return np.stack(rows)


def _kind(item: Any) -> str:
    if isinstance(item, (bool, int, float)):
        return "numbers"
    if isinstance(item, (list, tuple, np.ndarray)):
        return "lists"
    return "texts" if isinstance(item, str) else f"{type(item).__name__}s"


def _row(item: Any) -> Array:
    if isinstance(item, np.ndarray):
        return item
    if any(_kind(value) != "numbers" for value in item):
        raise ValueError("it is a list of lists of other things than numbers")
    return _plain(item)


def _plain(numbers: Sequence[Any]) -> Array:
    if any(isinstance(number, bool) for number in numbers) and not all(
        isinstance(number, bool) for number in numbers
    ):
        numbers = [number + 0 for number in numbers]
    found = np.array(numbers)
    if found.dtype == object:
        raise ValueError("it holds whole numbers beyond 64 bits")
    return found
