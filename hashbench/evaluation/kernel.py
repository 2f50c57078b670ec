"""Compiled inner loops: distances and relevance of whole blocks, counted as they come.

The kernels run without the interpreter lock, so callers split queries over
threads; that needs no threading layer and is safe to fork.
"""

# mypy: disable-error-code="misc,no-untyped-def,import-untyped,call-arg"
from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

#: Database items a block; its distances stay in the first-level cache.
BLOCK = 16384
#: Items whose keys are looked at together for one within reach.
STRIDE = 256


def _compiled(function):
    """Compile without the interpreter lock, and keep the result for the next process."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder to keep it in can be written to
        return njit(nogil=True)(function)


@intrinsic
def _popcount(typingctx, word):
    """The number of ones of a uint64, as one processor instruction."""

    def codegen(context, builder, signature, arguments):
        function = builder.module.declare_intrinsic("llvm.ctpop", [ir.IntType(64)])
        return builder.call(function, arguments)

    return types.uint64(types.uint64), codegen


@_compiled
def _fill_keys(keys, query, query_labels, codes, labels, start, size):
    """keys[j] = 2 * distance + (1 if relevant), for one block of the database."""
    end = start + size
    mine, theirs = query[0], codes[0, start:end]
    my_label, their_label = query_labels[0], labels[0, start:end]
    if len(query_labels) == 1:
        for j in range(size):
            relevant = np.uint16((my_label & their_label[j]) != np.uint64(0))
            keys[j] = np.uint16(_popcount(mine ^ theirs[j])) * np.uint16(2) + relevant
    elif len(query_labels) == 2:
        my_other, their_other = query_labels[1], labels[1, start:end]
        for j in range(size):
            shared = (my_label & their_label[j]) | (my_other & their_other[j])
            relevant = np.uint16(shared != np.uint64(0))
            keys[j] = np.uint16(_popcount(mine ^ theirs[j])) * np.uint16(2) + relevant
    else:
        for j in range(size):
            shared = np.uint64(0)
            for word in range(len(query_labels)):
                shared |= query_labels[word] & labels[word, start + j]
            relevant = np.uint16(shared != np.uint64(0))
            keys[j] = np.uint16(_popcount(mine ^ theirs[j])) * np.uint16(2) + relevant
    for word in range(1, len(query)):
        mine, theirs = query[word], codes[word, start:end]
        for j in range(size):
            keys[j] += np.uint16(_popcount(mine ^ theirs[j])) * np.uint16(2)


@_compiled
def count_all(query, query_labels, codes, labels, weights, out):
    """Add the weight of every database item to its distance, relevant or not.

    Args:
        query: `(queries, words)` uint64 code words.
        query_labels: `(queries, label words)` uint64.
        codes: `(words, items)` uint64.
        labels: `(label words, items)` uint64.
        weights: `(items,)` int64, or of length 0 when every item counts once.
        out: `(queries, 2 * bins)` int64, added to; column 2 * distance +
            relevant.
    """
    items, width = codes.shape[1], out.shape[1]
    keys = np.empty(BLOCK, np.uint16)
    # Four tables in turn: equal neighbours do not wait for each other's store.
    table = np.empty((4, width), np.int64)
    for start in range(0, items, BLOCK):
        size = min(BLOCK, items - start)
        for row in range(len(query)):
            _fill_keys(keys, query[row], query_labels[row], codes, labels, start, size)
            table[:] = 0
            whole = size & ~3
            if len(weights):
                weight = weights[start : start + size]
                for j in range(0, whole, 4):
                    table[0, keys[j]] += weight[j]
                    table[1, keys[j + 1]] += weight[j + 1]
                    table[2, keys[j + 2]] += weight[j + 2]
                    table[3, keys[j + 3]] += weight[j + 3]
                for j in range(whole, size):
                    table[0, keys[j]] += weight[j]
            else:
                for j in range(0, whole, 4):
                    table[0, keys[j]] += 1
                    table[1, keys[j + 1]] += 1
                    table[2, keys[j + 2]] += 1
                    table[3, keys[j + 3]] += 1
                for j in range(whole, size):
                    table[0, keys[j]] += 1
            for column in range(width):
                out[row, column] += (
                    table[0, column] + table[1, column] + table[2, column] + table[3, column]
                )


@_compiled
def count_near(query, query_labels, codes, labels, weights, out):
    """As `count_all` for distances below bins - 1; everything farther is in the last bin."""
    items, width = codes.shape[1], out.shape[1]
    keys = np.empty(BLOCK, np.uint16)
    for start in range(0, items, BLOCK):
        size = min(BLOCK, items - start)
        weight = weights[start : start + size]
        for row in range(len(query)):
            _fill_keys(keys, query[row], query_labels[row], codes, labels, start, size)
            every, relevant = _sum_odd(keys[:size], weight)
            for left in range(0, size, STRIDE):
                part = keys[left : min(left + STRIDE, size)]
                if _least(part) >= width - 2:
                    continue  # most stretches of a database hold nothing near
                part_weight = weight[left : left + STRIDE]
                for column in range(width - 2):
                    found = _sum_equal(part, part_weight, np.uint16(column))
                    out[row, column] += found
                    every -= found
                    relevant -= found * (column & 1)
            out[row, width - 1] += relevant
            out[row, width - 2] += every - relevant


@_compiled
def _least(keys):
    least = keys[0]
    for j in range(len(keys)):
        least = min(least, keys[j])
    return least


@_compiled
def _sum_equal(keys, weight, wanted):
    if len(weight) == 0:
        few = np.uint16(0)
        for j in range(len(keys)):
            few += np.uint16(keys[j] == wanted)
        return np.int64(few)
    found = np.int64(0)
    for j in range(len(keys)):
        if keys[j] == wanted:
            found += weight[j]
    return found


@_compiled
def _sum_odd(keys, weight):
    if len(weight) == 0:
        few = np.uint16(0)
        for j in range(len(keys)):
            few += keys[j] & np.uint16(1)
        return np.int64(len(keys)), np.int64(few)
    every, odd = np.int64(0), np.int64(0)
    for j in range(len(keys)):
        every += weight[j]
        odd += weight[j] * np.int64(keys[j] & np.uint16(1))
    return every, odd


@_compiled
def group_equal(rows):
    """Group equal rows.

    Args:
        rows: `(n, words)` uint64.

    Returns:
        The first row of each group `(groups,)`, the group of each row `(n,)` and
        the size of each group `(groups,)`, all int64, in order of appearance.
    """
    n, words = rows.shape
    slots = 4
    while slots < 2 * n:
        slots *= 2
    table = np.full(slots, -1, np.int64)
    first = np.empty(n, np.int64)
    group = np.empty(n, np.int64)
    size = np.zeros(n, np.int64)
    groups = 0
    for i in range(n):
        hashed = np.uint64(0x9E3779B97F4A7C15)
        for word in range(words):
            hashed = (hashed ^ rows[i, word]) * np.uint64(0xBF58476D1CE4E5B9)
            hashed ^= hashed >> np.uint64(29)
        slot = np.int64(hashed & np.uint64(slots - 1))
        while True:
            found = table[slot]
            if found < 0:
                table[slot] = groups
                first[groups] = i
                found = groups
                groups += 1
                break
            equal = True
            for word in range(words):
                if rows[first[found], word] != rows[i, word]:
                    equal = False
                    break
            if equal:
                break
            slot = (slot + 1) & (slots - 1)
        group[i] = found
        size[found] += 1
    return first[:groups].copy(), group, size[:groups].copy()
