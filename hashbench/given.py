"""What a caller gave as an array: lists, series, tensors, in NumPy's own plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError, shown

Array = NDArray[Any]


def given(what: str, value: Any) -> Array:
    """A value as a plain array; a memory map stays one on disk.

    Tensors are taken without their gradients and from wherever they are. A
    `numpy.matrix` is an array of two dimensions, whatever one does to it, and
    a masked array is one only where nothing is masked.

    Args:
        what: what the array is, for messages, such as "query labels".
        value: anything that NumPy can read as an array.

    Raises:
        InputError: if it cannot, or values are masked.
    """
    if isinstance(value, np.ma.MaskedArray):
        if np.ma.getmaskarray(value).any():
            raise InputError(f"{what} have masked values: fill them in, or leave their rows out")
        value = value.data
    try:
        if _is_tensor(value):
            value = value.detach().cpu()
        array = np.asarray(value)
    except MemoryError:
        raise
    except Exception as error:  # ragged lists, types and layouts that NumPy does not have
        raise InputError(
            f"{what} are no array that NumPy can read ({shown(str(error), 80)}): give numbers in "
            "a plain array"
        ) from error
    if array.dtype == object and not array.ndim:
        raise InputError(
            f"{what} are a {shown(type(value).__name__, 40)}, no array: give numbers in a plain "
            "array, of a sparse one its .toarray()"
        )
    return array


def unwrapped(what: str, value: Any) -> Any:
    """Tensors and masked arrays as `given` has them; anything else for scikit-learn to look at.

    It takes a DataFrame's names of columns, which an array has not.

    Raises:
        InputError: as `given`.
    """
    wrapped = isinstance(value, np.ma.MaskedArray) or _is_tensor(value)
    return given(what, value) if wrapped else value


def positions(rows: Any, count: int) -> NDArray[np.int64]:
    """Positions among `count` rows: whole numbers, negative ones from the end, a mask or a slice.

    Raises:
        InputError: for anything else.
    """
    if isinstance(rows, slice):
        return np.arange(count)[rows]
    index = given("positions", rows)
    if index.dtype == np.bool_ and index.shape == (count,):
        return np.flatnonzero(index)
    if index.shape == (0,):  # an empty list is one of floats
        return np.zeros(0, np.int64)
    if index.ndim != 1 or index.dtype.kind not in "iu":
        raise InputError(
            f"positions must be whole numbers (n,), a slice or a mask ({count},) of flags, "
            f"got {index.shape} {index.dtype}"
        )
    if int(index.max()) >= count or int(index.min()) < -count:
        raise InputError(
            f"positions must lie below {count:,}, which is how many there are, got "
            f"{int(index.min()):,} to {int(index.max()):,}"
        )
    return index.astype(np.int64)


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "detach") and hasattr(value, "cpu")
