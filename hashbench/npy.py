"""Arrays from .npy and .npz files that strangers wrote; nothing in them is unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hashbench.files import open_regular

T = TypeVar("T")

#: What begins an .npy file.
_MAGIC = b"\x93NUMPY"

#: An array of an .npz that grows beyond both of these, in bytes and by its factor, is a bomb:
#: real codes and labels do not.
MOST_BYTES, MOST_GROWTH = 2**30, 200


def map_array(path: Path) -> NDArray[Any]:
    """An .npy file, memory-mapped read-only.

    Raises:
        OSError: if it cannot be opened, or is no regular file.
        ValueError: if it is no whole .npy file of plain values.
    """
    open_regular(path).close()
    try:
        with np.errstate(over="ignore"):  # of the size a header claims
            return np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception as error:  # a header is Python's syntax: tokenizer and parser raise their own
        raise ValueError("it is no whole .npy file of plain values") from error


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Those of the named arrays that an .npz file holds; all of them without names.

    Raises:
        OSError: if it cannot be opened, or is no regular file.
        ValueError: if it is no whole .npz file of plain values, or a bomb.
    """

    def read(name: str, member: zipfile.ZipInfo, archive: zipfile.ZipFile) -> NDArray[Any]:
        grown = member.file_size > MOST_GROWTH * max(member.compress_size, 1)
        if member.file_size > MOST_BYTES and grown:
            raise _BombError(f"'{name}' would inflate to {member.file_size:,} bytes")
        with archive.open(member) as content:
            return np.lib.format.read_array(content, allow_pickle=False)

    return _each(path, names, read)


def list_arrays(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Shape and type of each array of an .npz file, by its headers alone.

    Raises:
        OSError: if it cannot be opened, or is no regular file.
        ValueError: if it is no whole .npz file of plain values.
    """

    def read(
        name: str, member: zipfile.ZipInfo, archive: zipfile.ZipFile
    ) -> tuple[tuple[int, ...], np.dtype[Any]]:
        with archive.open(member) as content:
            version = np.lib.format.read_magic(content)
            form = np.lib.format
            header = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
            shape, _, dtype = header(content)
            return shape, dtype

    return _each(path, None, read)


def _each(
    path: Path,
    names: Collection[str] | None,
    read: Callable[[str, zipfile.ZipInfo, zipfile.ZipFile], T],
) -> dict[str, T]:
    with open_regular(path) as stream:
        if stream.read(len(_MAGIC)) == _MAGIC:
            raise ValueError("it is a single array")
        stream.seek(0)
        try:
            with zipfile.ZipFile(stream) as archive:
                members = {member.filename: member for member in archive.infolist()}
                found = {}
                for file, member in members.items():
                    name = file.removesuffix(".npy")
                    if name == file or (names is not None and name not in names):
                        continue
                    found[name] = read(name, member, archive)
                return found
        except (OSError, _BombError):
            raise
        except Exception as error:  # zipfile, zlib and numpy each raise their own
            # NumPy's own words advise to allow pickles, which nobody should.
            raise ValueError("it is no whole .npz file of plain values") from error


class _BombError(ValueError):
    """An array far larger than its file."""
