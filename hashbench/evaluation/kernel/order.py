"""Rankings in storage order, without a sort.

Where the distances of a query are counted, each item's rank is known as the
database is read: as many as are nearer, and as many as were met at its own
distance. The precisions are the same, and are summed in the same order, as
those of a stable sort.
"""

# mypy: disable-error-code="misc,no-untyped-def,call-arg,assignment"
from __future__ import annotations

import numpy as np

from hashbench.evaluation.kernel.basic import add_relevance, compiled, fill_distances
from hashbench.evaluation.kernel.near import find_near, shared

#: Items a block.
BLOCK = 2048


@compiled
def rank_stored(
    query, query_labels, codes, labels, single, total, relevant, near, most, wanted, out
):
    """Sum precisions of the database in order of distance, then as stored.

    Args:
        query: `(queries, words)` uint64 code words.
        query_labels: `(queries, label words)` uint64, or class ids if `single`.
        codes: `(words, items)` uint64 as stored.
        labels: `(label words, items)` uint64, or class ids.
        single: whether labels are class ids.
        total: `(queries, bins)` int64, items at each distance.
        relevant: `(queries, bins)` int64, relevant items at each distance.
        near: whether the last bin holds all greater distances, whose items are
            passed over; then no lists are to be asked for.
        most: the most relevant items any query has.
        wanted: lengths of lists, and numbers of first relevant items, int64.
        out: float64 arrays, written to: the sum of the precisions at the
            relevant items of each distance, `(queries, bins)`; of the lists the
            sum of precisions and the number of relevant items, `(queries,
            lengths)` each; of the first relevant items the sum, `(queries,
            firsts)`.
    """
    items, bins = codes.shape[1], total.shape[1]
    lengths, firsts = wanted
    gains, sums, hits, first_sums = out
    keys, flags = np.empty(BLOCK, np.uint16), np.empty(BLOCK, np.uint16)
    met, inside = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    reach = np.uint16(bins - 2) if near else np.uint16(0)
    places, seen = np.empty(bins, np.int64), np.empty(bins, np.int64)
    precision, rank = np.empty(most, np.float64), np.empty(most, np.int64)
    for row in range(len(query)):
        places[0] = seen[0] = 0
        for column in range(1, bins):
            places[column] = places[column - 1] + total[row, column - 1]
            seen[column] = seen[column - 1] + relevant[row, column - 1]
        every = seen[bins - 1] + relevant[row, bins - 1]
        gain = gains[row]
        for start in range(0, items, BLOCK):
            size = min(BLOCK, items - start)
            found = 0
            if near:
                within = find_near(query[row], codes, start, size, reach, keys, inside)
                for hit in range(within):
                    distance = np.int64(keys[inside[hit]])
                    place = places[distance]
                    places[distance] = place + 1
                    met[found] = (place << 16) | distance
                    found += shared(query_labels[row], labels, single, start + inside[hit])
            else:
                fill_distances(keys, query[row], codes, start, size, np.uint16(2))
                mine = query_labels[row]
                add_relevance(keys, flags, mine, labels, single, start, size, np.uint16(1))
                for j in range(size):
                    key = keys[j]
                    distance = np.int64(key >> 1)
                    place = places[distance]
                    places[distance] = place + 1
                    # Written whether relevant or not, and written over if not.
                    met[found] = (place << 16) | distance
                    found += np.int64(key & 1)
            for j in range(found):
                distance, place = met[j] & 0xFFFF, met[j] >> 16
                hit = seen[distance]
                seen[distance] = hit + 1
                value = (hit + 1) / (place + 1)
                gain[distance] += value
                precision[hit] = value
                rank[hit] = place
        for number in range(len(lengths)):
            first, last = np.int64(0), every
            while first < last:  # the first hit whose rank is beyond the list
                middle = (first + last) // 2
                if rank[middle] < lengths[number]:
                    first = middle + 1
                else:
                    last = middle
            hits[row, number] = first
            sums[row, number] = _sum(precision, 0, first)
        for number in range(len(firsts)):
            first_sums[row, number] = _sum(precision, 0, min(every, firsts[number]))


@compiled
def _sum(values, start, size):
    """The sum of `size` values from `start` on, added up as `np.sum` does: in halves."""
    if size < 8:
        few = 0.0
        for j in range(start, start + size):
            few += values[j]
        return few
    if size <= 128:
        return _sum_eights(values, start, size)
    # Halves of halves, the left first, by a list of what is left to do.
    starts, sizes = np.empty(64, np.int64), np.empty(64, np.int64)
    states, lefts = np.zeros(64, np.int64), np.zeros(64, np.float64)
    starts[0], sizes[0], depth, result = start, size, 0, 0.0
    while depth >= 0:
        half = sizes[depth] // 2
        half -= half % 8
        if sizes[depth] <= 128:
            result = _sum_eights(values, starts[depth], sizes[depth])
            depth -= 1
        elif states[depth] == 0:
            states[depth] = 1
            starts[depth + 1], sizes[depth + 1], states[depth + 1] = starts[depth], half, 0
            depth += 1
        elif states[depth] == 1:
            lefts[depth], states[depth] = result, 2
            starts[depth + 1] = starts[depth] + half
            sizes[depth + 1], states[depth + 1] = sizes[depth] - half, 0
            depth += 1
        else:
            result = lefts[depth] + result
            depth -= 1
    return result


@compiled
def _sum_eights(values, start, size):
    """The sum of 8 to 128 values in eight sums side by side."""
    r0, r1, r2, r3 = values[start], values[start + 1], values[start + 2], values[start + 3]
    r4, r5, r6, r7 = values[start + 4], values[start + 5], values[start + 6], values[start + 7]
    whole = size - size % 8
    for j in range(start + 8, start + whole, 8):
        r0 += values[j]
        r1 += values[j + 1]
        r2 += values[j + 2]
        r3 += values[j + 3]
        r4 += values[j + 4]
        r5 += values[j + 5]
        r6 += values[j + 6]
        r7 += values[j + 7]
    result = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    for j in range(start + whole, start + size):
        result += values[j]
    return result
