"""Two methods, compared on the same queries, over queries and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from hashbench.evaluation.statistics.flips import flip_bound, flip_test
from hashbench.evaluation.statistics.resampling import (
    SEEDS,
    Floats,
    Name,
    Resampled,
    student,
    variance,
    widened,
)

#: Two methods are compared on at least this share of the queries either counts.
COMMON = 0.95
LEVEL = 0.05


@dataclass(frozen=True)
class Comparison(Generic[Name]):
    """Two methods, compared on the same queries.

    Attributes:
        first: the one.
        second: the other.
        difference: mean of first minus mean of second, as a table shows them:
            over seeds, of each seed's mean over the queries it counts.
        low: lower end of the difference's confidence interval.
        high: upper end.
        queries: how many queries every seed of both counts.
        common: their share of the queries either counts.
        seeds: the smaller number of seeds.
        p: two-sided; from three seeds on the larger of that of the paired
            randomisation test over queries and that of queries and seeds drawn
            anew, else the former.
        adjusted: p after Holm's correction over the family.
        against: why it is not called significant, whatever p; empty if nothing
            stands against it. Few seeds are no such reason, see `over_queries`.
    """

    first: Name
    second: Name
    difference: float
    low: float
    high: float
    queries: int
    common: float
    seeds: int
    p: float
    adjusted: float
    against: str = ""

    def significant(self, level: float = LEVEL) -> bool:
        """Whether the difference would be there with other queries and other seeds."""
        return self.seeds >= SEEDS and self.over_queries(level)

    def over_queries(self, level: float = LEVEL) -> bool:
        """Whether it would be there with other queries; below three seeds no more can be said."""
        return not self.against and self.adjusted <= level


def compare(
    first: Name,
    second: Name,
    scores: Mapping[Name, Floats],
    draws: Mapping[Name, Resampled],
    groups: NDArray[np.int64] | None,
    units: int,
    level: float,
    seed: int,
    low: float = 0.0,
) -> Comparison[Name]:
    """Compare two methods; p is not yet corrected.

    Args:
        first: the one.
        second: the other.
        scores: `(seeds, queries)` of each method, NaN where a query is left out.
        draws: of each method.
        groups: `(queries,)` what is flipped together; None flips each query on its own.
        units: how many queries or groups there are.
        level: confidence level of the interval.
        seed: root seed of the flips.
        low: a p not above this may be any other not above it.
    """
    counted = [~np.isnan(scores[name]) for name in (first, second)]
    either = int((counted[0].any(axis=0) | counted[1].any(axis=0)).sum())
    both, paired = paired_scores(scores[first], scores[second])
    queries = int(both.sum())
    flipped = paired if groups is None else np.bincount(groups[both], paired).astype(np.float64)
    mine, theirs = draws[first], draws[second]
    p = p_value(flipped, mine, theirs, units, seed, low=low)
    difference = mine.mean - theirs.mean
    spread, rest, _, freedom = _errors(mine, theirs, units)
    away = mine.by_queries - theirs.by_queries - difference
    shrunk = away * (np.sqrt(rest / spread) - 1) if spread else 0.0
    low, high = widened(difference, mine.drawn - theirs.drawn + shrunk, level, freedom)
    against = ""
    if queries < COMMON * either or queries == 0:
        against = f"only {queries:,} of {either:,} queries in common"
    elif paired.sum() * difference < 0:
        against = "on the queries in common the difference is the other way round"
    common = queries / either if either else 0.0
    seeds = min(mine.seeds, theirs.seeds)
    return Comparison(first, second, difference, low, high, queries, common, seeds, p, p, against)


def p_value(
    flipped: Floats,
    mine: Resampled,
    theirs: Resampled,
    units: int,
    seed: int,
    *,
    low: float = 0.0,
    high: float = 1.0,
) -> float:
    """The p of a `Comparison`, where it is between two bounds; beyond them any number beyond.

    Signs are drawn only where they may matter.

    Args:
        flipped: differences of single queries or groups.
        mine: draws of the one method.
        theirs: of the other.
        units: as in `compare`.
        seed: as there.
        low: the one bound, which lies beyond.
        high: the other, which does not.
    """
    least = _p_by_draws(mine, theirs, units)
    most = max(least, flip_bound(flipped))
    if least > high or most <= max(least, low):
        return most
    return max(least, flip_test(flipped, seed))


def paired_scores(mine: Floats, theirs: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Which queries every seed of both counts, and the differences of their means."""
    both = np.asarray(~(np.isnan(mine).any(axis=0) | np.isnan(theirs).any(axis=0)))
    return both, mine[:, both].mean(axis=0) - theirs[:, both].mean(axis=0)


def _errors(mine: Resampled, theirs: Resampled, units: int) -> tuple[float, float, float, float]:
    """Of a difference: its variance by queries, that without what seeds have, error, freedom."""
    spread = variance(mine.by_queries - theirs.by_queries)
    rest = max(0.0, spread - mine.noise - theirs.noise)  # counted with the seeds already
    seeds = [(side.seed_variance, side.seeds) for side in (mine, theirs) if side.seeds >= SEEDS]
    return spread, rest, *student(rest, units, seeds)


def _p_by_draws(mine: Resampled, theirs: Resampled, units: int) -> float:
    """By queries and seeds drawn anew; 0 below three seeds."""
    from scipy.special import ndtr, stdtr

    if min(mine.seeds, theirs.seeds) < SEEDS:
        return 0.0
    difference = mine.mean - theirs.mean
    _, _, error, freedom = _errors(mine, theirs, units)
    if error == 0:
        return 0.0 if difference else 1.0
    t = -abs(difference) / error
    return float(2 * (stdtr(freedom, t) if np.isfinite(freedom) else ndtr(t)))
