"""CIFAR's batches: pickles of Python 2, checked against their published MD5 and read as plain data.

Nothing of a batch is executed: the only names it may call upon are answered by
stand-ins of this file, which keep bytes and a shape and do nothing else.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError, shown
from hashbench.files import open_regular


class _Array:
    """Stands in for a NumPy array: takes its pickled state."""

    def __init__(self, *_arguments: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state


class _Kind(_Array):
    """Stands in for a dtype."""


def _array(*_arguments: object) -> _Array:
    return _Array()


_STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
}


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it calls for {module}.{name}")
        return _STAND_INS[module, name]


def read_batch(path: Path, md5: str, labels: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pixels and labels of a batch.

    Args:
        path: the batch.
        md5: its published checksum, in hex.
        labels: the key its labels have.

    Returns:
        `(n, 3, 32, 32)` uint8 pixels and `(n,)` labels.

    Raises:
        InputError: if the file is not the published one.
    """
    try:
        with open_regular(path) as stream:
            content = stream.read()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({shown(error)}): unpack the archive again") from (
            error
        )
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise InputError(
            f"{path} does not match its published checksum: remove it and unpack the archive again"
        )
    try:
        batch = _Plain(io.BytesIO(content), encoding="bytes").load()
        shape, pixels = batch[b"data"].state[1], batch[b"data"].state[4]
        targets = np.asarray(batch[labels], np.int64)
        return np.frombuffer(pixels, np.uint8).reshape(shape[0], 3, 32, 32), targets
    except Exception as error:  # an unpickler raises almost anything
        raise InputError(f"{path} is no batch of CIFAR ({shown(error)})") from error
