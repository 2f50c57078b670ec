"""One family of comparisons: what tables, daggers and `compare` all ask."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from numbers import Integral, Real
from typing import Generic, Literal

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError, shown, unknown
from hashbench.evaluation.statistics.flips import flip_test, holm
from hashbench.evaluation.statistics.pairs import LEVEL, Comparison, compare, p_value, paired_scores
from hashbench.evaluation.statistics.resampling import (
    RESAMPLES,
    SEEDS,
    Floats,
    Interval,
    Name,
    Resampled,
    draw,
    student,
    variance,
    widened,
)
from hashbench.given import given


@dataclass(frozen=True)
class Family(Generic[Name]):
    """Every pair of methods, corrected together.

    Attributes:
        comparisons: in the order of the methods.
        certificate: how often each method is first, over draws of queries and,
            from three on, seeds; equal means share.
        intervals: each method's and each floor's mean and its interval.
        floors: each method against each floor, corrected together and apart from the
            comparisons of methods.
    """

    comparisons: tuple[Comparison[Name], ...]
    certificate: Mapping[Name, float]
    intervals: Mapping[Name, Interval]
    floors: tuple[Comparison[Name], ...] = ()


def compare_family(
    scores: Mapping[Name, Floats],
    *,
    better: Literal["higher", "lower"] = "higher",
    floors: Collection[Name] = (),
    clusters: Sequence[object] | NDArray[np.generic] | None = None,
    level: float = 1 - LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
    below: float = 0.0,
) -> Family[Name]:
    """Compare every two methods on the same queries, over queries and seeds.

    Args:
        scores: `(seeds, queries)` float64 by method, NaN where a query is left
            out; numbers of seeds may differ.
        better: which values are better, for the certificate.
        floors: those that the others are held against, which do not compete: no
            comparison of methods grows harder by them. Floors alone are methods.
        clusters: `(queries,)` classes of the queries, or whatever is alike:
            they are drawn, and flipped, together. None treats each on its own.
        level: confidence level of the intervals.
        resamples: draws of queries and seeds.
        seed: root seed of draws and flips.
        below: p-values, corrected ones too, that are below this may be any others below it,
            which takes less time: Holm's correction makes none more than as often as large as
            there are pairs.

    Raises:
        InputError: if the arrays are not of the same queries, or an argument cannot be meant.
    """
    if not isinstance(scores, Mapping):
        raise InputError(f"scores must be arrays by method, got {shown(scores, 40)}")
    if not (isinstance(level, Real) and 0 < level < 1):
        raise InputError(f"level must be a number between 0 and 1, got {shown(level, 40)}")
    if isinstance(resamples, bool) or not isinstance(resamples, Integral) or resamples < 1:
        raise InputError(f"resamples must be a whole number from 1, got {shown(resamples, 40)}")
    if not isinstance(floors, Collection):
        raise InputError(f"floors must be names of methods, got {shown(floors, 40)}")
    others = [name for name in scores if name not in floors] or list(scores)
    beneath = [name for name in scores if name not in others]
    # Floors last: what is drawn for the others does not depend on them.
    checked = {name: _checked(scores[name]) for name in (*others, *beneath)}
    queries = {matrix.shape[1] for matrix in checked.values()}
    if len(queries) > 1:
        raise InputError(
            "a paired test needs the same queries on all sides, got "
            f"{' and '.join(map(str, sorted(queries)))}: compare results of the same split"
        )
    groups = None
    if clusters is not None:
        groups = np.unique(given("clusters", clusters), return_inverse=True)[1].ravel()
        if groups.shape != (next(iter(queries), 0),):
            raise InputError("clusters must name one class a query")
    draws = draw(checked, clusters=groups, resamples=resamples, seed=seed)
    units = next(iter(queries), 0) if groups is None else int(groups.max(initial=-1)) + 1

    def compared(pairs: Iterable[tuple[Name, Name]]) -> tuple[Comparison[Name], ...]:
        pairs = list(pairs)
        low = below / max(1, len(pairs)) * (1 - 1e-9)  # corrected it is below, rounded too
        found = [compare(*pair, checked, draws, groups, units, level, seed, low) for pair in pairs]
        return tuple(_corrected(found))

    return Family(
        compared(combinations(others, 2)),
        _certificate({name: draws[name] for name in others}, better),
        {name: _interval(item, units, level) for name, item in draws.items()},
        compared(product(others, beneath)),
    )


def certify(
    scores: Mapping[Name, Floats],
    *,
    better: Literal["higher", "lower"] = "higher",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[Name, float]:
    """The certificate of `compare_family` alone, without the test of every pair.

    Args:
        scores: as there, of the same queries, without floors.
        better: as there.
        resamples: as there.
        seed: as there.
    """
    checked = {name: _checked(matrix) for name, matrix in scores.items()}
    return _certificate(draw(checked, clusters=None, resamples=resamples, seed=seed), better)


def leads(
    scores: Mapping[Name, Floats],
    name: Name,
    over: Collection[Name],
    *,
    better: Literal["higher", "lower"] = "higher",
    floors: Collection[Name] = (),
    seed: int = 0,
) -> bool:
    """Whether a method is better than some others over queries, as `compare_family` has it.

    The other pairs are tested only where the method's own do not decide, for Holm's
    correction lowers no p, and raises none beyond the number of pairs; and of them only
    those may need flips whose p is between that bound and the largest of the method's own.

    Args:
        scores: as there.
        name: the method.
        over: those it must be better than.
        better: as there.
        floors: as there.
        seed: as there.
    """
    others = [other for other in scores if other not in floors] or list(scores)
    checked = {other: _checked(scores[other]) for other in others}
    sign = -1 if better == "lower" else 1
    nearest = sorted(over, key=lambda other: -sign * _mean(checked[other]))
    for other in nearest[:1]:  # what decides most columns takes no draw
        paired = checked[name].mean(axis=0) - checked[other].mean(axis=0)
        if not np.isnan(paired).any() and flip_test(paired, seed) > LEVEL:
            return False
    draws = draw(checked, seed=seed)
    units, pairs = checked[name].shape[1], list(combinations(others, 2))
    own = {}
    for other in nearest:
        first, second = sorted((name, other), key=others.index)
        found = compare(first, second, checked, draws, None, units, 1 - LEVEL, seed)
        ahead = sign * found.difference * (1 if first == name else -1)
        if ahead <= 0 or not found.over_queries():
            return False
        own[first, second] = found.p
    largest = max(own.values(), default=0.0)
    if largest * len(pairs) <= LEVEL:
        return True
    harmless = LEVEL / len(pairs) * (1 - 1e-9)  # not by rounding either
    p_values = [
        own[first, second]
        if (first, second) in own
        else p_value(
            paired_scores(checked[first], checked[second])[1],
            draws[first], draws[second], units, seed, low=harmless, high=largest,
        )
        for first, second in pairs
    ]  # fmt: skip
    adjusted = dict(zip(pairs, holm(p_values), strict=True))
    return all(adjusted[pair] <= LEVEL for pair in own)


def _mean(matrix: Floats) -> float:
    known = matrix[~np.isnan(matrix)]
    return float(known.mean()) if len(known) else float("-inf")


def correct(families: Sequence[Family[Name]]) -> list[Family[Name]]:
    """The same families, with Holm's correction over the comparisons of methods of all."""
    adjusted = iter(_corrected([item for family in families for item in family.comparisons]))
    return [
        replace(family, comparisons=tuple(next(adjusted) for _ in family.comparisons))
        for family in families
    ]


def _corrected(found: Sequence[Comparison[Name]]) -> list[Comparison[Name]]:
    adjusted = holm([item.p for item in found])
    return [replace(item, adjusted=value) for item, value in zip(found, adjusted, strict=True)]


def _checked(matrix: Floats) -> Floats:
    plain = given("scores", matrix)
    if plain.dtype.kind not in "biuf":
        raise InputError(f"scores must be numbers, got {plain.dtype}")
    array = np.atleast_2d(plain.astype(np.float64, copy=False))
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"scores must be (seeds, queries), got shape {plain.shape}")
    if np.isinf(array).any():
        raise InputError("scores must be finite, or NaN where a query is left out, got infinity")
    return array


def _interval(item: Resampled, units: int, level: float) -> Interval:
    variances = [(item.seed_variance, item.seeds)] if item.seeds >= SEEDS else []
    _, freedom = student(variance(item.by_queries), units, variances)
    return Interval(item.mean, *widened(item.mean, item.drawn, level, freedom), level, item.seeds)


def _certificate(draws: Mapping[Name, Resampled], better: str) -> dict[Name, float]:
    if not draws:
        return {}
    values = np.stack([item.drawn for item in draws.values()])
    if not isinstance(better, str) or better not in ("higher", "lower"):
        raise unknown("direction", shown(better), ("higher", "lower"))
    values = np.nan_to_num(values if better == "higher" else -values, nan=-np.inf)
    first = values == values.max(axis=0)
    share = (first / first.sum(axis=0)).mean(axis=1)
    return dict(zip(draws, map(float, share), strict=True))
