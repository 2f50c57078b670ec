"""The engines that count pairs: compiled, plain numpy, and torch for GPUs.

All three give the same counts, to the last one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench import devices, runtime
from hashbench.errors import InputError, unknown
from hashbench.evaluation.words import BLOCK_BYTES, NO_CLASS, Columns, Counts, Words

#: Adds the pairs of queries and items to `(queries, 2 * bins)` int64 counts, in
#: column 2 * distance + relevant. With the last argument, items at a distance
#: of bins - 1 or more share the last bin.
PairCounter = Callable[[Columns, Columns, Counts, bool], None]

#: Pairs from which a GPU is worth starting.
WORTH_A_GPU = 2_000_000_000
#: Pairs from which loading the compiler takes less time than it saves, in one job or several.
_WORTH_A_COMPILER = 4_000_000
#: Pairs this process was to count so far.
_asked = {"pairs": 0}
_KERNEL = "hashbench.evaluation.kernel"
#: Pairs from which starting threads takes less time than they save.
WORTH_THREADS = 4_000_000
#: Pairs from which importing torch to look for a GPU costs nothing in comparison.
WORTH_A_LOOK = 50_000_000_000


def threads() -> int:
    """How many threads the evaluator may use."""
    return max(1, runtime.current().threads or devices.cores())


def choose(name: str, pairs: int) -> tuple[str, PairCounter]:
    """The engine called `name`, and its name.

    Args:
        name: "auto", "numba", "numpy", "torch" (CPU) or "cuda".
        pairs: how many pairs are to be counted.

    Raises:
        InputError: if there is no such engine, or not on this machine.
    """
    if name == "auto":
        device = _cuda_device(pairs) if pairs >= WORTH_A_GPU else None
        if device is not None:
            return "cuda", _torch_engine(device)
        _asked["pairs"] += pairs
        small = _asked["pairs"] < _WORTH_A_COMPILER and _KERNEL not in sys.modules
        return ("numpy", numpy_engine) if small or not numba_kernel() else ("numba", numba_engine)
    if name == "numba" and not numba_kernel():
        raise InputError("the numba engine needs numba: install it, or use the numpy engine")
    device = _cuda_device(WORTH_A_LOOK) if name == "cuda" else None
    if name == "cuda" and device is None:
        raise InputError("the cuda engine found no CUDA device: use the numba engine")
    known: dict[str, Callable[[], PairCounter]] = {
        "numba": lambda: numba_engine,
        "numpy": lambda: numpy_engine,
        "torch": lambda: _torch_engine("cpu"),
        "cuda": lambda: _torch_engine(str(device)),
    }
    if name not in known:
        raise unknown("evaluation engine", name, known)
    return name, known[name]()


def numba_kernel() -> Any | None:
    """The compiled kernels, or None without numba."""
    try:
        from hashbench.evaluation import kernel
    except ImportError:
        return None
    return kernel


def loaded_kernel() -> Any | None:
    """The compiled kernels if they are loaded already, else None."""
    return numba_kernel() if _KERNEL in sys.modules else None


def numba_engine(query: Columns, items: Columns, out: Counts, near: bool) -> None:
    """Count with compiled kernels, queries split over threads."""
    kernel = numba_kernel()
    assert kernel is not None
    codes, labels = (np.ascontiguousarray(part.T) for part in query[:2])
    single = items.single
    weights = np.empty(0, np.int64) if items.weights is None else items.weights
    if near:
        first, group, size = kernel.group_equal(np.ascontiguousarray(items.labels.T))
        sets = np.ascontiguousarray(items.labels[:, first])
        if items.weights is not None:
            size = np.zeros(len(size), np.int64)
            np.add.at(size, group, items.weights)
    elif single and items.weights is None:
        # Sorted by class, an item's label need not be looked at.
        order = np.argsort(_short(items.labels[0]), kind="stable")
        items = Columns(np.ascontiguousarray(items.codes[:, order]), items.labels[:, order])
        begin, end = (
            np.searchsorted(items.labels[0], labels[:, 0], side) for side in ("left", "right")
        )

    def part(rows: slice) -> None:
        mine, my_labels, found = codes[rows], labels[rows], out[rows]
        if near:
            rest = kernel.count_relevant(my_labels, sets, size, single)
            kernel.count_near(
                mine, my_labels, items.codes, items.labels, single, weights, rest, found
            )
        elif items.weights is not None:
            kernel.count_weighted(
                mine, my_labels, items.codes, items.labels, single, weights, found
            )
        elif single:
            total = np.zeros((len(found), found.shape[1] // 2), np.int64)
            relevant = np.zeros_like(total)
            kernel.count_sorted(mine, begin[rows], end[rows], items.codes, total, relevant)
            found[:, ::2] += total - relevant
            found[:, 1::2] += relevant
        else:
            kernel.count_words(mine, my_labels, items.codes, items.labels, found)

    if len(codes) * items.codes.shape[1] < WORTH_THREADS:
        part(slice(0, len(codes)))
    else:
        over_rows(part, len(codes))


def _short(ids: Words) -> NDArray[Any]:
    """Class ids in 16 bits, which sort in linear time, if they fit; no class is the last."""
    real = ids[ids != NO_CLASS["item"]]
    if real.max(initial=0) >= 2**16 - 1:
        return ids
    return np.minimum(ids, np.uint64(2**16 - 1)).astype(np.uint16)


def over_rows(work: Callable[[slice], None], rows: int) -> None:
    """Do `work` on consecutive slices of `rows` rows, on all threads."""
    workers = threads()
    size = max(1, -(-rows // (4 * workers)))
    slices = [slice(start, start + size) for start in range(0, rows, size)]
    if workers == 1 or len(slices) == 1:
        for part in slices:
            work(part)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, slices))


def numpy_engine(query: Columns, items: Columns, out: Counts, near: bool) -> None:
    """Count with numpy alone: several times slower, needs no compiler."""
    bins = out.shape[1] // 2
    n = items.codes.shape[1]
    width = min(n, 1 << 16)
    step = max(1, BLOCK_BYTES // (width * 24))
    for start in range(0, len(out), step):
        rows = slice(start, min(start + step, len(out)))
        for left in range(0, n, width):
            columns = slice(left, left + width)
            shape = (rows.stop - rows.start, min(width, n - left))
            key = np.zeros(shape, np.uint16)
            for mine, theirs in zip(query.codes, items.codes, strict=True):
                key += np.bitwise_count(mine[rows, None] ^ theirs[None, columns])
            if near:
                np.minimum(key, bins - 1, out=key)
            key *= 2
            shared = np.zeros(shape, bool)
            for mine, theirs in zip(query.labels, items.labels, strict=True):
                if items.single:
                    shared |= mine[rows, None] == theirs[None, columns]
                else:
                    shared |= (mine[rows, None] & theirs[None, columns]) != 0
            key += shared
            weights = None if items.weights is None else items.weights[columns]
            for row, keys in enumerate(key, start):
                found = np.bincount(keys, weights, minlength=out.shape[1])
                out[row] += found.astype(np.int64)  # exact below 2**53


def _cuda_device(pairs: int) -> str | None:
    """The CUDA device of the current runtime; None where it has none, or looking does not pay.

    MPS has no float64, which weighted counts need: there the CPU counts, to the same numbers.
    """
    if "torch" not in sys.modules and pairs < WORTH_A_LOOK:
        return None
    try:
        device = devices.current()
    except ImportError:
        return None
    return device if devices.kind_of(device) == "cuda" else None


def _torch_engine(device: str) -> PairCounter:
    def engine(query: Columns, items: Columns, out: Counts, near: bool) -> None:
        from hashbench.evaluation.torch_engine import count

        count(query, items, out, near, device)

    return engine
