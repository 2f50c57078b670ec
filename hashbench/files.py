"""Opening files that may be none; writing them so that a kill leaves a whole file or none."""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

#: Bytes that are read at a time of a file that is longer than it is told to be.
_AT_A_TIME = 1 << 16


def open_regular(path: Path | str) -> BufferedReader:
    """Open a file to be read; pipes and devices, which may never end, are refused.

    Raises:
        OSError: as `open` does, or if `path` is no regular file.
    """
    stream = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise OSError(errno.EINVAL, "it is no regular file", str(path))


def _without_waiting(path: str, flags: int) -> int:
    """To open a pipe waits for its writer, unless told not to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_regular(path: Path | str, most: int) -> bytes:
    """What is in a small file, or, where it is longer than `most` bytes, its first `most + 1`.

    Raises:
        OSError: as `open_regular`.
    """
    handle = _without_waiting(os.fspath(path), os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        data = b""
        while piece := os.read(
            handle, min(most + 1, max(found.st_size + 1, len(data) + _AT_A_TIME)) - len(data)
        ):
            data += piece
        return data
    finally:
        os.close(handle)


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, rename it into place.

    Raises:
        OSError: if the folder cannot be written to or the disk is full; `path`
            is then what it was before.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_named(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write where a user said: as `write_atomically`, to what a link points to, folders and all.

    A device or a pipe, such as /dev/null or a shell's >(gzip), is written into: a rename would put
    a file in its place.

    Raises:
        OSError: as `write_atomically`, or as the device refuses.
    """
    if not is_special(path):
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, write)
        return
    whole = io.BytesIO()  # what is written may want to seek
    write(whole)
    with path.open("wb") as stream:
        stream.write(whole.getbuffer())


def is_special(path: Path) -> bool:
    """Whether there is something at a path that is neither file nor folder."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
