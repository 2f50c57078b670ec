"""Pickles as Python 2 wrote CIFAR's batches, opcode by opcode: the exact official form."""

from __future__ import annotations

import struct

import numpy as np

_DTYPE = (
    b"cnumpy\ndtype\nq\x0bU\x02u1q\x0cK\x00K\x01\x87q\x0dRq\x0e(K\x03U\x01|q\x0fNNN"
    b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x10b"
)


def pickled(content: dict[str, object]) -> bytes:
    """A dict of texts, lists of small numbers or texts, and uint8 arrays, protocol 2."""
    body = b"".join(_value(key) + _value(value) for key, value in content.items())
    return b"\x80\x02}q\x01(" + body + b"u."


def _value(value: object) -> bytes:
    if isinstance(value, str):
        raw = value.encode()
        return b"U" + bytes([len(raw)]) + raw
    if isinstance(value, (int, np.integer)):
        return _number(int(value))
    if isinstance(value, np.ndarray):
        shape = b"".join(map(_number, value.shape)) + b"\x86"
        raw = value.tobytes()
        return (
            b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87R"
            b"(K\x01" + shape + _DTYPE + b"\x89T" + struct.pack("<I", len(raw)) + raw + b"tb"
        )
    assert isinstance(value, (list, tuple))
    parts = [value[start : start + 1000] for start in range(0, len(value), 1000)]
    return b"]" + b"".join(b"(" + b"".join(map(_value, part)) + b"e" for part in parts)


def _number(number: int) -> bytes:
    return b"K" + bytes([number]) if number < 256 else b"M" + struct.pack("<H", number)
