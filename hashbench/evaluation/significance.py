"""Is the difference real? Intervals and paired tests from per-query scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.seeds import derive

Floats = NDArray[np.float64]

#: Random numbers drawn at a time, to bound memory.
CHUNK = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A mean over queries and its bootstrap confidence interval."""

    mean: float
    low: float
    high: float
    level: float


@dataclass(frozen=True)
class Comparison:
    """A paired comparison of two methods on the same queries.

    Attributes:
        first: name of the one.
        second: name of the other.
        difference: mean of first minus second.
        queries: how many queries both have a score for.
        p: two-sided p-value of the randomisation test.
        adjusted: p after Holm's correction for all comparisons made.
    """

    first: str
    second: str
    difference: float
    queries: int
    p: float
    adjusted: float


def interval(
    per_query: Floats, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Percentile bootstrap over queries (Efron, 1979); NaN queries are left out.

    Args:
        per_query: `(queries,)` scores.
        level: confidence level.
        resamples: bootstrap samples.
        seed: root seed of the resampling.
    """
    values = per_query[~np.isnan(per_query)]
    n = len(values)
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), level)
    rng = np.random.default_rng(derive(seed, "bootstrap"))
    means = np.empty(resamples)
    step = max(1, CHUNK // n)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        means[start : start + size] = values[rng.integers(0, n, (size, n))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high), level)


def paired_test(
    first: Floats, second: Floats, *, permutations: int = 10_000, seed: int = 0
) -> float:
    """Two-sided p-value of a paired randomisation test (Fisher; Smucker et al., CIKM 2007).

    Under the null hypothesis the two scores of a query are exchangeable, so
    signs of the differences are flipped at random. Queries that either side
    leaves out (NaN) are left out.

    Args:
        first: `(queries,)` scores of one method.
        second: `(queries,)` scores of the other on the same queries, in order.
        permutations: random flips; the smallest p is 1 / (permutations + 1).
        seed: root seed of the flips.

    Raises:
        InputError: if the two are not scores of the same number of queries.
    """
    if first.shape != second.shape:
        raise InputError(
            f"a paired test needs the same queries on both sides, got {len(first)} "
            f"and {len(second)}: compare results of the same split"
        )
    difference = first - second
    difference = difference[~np.isnan(difference)]
    difference = difference[difference != 0]  # a flip of 0 changes nothing
    n = len(difference)
    if n == 0:
        return 1.0
    observed = abs(difference.sum()) * (1 - 1e-12)  # equal sums may differ by rounding
    rng = np.random.default_rng(derive(seed, "randomisation"))
    extreme = 0
    step = max(1, CHUNK // n)
    for start in range(0, permutations, step):
        signs = rng.integers(0, 2, (min(step, permutations - start), n), dtype=np.int8)
        # sum of flipped differences = 2 * (sum of kept ones) - sum of all
        sums = 2 * (signs @ difference) - difference.sum()
        extreme += int((np.abs(sums) >= observed).sum())
    return (extreme + 1) / (permutations + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for being many (Holm, 1979), in the order given."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(order))
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, (len(order) - rank) * p_values[index])
        adjusted[index] = min(1.0, highest)
    return [float(value) for value in adjusted]


def compare(
    *families: Mapping[str, Floats], permutations: int = 10_000, seed: int = 0
) -> list[Comparison]:
    """Every pair of methods, with Holm's correction over all pairs of all families.

    Args:
        families: each a mapping of method name -> `(queries,)` scores on the
            same queries, such as one mapping for each code length.
        permutations: see `paired_test`.
        seed: see `paired_test`.

    Raises:
        InputError: if the numbers of queries within a family differ.
    """
    pairs = [pair for family in families for pair in combinations(family.items(), 2)]
    p_values = [
        paired_test(first, second, permutations=permutations, seed=seed)
        for (_, first), (_, second) in pairs
    ]
    results = []
    for ((name, first), (other, second)), p, adjusted in zip(
        pairs, p_values, holm(p_values), strict=True
    ):
        both = ~np.isnan(first) & ~np.isnan(second)
        difference = float((first - second)[both].mean()) if both.any() else float("nan")
        results.append(Comparison(name, other, difference, int(both.sum()), p, adjusted))
    return results
