"""Queries that are rows of their own database: noticed from codes and labels alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.evaluation.words import code_words

#: Rows hashed together, to bound memory.
ROWS = 1 << 20


def overlap(
    query: Codes, database: Codes, query_labels: NDArray[Any], database_labels: NDArray[Any]
) -> int:
    """How many queries seem to be rows of the database, 0 where nothing tells.

    A query that is a database row has the code, the labels and, where they are
    known, the real outputs of that row. Trained codes coincide anyway: what
    tells is that queries find a twin in the database far more often than
    database rows find a second one.

    Args:
        query: `queries` codes.
        database: `items` codes.
        query_labels: `(queries, classes)` multi-hot or `(queries,)` class ids.
        database_labels: the same of the database.
    """
    fitting = (
        query.bits == database.bits
        and query_labels.shape[1:] == database_labels.shape[1:]
        and (len(query_labels), len(database_labels)) == (len(query), len(database))
    )
    if not fitting or not len(query) or not len(database):
        return 0  # what `score` will refuse
    real = query.relaxed is not None and database.relaxed is not None
    mine = _marks(query, query_labels, slice(None), real)
    size = min(len(database), max(len(query), 100))
    sample = np.linspace(0, len(database) - 1, size).astype(int)  # steps of 1 or more
    theirs = _marks(database, database_labels, sample, real)
    needles = np.sort(np.concatenate([mine, theirs]))
    times = np.zeros(len(needles), np.int64)
    for start in range(0, len(database), ROWS):
        hay = _marks(database, database_labels, slice(start, start + ROWS), real)
        place = np.minimum(np.searchsorted(needles, hay), len(needles) - 1)
        times += np.bincount(place[needles[place] == hay], minlength=len(needles))
    found = int((times[np.searchsorted(needles, mine)] > 0).sum())
    share = float((times[np.searchsorted(needles, theirs)] > 1).mean())
    expected = len(mine) * share
    surprise = 6 * np.sqrt(len(mine) * share * (1 - share) * 2) + 3
    # A few queries all of which find a twin, where hardly a database row does.
    by_chance = (share + 1 / size) ** len(mine)
    return found if found > expected + surprise or (found == len(mine) and by_chance <= 0.01) else 0


def _marks(
    codes: Codes, labels: NDArray[Any], rows: slice | NDArray[np.int64], real: bool
) -> NDArray[np.uint64]:
    """A 64-bit mark a row, equal for rows with equal code, labels and outputs."""
    part = np.asarray(labels[rows])
    kinds = part[:, None].astype(np.int64).view(np.uint8) if part.ndim == 1 else part > 0
    sides = [codes.packed[rows], kinds if part.ndim == 1 else np.packbits(kinds, axis=1)]
    if real and codes.relaxed is not None:
        outputs = np.ascontiguousarray(codes.relaxed[rows] + np.float32(0))  # -0 is 0
        sides.append(outputs.view(np.uint8))
    mark = np.zeros(len(part), np.uint64)
    for side in sides:
        for word in code_words(np.ascontiguousarray(side)):
            mark = (mark ^ word) * np.uint64(0x9E3779B97F4A7C15)
            mark ^= mark >> np.uint64(29)
    return mark
