"""Counting every distance.

To count is to add one at a place that a key says, and these additions are what
takes the time. So two queries are counted with one addition, in a table of the
distances to both, which is summed by rows and columns at the end of a block.
"""

# mypy: disable-error-code="misc,no-untyped-def,call-arg"
from __future__ import annotations

import numpy as np

from hashbench.evaluation.kernel.basic import (
    BLOCK,
    add_relevance,
    compiled,
    fill_distances,
    popcount,
)
from hashbench.evaluation.kernel.lanes import write_distances, write_keys

#: The widest side of a table of two queries that stays in the cache.
WIDEST = 132


@compiled
def count_words(query, query_labels, codes, labels, out):
    """Add one for every database item to its distance, relevant or not.

    Args:
        query: `(queries, words)` uint64 code words.
        query_labels: `(queries, label words)` uint64.
        codes: `(words, items)` uint64.
        labels: `(label words, items)` uint64.
        out: `(queries, 2 * bins)` int64, added to; column 2 * distance +
            relevant.
    """
    items, width = codes.shape[1], out.shape[1]
    paired = len(query) - len(query) % 2 if width <= WIDEST else 0
    keys = np.empty(BLOCK, np.uint16)
    flags = np.empty(BLOCK, np.uint16)
    both = np.zeros((width, width), np.uint16) if paired else np.zeros((1, 1), np.uint16)
    alone = np.zeros((4, width), np.int64)
    step, one, two = np.uint16(width), np.uint16(1), np.uint16(2)
    for start in range(0, items, BLOCK):
        size = min(BLOCK, items - start)
        for row in range(0, paired, 2):
            if len(query_labels[row]) == 1:
                _fill_two(keys, query, query_labels, codes, labels, row, start, size, step)
            else:
                _distances_two(keys, query, codes, row, start, size, step, two)
                for side in range(2):
                    unit, mine = step if side == 0 else one, query_labels[row + side]
                    add_relevance(keys, flags, mine, labels, False, start, size, unit)
            _count_two(keys, size, both, out[row], out[row + 1])
        for row in range(paired, len(query)):
            if len(query_labels[row]) == 1:
                _fill_one(keys, query[row], query_labels[row, 0], codes, labels, start, size)
            else:
                fill_distances(keys, query[row], codes, start, size, two)
                add_relevance(keys, flags, query_labels[row], labels, False, start, size, one)
            _count_one(keys, size, alone, out[row])


@compiled
def count_sorted(query, first, last, codes, total, relevant):
    """As `count_words`, of items with one class each that are sorted by it.

    The items of a query's own class lie side by side, so that no label is
    compared: all items are counted, and those.

    Args:
        query: `(queries, words)` uint64 code words.
        first: `(queries,)` int64, where the items of a query's class begin.
        last: `(queries,)` int64, where they end.
        codes: `(words, items)` uint64, items sorted by class.
        total: `(queries, bins)` int64, added to.
        relevant: `(queries, bins)` int64, added to.
    """
    items, width = codes.shape[1], total.shape[1]
    paired = len(query) - len(query) % 2 if width <= WIDEST else 0
    keys = np.empty(BLOCK, np.uint16)
    both = np.zeros((width, width), np.uint16) if paired else np.zeros((1, 1), np.uint16)
    alone = np.zeros((4, width), np.int64)
    step, one = np.uint16(width), np.uint16(1)
    for start in range(0, items, BLOCK):
        size = min(BLOCK, items - start)
        for row in range(0, paired, 2):
            _distances_two(keys, query, codes, row, start, size, step, one)
            _count_two(keys, size, both, total[row], total[row + 1])
        for row in range(len(query)):
            if row >= paired:
                fill_distances(keys, query[row], codes, start, size, one)
                _count_one(keys, size, alone, total[row])
            left, right = max(first[row], start), min(last[row], start + size)
            if left < right:
                fill_distances(keys, query[row], codes, left, right - left, one)
                _count_one(keys, right - left, alone, relevant[row])


@compiled
def count_weighted(query, query_labels, codes, labels, single, weights, out):
    """As `count_words`, each item as often as its weight `(items,)` int64 says.

    With `single`, labels are class ids.
    """
    items, width = codes.shape[1], out.shape[1]
    keys = np.empty(BLOCK, np.uint16)
    flags = np.empty(BLOCK, np.uint16)
    table = np.empty((4, width), np.int64)
    one, two = np.uint16(1), np.uint16(2)
    for start in range(0, items, BLOCK):
        size = min(BLOCK, items - start)
        weight = weights[start : start + size]
        whole = size & ~3
        for row in range(len(query)):
            fill_distances(keys, query[row], codes, start, size, two)
            add_relevance(keys, flags, query_labels[row], labels, single, start, size, one)
            table[:] = 0
            for j in range(0, whole, 4):
                table[0, keys[j]] += weight[j]
                table[1, keys[j + 1]] += weight[j + 1]
                table[2, keys[j + 2]] += weight[j + 2]
                table[3, keys[j + 3]] += weight[j + 3]
            for j in range(whole, size):
                table[0, keys[j]] += weight[j]
            for column in range(width):
                out[row, column] += (
                    table[0, column] + table[1, column] + table[2, column] + table[3, column]
                )


@compiled
def _fill_one(keys, query, my_label, codes, labels, start, size):
    """Keys of one query, labels of one word."""
    theirs, label, mine = codes[0, start : start + size], labels[0, start : start + size], query[0]
    for j in range(size):
        relevant = np.uint16((my_label & label[j]) != np.uint64(0))
        keys[j] = np.uint16(popcount(mine ^ theirs[j])) * np.uint16(2) + relevant
    for word in range(1, len(query)):
        theirs, mine = codes[word, start : start + size], query[word]
        for j in range(size):
            keys[j] += np.uint16(popcount(mine ^ theirs[j])) * np.uint16(2)


@compiled
def _fill_two(keys, query, query_labels, codes, labels, row, start, size, step):
    """Keys of two queries, labels of one word: read together, written once."""
    one, two = query[row], query[row + 1]
    my_label, other_label = query_labels[row, 0], query_labels[row + 1, 0]
    theirs, label = codes[0, start : start + size], labels[0, start : start + size]
    mine, other = one[0], two[0]
    whole, wide = size & ~7, np.uint64(step)
    for j in range(0, whole, 8):
        write_keys(keys, theirs, label, j, mine, other, my_label, other_label, wide)
    for j in range(whole, size):
        near = np.uint16(popcount(mine ^ theirs[j])) * np.uint16(2)
        far = np.uint16(popcount(other ^ theirs[j])) * np.uint16(2)
        near += np.uint16((my_label & label[j]) != np.uint64(0))
        far += np.uint16((other_label & label[j]) != np.uint64(0))
        keys[j] = near * step + far
    for word in range(1, len(one)):
        theirs, mine, other = codes[word, start : start + size], one[word], two[word]
        for j in range(size):
            near = np.uint16(popcount(mine ^ theirs[j])) * np.uint16(2)
            keys[j] += near * step + np.uint16(popcount(other ^ theirs[j])) * np.uint16(2)


@compiled
def _distances_two(keys, query, codes, row, start, size, step, unit):
    """keys[j] = unit * (step * the distance to one query + that to the next)."""
    one, two = query[row], query[row + 1]
    theirs, mine, other = codes[0, start : start + size], one[0], two[0]
    whole, wide = size & ~7, np.uint64(step)
    for j in range(0, whole, 8):
        write_distances(keys, theirs, j, mine, other, wide)
    for j in range(whole, size):
        near = np.uint16(popcount(mine ^ theirs[j])) * step
        keys[j] = near + np.uint16(popcount(other ^ theirs[j]))
    for word in range(1, len(one)):
        theirs, mine, other = codes[word, start : start + size], one[word], two[word]
        for j in range(size):
            near = np.uint16(popcount(mine ^ theirs[j])) * step
            keys[j] += near + np.uint16(popcount(other ^ theirs[j]))
    if unit > 1:
        for j in range(size):
            keys[j] *= unit


@compiled
def _count_two(keys, size, both, near, far):
    """Add to the counts of two queries; `both` is zero before and after."""
    flat = both.reshape(both.size)
    for j in range(size):  # a block has too few items for 16 bits to overflow
        flat[keys[j]] += np.uint16(1)
    for column in range(len(near)):
        found = np.int64(0)
        row = both[column]
        for other in range(len(far)):
            value = np.int64(row[other])
            found += value
            far[other] += value
        near[column] += found
    flat[:] = 0


@compiled
def _count_one(keys, size, table, out):
    """Add to the counts of one query; `table` is zero before and after."""
    # Four tables in turn: equal neighbours do not wait for each other's store.
    whole = size & ~3
    for j in range(0, whole, 4):
        table[0, keys[j]] += 1
        table[1, keys[j + 1]] += 1
        table[2, keys[j + 2]] += 1
        table[3, keys[j + 3]] += 1
    for j in range(whole, size):
        table[0, keys[j]] += 1
    for column in range(len(out)):
        out[column] += table[0, column] + table[1, column] + table[2, column] + table[3, column]
    table[:] = 0
