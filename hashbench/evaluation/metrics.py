"""From histograms and rankings to the metrics of a convention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.evaluation.convention import Convention
from hashbench.evaluation.histograms import Histograms
from hashbench.evaluation.ranking import Ranked
from hashbench.evaluation.scores import Floats, Scores, mean
from hashbench.evaluation.ties import TiedRanking, Top

#: Lengths of the "p@n" and "r@n" curves, as far as the database goes.
CURVE_LENGTHS = (1, 2, 5, 10, 20, 50, *range(100, 1001, 100), 2000, 5000)


def list_lengths(
    convention: Convention, cutoffs: Sequence[int], items: int
) -> tuple[dict[str, int], list[int]]:
    """The lists a convention evaluates: lengths by metric suffix, and of the curve."""
    if not convention.has_list:
        return {}, []
    if convention.cutoff is None:
        named = {"": items} | {f"@{n}": n for n in cutoffs}
    elif convention.cutoff == -1:
        named = {"": items - 1}
    else:
        named = {f"@{convention.cutoff}": convention.cutoff}
    longest = max(named.values())
    curve = [n for n in CURVE_LENGTHS if n <= min(longest, items)]
    return {suffix: min(n, items) for suffix, n in named.items()}, curve


def scores_of(
    convention: Convention,
    histograms: Histograms,
    ranked: Ranked | None,
    cutoffs: Sequence[int],
    steps: int,
    with_curves: bool,
) -> Scores:
    """Every metric of `convention`.

    Args:
        convention: the choices to follow.
        histograms: counts of the whole database.
        ranked: the rankings of a convention that needs them, else None.
        cutoffs: lengths N of `map@N`, `p@N` and `r@N`.
        steps: histogram bins per unit of distance.
        with_curves: whether to include the curves.
    """
    table = _Table(convention, histograms, ranked, steps)
    values: dict[str, float] = {}
    per_query: dict[str, Floats] = {}
    curves: dict[str, list[float]] = {}
    if convention.has_ball:
        _ball(table, values, per_query, curves)
    if convention.has_list:
        _list(table, cutoffs, values, per_query, curves)
    pairs = table.relevant.sum(axis=0), (table.total - table.relevant).sum(axis=0)
    if steps == 1:  # half-integer distances have no place on the curve
        curves["similar"], curves["dissimilar"] = ([float(v) for v in side] for side in pairs)
    return Scores(convention, values, per_query, curves if with_curves else {})


@dataclass(frozen=True, eq=False)
class _Table:
    convention: Convention
    histograms: Histograms
    ranked: Ranked | None
    steps: int

    @property
    def total(self) -> NDArray[np.int64]:
        return self.histograms.total

    @property
    def relevant(self) -> NDArray[np.int64]:
        return self.histograms.relevant

    @property
    def every(self) -> NDArray[np.int64]:
        """`(queries,)` relevant items in the database."""
        return np.asarray(self.relevant.sum(axis=1))

    @cached_property
    def tied(self) -> TiedRanking:
        return TiedRanking(self.total, self.relevant, self.convention.order)

    @property
    def items(self) -> int:
        return int(self.total[0].sum())

    def unanswerable(self) -> NDArray[np.bool_]:
        """Queries that the convention leaves out for having nothing to find."""
        return (self.every == 0) & (self.convention.norelevant == "drop")

    def top(self, length: int) -> Top:
        if self.ranked is not None:
            return self.ranked.top[length]
        return self.tied.top(length, self.convention.denominator, self.convention.nohit)

    def hits(self, length: int) -> Floats:
        return self.tied.hits(length) if self.ranked is None else self.ranked.top[length].hits

    def gains(self) -> Floats | None:
        return self.tied.gains if self.ranked is None else self.ranked.gains


def _ball(
    table: _Table,
    values: dict[str, float],
    per_query: dict[str, Floats],
    curves: dict[str, list[float]],
) -> None:
    choice, radius = table.convention, table.convention.radius
    size = np.cumsum(table.total, axis=1)[:, :: table.steps]
    hits = np.cumsum(table.relevant, axis=1)[:, :: table.steps]
    every = table.every[:, None]
    empty = size == 0
    nohit = ~empty & (hits == 0)
    dropped = empty & (choice.empty == "drop")
    missing = table.unanswerable()[:, None]
    dropped_ap = dropped | missing | (nohit & (choice.nohit == "drop"))
    bound = {"hits": hits, "min": np.minimum(every, size), "total": every + 0 * size}
    precision = _masked(_ratio(hits, size), dropped)
    recall = _masked(_ratio(hits, every + 0 * size), dropped | missing)

    at = min(radius, size.shape[1] - 1)  # beyond the last distance nothing changes
    groups = table.gains()
    if groups is None:  # re-ranked within this one ball
        gain = table.ranked.ball_gain if table.ranked is not None else np.zeros(len(size))
        ap = _masked(_ratio(gain, bound[choice.denominator][:, at]), dropped_ap[:, at])
    else:
        by_radius = np.cumsum(groups[:, : table.total.shape[1]], axis=1)[:, :: table.steps]
        ap_by_radius = _masked(_ratio(by_radius, bound[choice.denominator]), dropped_ap)
        curves["map@h"] = _floats(mean(ap_by_radius))
        ap = ap_by_radius[:, at].copy()
    curves["p@h"] = _floats(mean(precision))
    curves["r@h"] = _floats(mean(recall))

    name = f"@h{radius}"
    per_query |= {
        f"map{name}": ap,
        f"p{name}": precision[:, at].copy(),
        f"r{name}": recall[:, at].copy(),
    }
    quantiles = np.quantile(size[:, at], (0.05, 0.5, 0.95))
    values |= {metric: float(mean(column)) for metric, column in per_query.items()}
    values |= {
        f"empty{name}": float(empty[:, at].mean()),
        f"nohit{name}": float(nohit[:, at].mean()),
        f"ball{name}": float(size[:, at].mean()),
        f"ball-q05{name}": float(quantiles[0]),
        f"ball-median{name}": float(quantiles[1]),
        f"ball-q95{name}": float(quantiles[2]),
        f"kept{name}": float(np.mean(~np.isnan(ap))),
    }


def _list(
    table: _Table,
    cutoffs: Sequence[int],
    values: dict[str, float],
    per_query: dict[str, Floats],
    curves: dict[str, list[float]],
) -> None:
    choice = table.convention
    named, curve = list_lengths(choice, cutoffs, table.items)
    missing = table.unanswerable()
    for suffix, length in named.items():
        found = table.top(length)
        dropped = missing | ((found.hits == 0) & (choice.nohit == "drop"))
        ap = _masked(found.ap, dropped)
        values[f"map{suffix}"] = float(mean(ap))
        if "kept" not in values:
            per_query[f"map{suffix}"] = ap
            values["kept"] = float(np.mean(~np.isnan(ap)))
        if suffix:
            values[f"p{suffix}"] = float((found.hits / max(length, 1)).mean())
            values[f"r{suffix}"] = float(mean(_masked(_ratio(found.hits, table.every), missing)))
    curves["n"] = [float(n) for n in curve]
    hits = [table.hits(n) for n in curve]
    curves["p@n"] = [float((h / n).mean()) for h, n in zip(hits, curve, strict=True)]
    curves["r@n"] = [float(mean(_masked(_ratio(h, table.every), missing))) for h in hits]


def _masked(values: Floats, dropped: NDArray[np.bool_]) -> Floats:
    return np.where(dropped, np.nan, values)


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Floats:
    return np.asarray(
        np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 0)
    )


def _floats(values: Floats) -> list[float]:
    return [float(value) for value in values]
