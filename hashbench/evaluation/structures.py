"""The binary indexes of FAISS that find a Hamming ball, and what one may read of them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Queries searched at a time, so that crowded balls do not fill the memory.
BATCH = 100

#: Widest hash of a table: FAISS visits every pattern of up to the radius's flips of it.
WIDEST = 24


@dataclass(frozen=True)
class Structure:
    """One way to index codes.

    Attributes:
        name: "flat", "hash", "multihash", or the multi-table rival's.
        parameters: what it is built with.
        make: an empty FAISS index, for codes of so many bits in whole bytes.
        exact: whether it finds all of every ball of the radius it was made for.
    """

    name: str
    parameters: dict[str, int]
    make: Callable[[], Any]
    exact: bool = True


def flat(width: int) -> Structure:
    """Compare with every code."""
    return Structure("flat", {}, lambda: _faiss().IndexBinaryFlat(width))


def hashed(width: int, bits: int, count: int, radius: int) -> Structure:
    """Look into every bucket within `radius` flips of the query's first bits.

    Args:
        width: bits of the packed code, whole bytes.
        bits: code length.
        count: codes to index; about as many buckets are made.
        radius: Hamming radius.
    """
    prefix = int(np.clip(np.ceil(np.log2(max(2, count))), 1, min(bits, WIDEST)))

    def make() -> Any:
        index = _faiss().IndexBinaryHash(width, prefix)
        index.nflip = min(radius, prefix)
        return index

    return Structure("hash", {"bits": prefix}, make)


def multihashed(width: int, bits: int, radius: int) -> Structure:
    """One table for each of `radius` + 1 parts of the code, of which at least one must agree."""
    tables = min(radius + 1, bits)
    part = max(1, min(bits // tables, 32))
    # 0 flips unless the code is too short to cut in radius + 1.
    return _tables("multihash", width, tables, part, min(radius // tables, part), exact=True)


def rivals(width: int, bits: int) -> Iterator[Structure]:
    """Multi-table LSH as one would build it without a learned ball: bands of the code, no flips.

    Bits of the code are sampled without repetition, `tables` times `band` of them: more tables
    find more of the ball and take longer. Nothing promises that they find all of it.
    """
    for tables in (1, 2, 4, 8):
        band = min(bits // tables, WIDEST)
        if band >= 4 or tables == 1:
            yield _tables(f"lsh x{tables}", width, tables, band, 0, exact=False)


def _tables(name: str, width: int, tables: int, part: int, flips: int, *, exact: bool) -> Structure:
    def make() -> Any:
        index = _faiss().IndexBinaryMultiHash(width, tables, part)
        index.nflip = flips
        return index

    return Structure(name, {"hashes": tables, "bits": part}, make, exact)


def balls(index: Any, queries: NDArray[np.uint8], radius: int) -> list[NDArray[np.int64]]:
    """The sorted positions of all codes within `radius` of each query, as an index finds them."""
    found = []
    for start in range(0, len(queries), BATCH):
        # FAISS leaves the radius itself out.
        limits, _, ids = index.range_search(queries[start : start + BATCH], radius + 1)
        found += [np.sort(ids[limits[row] : limits[row + 1]]) for row in range(len(limits) - 1)]
    return found


def visited() -> Any:
    """FAISS's counters of the hash indexes' work."""
    return _faiss().cvar.indexBinaryHash_stats


def serialised(index: Any) -> int:
    """Bytes of an index on disk."""
    return len(_faiss().serialize_index_binary(index))


@contextmanager
def faiss_threads(count: int) -> Iterator[None]:
    """FAISS computes with so many threads within the block."""
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def heap_bytes() -> int | None:
    """Bytes this process has allocated and not freed; None where the C library does not say."""
    try:
        library = ctypes.CDLL(None)
        library.mallinfo2.restype = _MallInfo2
    except (AttributeError, OSError, TypeError):
        return None
    info = library.mallinfo2()
    return int(info.uordblks + info.hblkhd)


class _MallInfo2(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd",
            "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    ]  # fmt: skip


def _faiss() -> Any:
    import faiss

    return faiss
