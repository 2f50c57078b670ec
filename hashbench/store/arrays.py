"""Arrays with a digest of their content beside them: a flipped bit is found, not used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.files import write_atomically
from hashbench.npy import read_arrays

Arrays = Mapping[str, NDArray[Any]]

#: The array that holds the digest of the others.
_SEAL = "sha256"


def digest_of(arrays: Arrays) -> str:
    """Hex digest of names, types, shapes and values, whatever file holds them."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\n".encode())
        digest.update(array.tobytes() if array.dtype.hasobject else array.data)
    return digest.hexdigest()


def write_sealed(path: Path, arrays: Arrays) -> str:
    """Write an .npz of arrays and their digest, whole or not at all; returns the digest.

    Raises:
        OSError: as `write_atomically`.
    """
    digest = digest_of(arrays)
    seal = np.frombuffer(bytes.fromhex(digest), np.uint8)
    write_atomically(
        path,
        lambda stream: np.savez(stream, allow_pickle=False, **arrays, **{_SEAL: seal}),
    )
    return digest


def read_sealed(path: Path, digest: str | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of a file that `write_sealed` wrote.

    Args:
        path: the file.
        digest: what theirs must be, where that is known; always that of the seal.

    Raises:
        OSError: if it cannot be opened, or is no regular file.
        ValueError: if it is damaged, or its content is another.
    """
    arrays = read_arrays(path)
    seal = arrays.pop(_SEAL, None)
    found = digest_of(arrays)
    if seal is None or seal.dtype != np.uint8 or seal.tobytes().hex() != found:
        raise ValueError("its content does not fit its digest")
    if digest is not None and found != digest:
        raise ValueError("it belongs to another result")
    return arrays
