"""What a setting is worth, told from training images alone.

A held-out part of a training set is a small database, and in a small database the
balls of radius 2 are empty: a score on it prefers settings that crowd codes. Each
criterion here answers in its own way what the score would be in a database of the
protocol's size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hashbench.cell import FROM_PIXELS
from hashbench.codes import Codes
from hashbench.errors import InputError, unknown
from hashbench.evaluation import Convention, Scores, score

Floats = NDArray[np.float64]
Labels = NDArray[np.uint8]

#: The database is taken whole, in halves, in quarters and in eighths.
PARTS = (1, 2, 4, 8)

#: Items a part has at least.
FEWEST = 20


@dataclass(frozen=True)
class Judged:
    """Codes and labels of held-out items, and what is asked of them.

    Attributes:
        query: codes of the queries.
        database: codes of what is searched.
        query_labels: `(queries, classes)` multi-hot.
        database_labels: `(items, classes)` multi-hot.
        convention: how scores are computed.
        metric: name of the score.
        size: how many items the protocol's own database has.
    """

    query: Codes
    database: Codes
    query_labels: Labels
    database_labels: Labels
    convention: Convention
    metric: str
    size: int

    def within(self, rows: NDArray[np.int64]) -> Floats:
        """The score of each query among these items of the database."""
        (scores,) = score(
            self.query,
            self.database.subset(rows),
            self.query_labels,
            self.database_labels[rows],
            [self.convention],
            curves=False,
        )
        return each_query(scores, self.metric)


def each_query(scores: Scores, metric: str) -> Floats:
    """`(queries,)` a score of each query.

    Raises:
        InputError: if the convention does not define it, or only of all queries together.
    """
    scores.value(metric)
    if metric not in scores.per_query:
        raise InputError(
            f"{metric} has no value for each query, and without such its gain has no "
            "error: tune for another --metric"
        )
    return scores.per_query[metric]


def held_out(judged: Judged) -> Floats:
    """`(queries,)` scores among the items there are."""
    return judged.within(np.arange(len(judged.database)))


def extrapolated(judged: Judged) -> Floats:
    """`(queries,)` scores extended to a database of the protocol's size.

    Scores in the whole database, in its halves, quarters and eighths (each the mean over
    all parts of that size, which hold label sets in their proportions), a straight line
    in log2 of the size through them, read at the real size: a fixed combination of the
    four, so that it is one for each query and the mean of them is the line's value.
    """
    items = len(judged.database)
    _, group = np.unique(judged.database_labels, axis=0, return_inverse=True)
    rank = np.empty(items, np.int64)
    rank[np.argsort(group.ravel(), kind="stable")] = np.arange(items)
    counts = [count for count in PARTS if count < 3 or items // count >= FEWEST]
    levels = []
    for count in counts:
        parts = [judged.within(np.flatnonzero(rank % count == part)) for part in range(count)]
        levels.append(_mean(parts))
    weights = line_weights([items / count for count in counts], judged.size)
    return np.asarray(sum(weight * level for weight, level in zip(weights, levels, strict=True)))


def line_weights(sizes: Sequence[float], size: int) -> Floats:
    """Weights of scores at `sizes` whose sum is the least-squares line in log2 read at `size`."""
    at = np.log2(np.asarray(sizes, np.float64))
    centred = at - at.mean()
    return 1 / len(at) + (np.log2(size) - at.mean()) * centred / (centred @ centred)


def _mean(parts: list[Floats]) -> Floats:
    """The mean of those not left out (NaN), query by query; NaN where all are."""
    values = np.stack(parts)
    there = ~np.isnan(values)
    total = np.where(there, values, 0.0).sum(axis=0)
    count = there.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True)
class Criterion:
    """A way to tell what a setting is worth.

    Attributes:
        name: what `--criterion` calls it.
        inflated: whether the held-out database is filled up with mixtures of its items,
            which have features and no images.
        values: the score of each query.
    """

    name: str
    inflated: bool
    values: Callable[[Judged], Floats]


CRITERIA: Mapping[str, Criterion] = {
    item.name: item
    for item in (
        Criterion("inflated", True, held_out),
        Criterion("extrapolated", False, extrapolated),
        Criterion("held-out", False, held_out),
    )
}


def criterion(name: str | None, mode: str) -> Criterion:
    """The criterion of that name, or the one to take in a training mode.

    Raises:
        InputError: if there is none, with the nearest, or it has no meaning in that mode.
    """
    if name is None:
        name = "extrapolated" if mode in FROM_PIXELS else "inflated"
    if name not in CRITERIA:
        raise unknown("criterion", name, CRITERIA)
    found = CRITERIA[name]
    if found.inflated and mode in FROM_PIXELS:
        raise InputError(
            f"--criterion {name} mixes features and --train {mode} starts from pixels: "
            "take another criterion"
        )
    return found
