"""What every kernel is compiled with and made of.

Numba keeps compiled functions by the file they are in: after a change here,
touch the files that use it.
"""

# mypy: disable-error-code="misc,no-untyped-def,import-untyped,call-arg"
from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

#: Database items a block; its keys stay in the cache.
BLOCK = 16384


def compiled(function):
    """Compile without the interpreter lock, and keep the result for the next process."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder to keep it in can be written to
        return njit(nogil=True)(function)


@intrinsic
def popcount(typingctx, word):
    """The number of ones of a uint64, as one processor instruction."""

    def codegen(context, builder, signature, arguments):
        function = builder.module.declare_intrinsic("llvm.ctpop", [ir.IntType(64)])
        return builder.call(function, arguments)

    return types.uint64(types.uint64), codegen


@compiled
def fill_distances(keys, query, codes, start, size, step):
    """keys[j] = step * distance of item start + j, for one block of the database."""
    for word in range(len(query)):
        mine, theirs = query[word], codes[word, start : start + size]
        if word == 0:
            for j in range(size):
                keys[j] = np.uint16(popcount(mine ^ theirs[j])) * step
        else:
            for j in range(size):
                keys[j] += np.uint16(popcount(mine ^ theirs[j])) * step


@compiled
def add_relevance(keys, flags, query, labels, single, start, size, step):
    """keys[j] += step where item start + j shares a label with the query.

    With `single`, labels are class ids, and equal ones are shared.
    """
    if single:
        mine, theirs = query[0], labels[0, start : start + size]
        for j in range(size):
            keys[j] += step * np.uint16(mine == theirs[j])
        return
    words = 0
    for word in range(len(query)):
        words += query[word] != 0
    seen = 0
    for word in range(len(query)):
        mine = query[word]
        if mine == 0:  # of many classes a query has few
            continue
        seen += 1
        theirs = labels[word, start : start + size]
        if words == 1:
            for j in range(size):
                keys[j] += step * np.uint16((mine & theirs[j]) != np.uint64(0))
        elif seen == 1:
            for j in range(size):
                flags[j] = np.uint16((mine & theirs[j]) != np.uint64(0))
        else:
            for j in range(size):
                flags[j] |= np.uint16((mine & theirs[j]) != np.uint64(0))
    if words > 1:
        for j in range(size):
            keys[j] += step * flags[j]
