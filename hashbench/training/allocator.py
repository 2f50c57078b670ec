"""Memory that a training frees and takes again a moment later."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

# Of <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

#: Bytes up to which freed memory is kept: as many as `mallopt` takes.
_KEPT = 2**31 - 1
#: Where glibc's own adjustment ends: blocks that it maps apart, and free bytes that it gives back.
_APART, _FREE = 32 * 2**20, 64 * 2**20


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """What is freed within the block stays with the process until its end, where glibc allocates.

    glibc gives large blocks back to the system as they are freed. A network's activations are
    such blocks, in every step the same, and the system clears each page before it gives it out
    again: a quarter of `full` training. What a user's `MALLOC_TRIM_THRESHOLD_` or
    `MALLOC_MMAP_THRESHOLD_` says stands.
    """
    if platform.libc_ver()[0] != "glibc" or _set_by_user():
        yield
        return
    libc = ctypes.CDLL(None)
    _adjust(libc, _KEPT, _KEPT)
    try:
        yield
    finally:
        _adjust(libc, _APART, _FREE)
        libc.malloc_trim(ctypes.c_size_t(0))


def _set_by_user() -> bool:
    return any(f"MALLOC_{name}_THRESHOLD_" in os.environ for name in ("TRIM", "MMAP"))


def _adjust(libc: ctypes.CDLL, apart: int, free: int) -> None:
    libc.mallopt(_M_MMAP_THRESHOLD, apart)
    libc.mallopt(_M_TRIM_THRESHOLD, free)
