"""MATLAB files: version 4, and version 5 to 7 (MAT-File Format, The MathWorks, chapter 1).

Numbers, logicals, characters and sparse matrices are read, and cells of texts or of
numbers; structs and objects are named and left. Nothing is inflated or made larger than the header
of its array says, and that not beyond what a file of its size can mean.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hashbench.evaluation.foreign.source import (
    MOST_BYTES,
    Array,
    Source,
    Variable,
    affordable,
    what,
)
from hashbench.evaluation.foreign.words import of_items
from hashbench.files import open_regular
from hashbench.npy import MOST_GROWTH

_MATRIX, _COMPRESSED = 14, 15
#: Types of stored values (mi*), by their numbers.
_STORED = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
    16: "u1",
    17: "u2",
    18: "u4",
}
_UTF_8 = 16
#: Classes of arrays (mx*_CLASS) of numbers, by their numbers.
_NUMBERS = {
    6: "f8",
    7: "f4",
    8: "i1",
    9: "u1",
    10: "i2",
    11: "u2",
    12: "i4",
    13: "u4",
    14: "i8",
    15: "u8",
}
_CELL, _CHARACTERS, _SPARSE = 1, 4, 5
_OTHERS = {2: "struct", 3: "object", 16: "function", 17: "object"}
#: Bytes of an inflated array in which its flags, dimensions and name lie.
_HEAD = 4096
#: Types of version 4, by the tens of its header's first number.
_VERSION_4 = {0: "f8", 1: "f4", 2: "i4", 3: "i2", 4: "u2", 5: "u1"}


class _Header(NamedTuple):
    kind: int
    logical: bool
    shape: tuple[int, ...]
    name: str
    body: int


def open_mat(path: Path) -> Source:
    """The variables of a MATLAB file, each read when it is asked for.

    Raises:
        OSError: if it cannot be opened.
        ValueError: if it is damaged.
    """
    with open_regular(path) as stream:
        data = stream.read()
    try:
        if len(data) >= 4 and 0 in data[:4]:  # a text begins version 5
            return dict(_version_4(data))
        return dict(_version_5(data))
    except (struct.error, zlib.error, OverflowError) as error:
        raise ValueError("it is cut short or damaged") from error


def _version_5(data: bytes) -> Iterator[tuple[str, Variable]]:
    if len(data) < 128 or data[126:128] not in (b"IM", b"MI"):
        raise ValueError("it does not begin as MATLAB files do")
    order = "<" if data[126:128] == b"IM" else ">"
    at = 128
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(order + "II", data, at)
        at += 8
        part = data[at : at + size]
        if len(part) < size:
            raise ValueError("it is cut short")
        at += size
        if kind not in (_MATRIX, _COMPRESSED):
            continue  # subsystem data, and what later versions may add
        packed = part if kind == _COMPRESSED else None
        head = part if packed is None else _inflated(packed, _HEAD)[8:]
        header = _header(head, order)
        if header.name:  # unnamed: the subsystem's
            yield header.name, _entry(header, part, packed is not None, order)


def _entry(header: _Header, part: bytes, packed: bool, order: str) -> Variable:
    if header.kind in (_CELL, _CHARACTERS):

        def items() -> list[Any]:
            try:
                return _items(_whole(part, order) if packed else part, order)
            except (struct.error, zlib.error, OverflowError) as error:
                raise ValueError("it is cut short or damaged") from error

        return of_items(what(header.shape, "cell" if header.kind == _CELL else "char"), items)
    if header.kind in _OTHERS:

        def refuse() -> Array:
            raise ValueError(f"it is a {_OTHERS[header.kind]}, not an array")

        return Variable(what(header.shape, _OTHERS[header.kind]), refuse)
    shown = "sparse" if header.kind == _SPARSE else _NUMBERS.get(header.kind)
    if shown is None:
        raise ValueError(f"it has an array of the unknown class {header.kind}")

    def read() -> Array:
        try:
            return _values(part, packed, order)
        except (struct.error, zlib.error, OverflowError) as error:
            raise ValueError("it is cut short or damaged") from error

    name = shown if shown == "sparse" else np.dtype(shown).name
    return Variable(what(header.shape, "logical" if header.logical else name), read)


def _inflated(packed: bytes, most: int) -> bytes:
    return zlib.decompressobj().decompress(packed, most)


def _whole(packed: bytes, order: str) -> bytes:
    """An inflated array without its tag."""
    kind, size = struct.unpack_from(order + "II", _inflated(packed, 8))
    if kind != _MATRIX:
        raise ValueError("it has something other than an array compressed")
    if size > MOST_BYTES and size > MOST_GROWTH * len(packed):
        raise ValueError(f"an array would inflate to {size:,} bytes")
    return _inflated(packed, size + 8)[8:]


def _element(data: bytes, at: int, order: str) -> tuple[int, int, int, int]:
    """Type, start and size of the values at a place, and where the next begin."""
    kind, size = struct.unpack_from(order + "II", data, at)
    if kind >> 16:  # four bytes or less lie within the tag
        return kind & 0xFFFF, at + 4, kind >> 16, at + 8
    return kind, at + 8, size, at + 8 + -(-size // 8) * 8


def _numbers(data: bytes, at: int, order: str) -> tuple[Array, int]:
    kind, start, size, after = _element(data, at, order)
    if kind not in _STORED or start + size > len(data):
        raise ValueError("it is cut short or damaged")
    dtype = np.dtype(order + _STORED[kind])
    return np.frombuffer(data, dtype, size // dtype.itemsize, start), after


def _header(data: bytes, order: str) -> _Header:
    flags, at = _numbers(data, 0, order)
    if len(flags) < 1 or flags.dtype.kind != "u":
        raise ValueError("an array has no flags")
    kind = int(flags[0]) & 0xFF
    if kind == 17:  # objects of classes are not laid out as arrays are
        return _Header(kind, False, (), _text(_numbers(data, at, order)[0]), 0)
    shape, at = _numbers(data, at, order)
    name, at = _numbers(data, at, order)
    sides = tuple(int(side) for side in shape[:32])
    if shape.dtype.kind not in "iu" or len(sides) < 2 or min(sides) < 0:
        raise ValueError("an array has no shape")
    return _Header(kind, bool(int(flags[0]) & 0x200), sides, _text(name), at)


def _text(letters: Array) -> str:
    return letters.tobytes().decode("utf-8", "replace")


def _values(part: bytes, packed: bool, order: str) -> Array:
    data = _whole(part, order) if packed else part
    header = _header(data, order)
    if header.kind == _SPARSE:
        return _sparse(data, header, order)
    values, _ = _numbers(data, header.body, order)
    # What is small is stored small, whatever class it has.
    dtype = np.dtype(np.bool_ if header.logical else _NUMBERS[header.kind])
    if len(values) != _size(header.shape):
        raise ValueError("an array holds fewer or more values than its shape says")
    return values.astype(dtype).reshape(header.shape, order="F")


def _items(data: bytes, order: str) -> list[Any]:
    """The rows of a matrix of characters, or what the cells of a cell array hold."""
    header = _header(data, order)
    if header.kind == _CHARACTERS:
        return _rows_of_letters(data, header, order)
    count = _size(header.shape)
    if len(header.shape) != 2 or count not in header.shape:
        raise ValueError(f"it is a cell array of shape {header.shape}, and no list of items")
    found: list[Any] = []
    at = header.body
    for _ in range(count):  # each takes 8 bytes at least, or the file ends
        kind, size = struct.unpack_from(order + "II", data, at)
        cell = data[at + 8 : at + 8 + size]
        if kind != _MATRIX or len(cell) < size:
            raise ValueError("it is cut short or damaged")
        found.append(_cell(cell, order))
        at += 8 + size
    return found


def _cell(data: bytes, order: str) -> Any:
    """A text, a number or a row of numbers."""
    header = _header(data, order)
    if header.kind == _CHARACTERS:
        rows = _rows_of_letters(data, header, order)
        if len(rows) > 1:
            raise ValueError("it is a cell array of matrices of characters")
        return rows[0] if rows else ""
    if header.kind not in _NUMBERS:
        raise ValueError(f"it is a cell array of {_OTHERS.get(header.kind, 'cell')}s")
    values = _values(data, False, order)
    return values.item() if values.size == 1 else values.ravel()


def _rows_of_letters(data: bytes, header: _Header, order: str) -> list[str]:
    """Characters are UTF-16, whatever they are stored as."""
    kind, start, size, _ = _element(data, header.body, order)
    if start + size > len(data) or len(header.shape) != 2:
        raise ValueError("it is cut short or damaged")
    if kind == _UTF_8:
        text = data[start : start + size].decode("utf-8")  # its error is a ValueError
        units = np.frombuffer(text.encode("utf-16-le"), "<u2")
    else:
        units = _numbers(data, header.body, order)[0]
    return _letters(units, header.shape)


def _letters(units: Array, shape: tuple[int, ...]) -> list[str]:
    """The rows of a matrix of UTF-16's numbers, stored by columns."""
    if len(units) != _size(shape):
        raise ValueError("an array holds fewer or more values than its shape says")
    rows = np.ascontiguousarray(units.astype("<u2").reshape(shape, order="F"))
    return [row.tobytes().decode("utf-16-le") for row in rows]


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for side in shape:
        size *= int(side)
    return size


def _sparse(data: bytes, header: _Header, order: str) -> Array:
    """A sparse matrix in full: rows and starts of columns, then the values."""
    dtype = np.dtype(np.bool_ if header.logical else np.float64)
    affordable(header.shape, dtype)
    rows, at = _numbers(data, header.body, order)
    starts, at = _numbers(data, at, order)
    values, _ = _numbers(data, at, order)
    height, width = header.shape[:2]
    starts = starts.astype(np.int64)
    steps = np.diff(starts)
    count = int(starts[-1]) if len(starts) else -1
    fits = (
        len(header.shape) == 2
        and len(starts) == width + 1
        and starts[0] == 0
        and (steps >= 0).all()
        and count <= min(len(rows), len(values))
    )
    rows = rows[: max(count, 0)].astype(np.int64)
    if not fits or (len(rows) and (rows.min() < 0 or rows.max() >= height)):
        raise ValueError("a sparse matrix points outside itself")
    full = np.zeros((height, width), dtype)
    full[rows, np.repeat(np.arange(width), steps)] = values[:count]
    return full


def _version_4(data: bytes) -> Iterator[tuple[str, Variable]]:
    at = 0
    while at < len(data):
        (mopt,) = struct.unpack_from("<i", data, at)
        order = "<"
        if not 0 <= mopt < 5000:
            order = ">"
            (mopt,) = struct.unpack_from(">i", data, at)
        machine, rest = divmod(mopt, 1000)
        kind, layout = _VERSION_4.get(rest // 10), rest % 10
        if machine not in (0, 1) or kind is None or layout > 2:
            raise ValueError("it does not begin as MATLAB files do")
        rows, columns, imaginary, length = struct.unpack_from(order + "4i", data, at + 4)
        if min(rows, columns, length) < 0 or imaginary not in (0, 1):
            raise ValueError("it is damaged")
        start = at + 20 + length
        name = data[at + 20 : start].rstrip(b"\0").decode("utf-8", "replace")
        dtype = np.dtype(order + kind)
        size = rows * columns * dtype.itemsize
        at = start + size * (1 + imaginary)
        if at > len(data):
            raise ValueError("it is cut short")
        yield name, _entry_4(data[start : start + size], dtype, (rows, columns), layout)


def _entry_4(data: bytes, dtype: np.dtype[Any], shape: tuple[int, int], layout: int) -> Variable:
    if layout == 1:
        return of_items(what(shape, "char"), lambda: _letters(np.frombuffer(data, dtype), shape))

    def read() -> Array:
        if layout == 2:
            raise ValueError("it is a sparse matrix of version 4")
        return np.frombuffer(data, dtype).reshape(shape, order="F")

    return Variable(what(shape, ("", "", "sparse ")[layout] + dtype.name), read)
