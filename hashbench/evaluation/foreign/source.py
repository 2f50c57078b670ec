"""What a file of arrays offers: their names, what they are, and each when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: An array that a file of a few bytes claims to hold beyond this size is not made.
MOST_BYTES = 2**30


class Variable(NamedTuple):
    """One array of a file.

    Attributes:
        what: its shape and type as far as they are known unread, such as
            "(1000, 48) float32".
        read: gives the array; raises `ValueError` or `OSError` if it cannot.
        read_labels: gives it as labels, where those are written otherwise.
    """

    what: str
    read: Callable[[], Array]
    read_labels: Callable[[], Array] | None = None


#: The arrays of a file by the names they have there.
Source = dict[str, Variable]


def entry(array: Array) -> Variable:
    """An array that is in memory already."""
    return Variable(what(array.shape, array.dtype), lambda: array)


def what(shape: tuple[int, ...], dtype: object) -> str:
    """How a shape and a type are shown."""
    return f"{tuple(map(int, shape))} {dtype}"


def only(source: Source) -> Array:
    """The one array of a file whose own name says which it is.

    Raises:
        ValueError: if it holds several, or none.
    """
    if len(source) != 1:
        raise ValueError(f"it holds {len(source)} arrays, and its name says one")
    return next(iter(source.values())).read()


def affordable(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse an array that a small file merely claims to be large.

    Raises:
        ValueError: if it would take more than `MOST_BYTES`.
    """
    size = dtype.itemsize
    for side in shape:
        size *= int(side)
    if size > MOST_BYTES:
        raise ValueError(f"an array would take {size:,} bytes")
