"""Equal rows, found once."""

# mypy: disable-error-code="misc,no-untyped-def"
from __future__ import annotations

import numpy as np

from hashbench.evaluation.kernel.basic import compiled


@compiled
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
