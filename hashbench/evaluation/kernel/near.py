"""Counting within a small radius: nearly all items are looked at once and left."""

# mypy: disable-error-code="misc,no-untyped-def,call-arg"
from __future__ import annotations

import numpy as np

from hashbench.evaluation.kernel.basic import compiled, fill_distances, popcount

#: Items a block: their codes stay in the first-level cache for all queries.
BLOCK = 2048
#: Items that are looked at together for one within reach, first many, then few.
STRIDE, STEP = 64, 16


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
        first = codes[0, start : start + size]
        for row in range(len(query)):
            if query.shape[1] == 1:
                found = _near_words(query[row, 0], first, distance, reach, hits)
            else:
                fill_distances(distance, query[row], codes, start, size, np.uint16(1))
                found = _near(distance[:size], reach, hits)
            if found == 0:
                continue
            for hit in range(found):
                j = hits[hit]
                relevant = _shared(query_labels[row], labels, single, start + j)
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
    shared = np.empty(sets.shape[1], np.uint64)
    for row in range(len(query_labels)):
        relevant = np.int64(0)
        shared[:] = 0
        for word in range(len(sets)):
            mine, theirs = query_labels[row, word], sets[word]
            if single:
                for j in range(len(theirs)):
                    shared[j] = np.uint64(mine == theirs[j])
            elif mine != 0:  # of many classes a query has few
                for j in range(len(theirs)):
                    shared[j] |= mine & theirs[j]
        for j in range(len(shared)):
            relevant += weights[j] * np.int64(shared[j] != np.uint64(0))
        found[row, 0], found[row, 1] = every - relevant, relevant
    return found


@compiled
def _near_words(mine, theirs, distance, reach, hits):
    """Write down where codes of one word are within reach, and their distances; how many."""
    found = 0
    for left in range(0, len(theirs), STRIDE):
        part = theirs[left : left + STRIDE]
        if not _any_near(mine, part, reach):
            continue  # most stretches of a database hold nothing near
        for inner in range(0, len(part), STEP):
            few = part[inner : inner + STEP]
            if not _any_near(mine, few, reach):
                continue
            for j in range(len(few)):
                far = np.uint16(popcount(mine ^ few[j]))
                if far <= reach:
                    hits[found] = left + inner + j
                    distance[left + inner + j] = far
                    found += 1
    return found


@compiled
def _any_near(mine, theirs, reach):
    near = np.uint64(0)
    for j in range(len(theirs)):
        near += np.uint64(popcount(mine ^ theirs[j]) <= np.uint64(reach))
    return near > 0


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
def _shared(mine, labels, single, j):
    """1 if item j shares a label, else 0."""
    if single:
        return np.int64(mine[0] == labels[0, j])
    for word in range(len(mine)):
        if mine[word] & labels[word, j]:
            return np.int64(1)
    return np.int64(0)
