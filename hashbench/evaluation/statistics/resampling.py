"""Draws of queries and seeds: means of means, as other draws might have given them.

Queries and seeds are crossed: every query is scored under every seed, so both
are drawn anew (Owen, 2007). Methods share the draw of queries, as they share the
queries; seeds are each method's own. Below three seeds queries alone are drawn.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hashbench.seeds import derive

Floats = NDArray[np.float64]
Name = TypeVar("Name", bound=Hashable)

#: Seeds from which on they can be drawn.
SEEDS = 3
#: Draws.
RESAMPLES = 2000
#: Numbers held at a time, to bound memory.
CHUNK = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval.

    Attributes:
        mean: over seeds, of each seed's mean over the queries it counts.
        low: lower end.
        high: upper end.
        level: confidence level.
        seeds: how many seeds there are.
    """

    mean: float
    low: float
    high: float
    level: float
    seeds: int = 1


@dataclass(frozen=True, eq=False)
class Resampled:
    """What one method's mean is under each draw.

    Attributes:
        mean: over the seeds and queries there are.
        by_queries: `(draws,)` its mean with queries drawn, seeds as they are.
        drawn: `(draws,)` its mean with queries and, from three on, seeds drawn.
        seed_variance: of the mean, by its seeds; 0 below three.
        noise: the part of that which lies in single queries, and so is in the
            variance by queries too; 0 below three seeds.
        seeds: how many seeds there are.
    """

    mean: float
    by_queries: Floats
    drawn: Floats
    seed_variance: float
    noise: float
    seeds: int


def draw(
    scores: Mapping[Name, Floats],
    *,
    clusters: NDArray[np.int64] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[Name, Resampled]:
    """Draw queries and seeds anew.

    Args:
        scores: `(seeds, queries)` by method, NaN where a query is left out.
        clusters: `(queries,)` which queries are drawn together, such as those
            of one class; None draws each on its own.
        resamples: draws.
        seed: root seed of the draws.
    """
    sums: dict[Name, list[Floats]] = {name: [] for name in scores}
    queries = next(iter(scores.values())).shape[1] if scores else 0
    units = queries if clusters is None else int(clusters.max(initial=-1)) + 1
    step = max(1, CHUNK // max(1, queries))
    for weights in _weights(units, resamples if queries else 0, step, seed):
        if clusters is not None:
            weights = weights[:, clusters]
        every = weights.sum(axis=1, keepdims=True)
        for name, matrix in scores.items():
            counted = ~np.isnan(matrix)
            total = weights @ np.where(counted, matrix, 0.0).T
            drawn = every if counted.all() else weights @ counted.T.astype(np.float64)
            with np.errstate(invalid="ignore", divide="ignore"):
                sums[name].append(total / drawn)
    return {
        name: _draws(matrix, np.concatenate(sums[name]), derive(seed, "seeds", str(place)))
        for place, (name, matrix) in enumerate(scores.items())
    }


def _weights(units: int, resamples: int, step: int, seed: int) -> Iterator[Floats]:
    """How often each unit is drawn, `(draws, units)`, at most `step` draws at a time."""
    if 0 < resamples <= step:  # every column of a table asks for the same ones
        yield _whole(units, resamples, seed)
        return
    rng = np.random.default_rng(derive(seed, "bootstrap"))
    for start in range(0, resamples, step):
        yield _drawn(rng, units, min(step, resamples - start))


@lru_cache(maxsize=2)
def _whole(units: int, resamples: int, seed: int) -> Floats:
    weights = _drawn(np.random.default_rng(derive(seed, "bootstrap")), units, resamples)
    weights.setflags(write=False)
    return weights


def _drawn(rng: np.random.Generator, units: int, size: int) -> Floats:
    return rng.multinomial(units, np.full(units, 1 / units), size=size).astype(np.float64)


def _draws(matrix: Floats, means: Floats, seed: int) -> Resampled:
    """Draw the seeds of one method, given `(draws, seeds)` means over drawn queries."""
    own = np.array(
        [row[~np.isnan(row)].mean() if (~np.isnan(row)).any() else np.nan for row in matrix]
    )
    seeds = len(matrix)
    by_queries = means.mean(axis=1)
    if seeds < SEEDS:
        return Resampled(float(own.mean()), by_queries, by_queries, 0.0, 0.0, seeds)
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, seeds, means.shape)
    # Draws from n seeds vary by (n - 1) / n of what seeds do.
    away = (np.take_along_axis(means, chosen, axis=1).mean(axis=1) - by_queries) * np.sqrt(
        seeds / (seeds - 1)
    )
    by_seeds = float(own.var(ddof=1)) / seeds
    noise = min(by_seeds, _noise(matrix))
    return Resampled(float(own.mean()), by_queries, by_queries + away, by_seeds, noise, seeds)


def _noise(matrix: Floats) -> float:
    """Variance of the mean by what seeds and queries do not explain on their own."""
    whole = matrix[:, ~np.isnan(matrix).any(axis=0)]
    seeds, queries = whole.shape
    if queries < 2:
        return 0.0
    rest = whole - whole.mean(axis=1, keepdims=True) - whole.mean(axis=0) + whole.mean()
    return float((rest**2).sum() / ((seeds - 1) * (queries - 1)) / (seeds * queries))


def variance(values: Floats) -> float:
    """Of the values that are not NaN; 0 if none is."""
    known = values[~np.isnan(values)]
    return float(known.var()) if len(known) else 0.0


def student(
    query_variance: float, units: int, seed_variances: list[tuple[float, int]]
) -> tuple[float, float]:
    """Standard error and degrees of freedom (Welch, 1947; Satterthwaite, 1946).

    Args:
        query_variance: of the mean, by its queries.
        units: how many of these (or of their clusters) there are.
        seed_variances: variance of the mean by seeds and number of seeds, of
            each method that has enough of them.
    """
    parts = [(query_variance, units), *seed_variances]
    total = sum(variance for variance, _ in parts)
    below = sum(variance**2 / (number - 1) for variance, number in parts if number > 1)
    return float(np.sqrt(total)), float(total**2 / below) if below > 0 else float("inf")


def widened(centre: float, values: Floats, level: float, freedom: float) -> tuple[float, float]:
    """The percentile interval, widened from the normal to Student's distribution."""
    from scipy.special import ndtri, stdtrit

    if not np.isfinite(values).any():
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    factor = stdtrit(freedom, 1 - tail) / ndtri(1 - tail) if np.isfinite(freedom) else 1.0
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(centre + (low - centre) * factor), float(centre + (high - centre) * factor)
