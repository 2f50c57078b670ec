"""Counting within a small radius: nearly all items are looked at once and left."""

# mypy: disable-error-code="misc,no-untyped-def,call-arg,var-annotated"
from __future__ import annotations

import numpy as np

from hashbench.evaluation.kernel.basic import compiled, fill_distances, popcount
from hashbench.evaluation.kernel.lanes import near_mask

#: Items a block: their codes stay in the first-level cache for all queries.
BLOCK = 2048
#: Items that are looked at together for one within reach.
STRIDE = 64


@compiled
def count_near(query, query_labels, codes, labels, single, weights, rest, out):
    """Count items at distances below bins - 1; everything farther is in the last bin.

    Args:
        query: `(queries, words)` uint64 code words.
        query_labels: `(queries, label words)` uint64, or class ids if `single`.
        codes: `(words, items)` uint64.
        labels: `(label words, items)` uint64, or class ids.
        single: whether labels are class ids.
        weights: `(items,)` int64, or of length 0 when every item counts once.
        rest: `(queries, 2)` int64, all items there are, irrelevant and relevant.
        out: `(queries, 2 * bins)` int64, added to; column 2 * distance + relevant.
    """
    items, width = codes.shape[1], out.shape[1]
    reach = np.uint16(width // 2 - 2)
    counts = np.zeros(width, np.int64)
    distance = np.zeros(BLOCK, np.uint16)
    hits = np.empty(BLOCK, np.int64)
    for row in range(len(query)):
        out[row, width - 2] += rest[row, 0]
        out[row, width - 1] += rest[row, 1]
    for start in range(0, items, BLOCK):
        size = min(BLOCK, items - start)
        for row in range(len(query)):
            found = find_near(query[row], codes, start, size, reach, distance, hits)
            if found == 0:
                continue
            for hit in range(found):
                j = hits[hit]
                relevant = shared(query_labels[row], labels, single, start + j)
                weight = weights[start + j] if len(weights) else np.int64(1)
                counts[2 * np.int64(distance[j]) + relevant] += weight
            for column in range(width - 2):
                several = counts[column]
                out[row, column] += several
                out[row, width - 2 + (column & 1)] -= several
                counts[column] = 0


@compiled
def count_relevant(query_labels, sets, weights, single):
    """`(queries, 2)` int64, how many items share no label with each query, and how many one.

    Args:
        query_labels: `(queries, label words)` uint64, or class ids if `single`.
        sets: `(label words, sets)` uint64, each different set of labels once.
        weights: `(sets,)` int64, how many items have it.
        single: whether labels are class ids.
    """
    found = np.zeros((len(query_labels), 2), np.int64)
    every = weights.sum()
    some = np.empty(sets.shape[1], np.uint64)
    for row in range(len(query_labels)):
        relevant = np.int64(0)
        mine = query_labels[row]
        words = 0
        for word in range(len(mine)):
            words += mine[word] != 0
        if single or words == 1:  # of many classes a query has few
            for word in range(len(mine)):
                one, theirs = mine[word], sets[word]
                if single:
                    for j in range(len(theirs)):
                        relevant += weights[j] * np.int64(one == theirs[j])
                elif one != 0:
                    for j in range(len(theirs)):
                        relevant += weights[j] if one & theirs[j] else np.int64(0)
        elif words:
            some[:] = 0
            for word in range(len(mine)):
                one, theirs = mine[word], sets[word]
                if one != 0:
                    for j in range(len(theirs)):
                        some[j] |= one & theirs[j]
            for j in range(len(some)):
                relevant += weights[j] if some[j] else np.int64(0)
        found[row, 0], found[row, 1] = every - relevant, relevant
    return found


@compiled
def find_near(mine, codes, start, size, reach, distance, hits):
    """Write down which items of a block are within reach, and their distances; how many.

    Args:
        mine: `(words,)` uint64 code words of a query.
        codes: `(words, items)` uint64.
        start: where the block begins.
        size: its items, at most `BLOCK`.
        reach: the greatest distance, uint16.
        distance: `(BLOCK,)` uint16, written at least where items are within reach.
        hits: `(BLOCK,)` int64, places in the block, ascending.
    """
    if len(mine) == 1:
        return _near_words(mine[0], codes[0, start : start + size], distance, reach, hits)
    fill_distances(distance, mine, codes, start, size, np.uint16(1))
    return _near(distance[:size], reach, hits)


@compiled
def _near_words(mine, theirs, distance, reach, hits):
    """Write down where codes of one word are within reach, and their distances; how many."""
    found = 0
    whole = len(theirs) // STRIDE * STRIDE
    for left in range(0, whole, STRIDE):
        mask = near_mask(theirs, left, mine, np.uint64(reach))
        while mask:  # most stretches of a database hold nothing near
            last = mask & (~mask + np.uint64(1))
            j = left + np.int64(popcount(last - np.uint64(1)))
            hits[found] = j
            distance[j] = np.uint16(popcount(mine ^ theirs[j]))
            found += 1
            mask ^= last
    for j in range(whole, len(theirs)):
        far = np.uint16(popcount(mine ^ theirs[j]))
        if far <= reach:
            hits[found] = j
            distance[j] = far
            found += 1
    return found


@compiled
def _near(distance, reach, hits):
    """Write down which distances are within reach; how many."""
    found = 0
    for left in range(0, len(distance), STRIDE):
        part = distance[left : left + STRIDE]
        near = np.uint16(0)
        for j in range(len(part)):
            near += np.uint16(part[j] <= reach)
        if near == 0:
            continue
        for j in range(len(part)):
            if part[j] <= reach:
                hits[found] = left + j
                found += 1
    return found


@compiled
def shared(mine, labels, single, j):
    """1 if item j shares a label, else 0."""
    if single:
        return np.int64(mine[0] == labels[0, j])
    for word in range(len(mine)):
        if mine[word] & labels[word, j]:
            return np.int64(1)
    return np.int64(0)
