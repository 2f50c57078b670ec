"""Metrics within the Hamming ball of the convention's radius."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hashbench.evaluation.metrics.counts import Counts, Ints, masked, ratio
from hashbench.evaluation.metrics.metric import Metric
from hashbench.evaluation.scores import Floats


class Balls(NamedTuple):
    """Balls of some radii, `(queries, radii)` each.

    Attributes:
        size: items within the radius.
        hits: relevant items within it.
        empty: whether there are no items.
        nohit: whether there are items, none of them relevant.
        dropped: whether the convention leaves the ball out for being empty.
    """

    size: Ints
    hits: Ints
    empty: NDArray[np.bool_]
    nohit: NDArray[np.bool_]
    dropped: NDArray[np.bool_]


def balls(counts: Counts, columns: slice) -> Balls:
    """The balls of some columns of `Counts.size`, as the convention reads them."""
    size, hits = counts.size[:, columns], counts.hits[:, columns]
    empty = size == 0
    nohit = ~empty & (hits == 0)
    if counts.convention.empty == "database":
        size = np.where(empty, counts.size[:, -1:], size)
        hits = np.where(empty, counts.hits[:, -1:], hits)
    dropped = empty & (counts.convention.empty == "drop")
    return Balls(size, hits, empty, nohit, dropped)


def average_precision(counts: Counts, columns: slice) -> Floats:
    """`(queries, radii)` average precision within balls; not for rankings by outputs."""
    within, found = counts.gains_within, balls(counts, columns)
    assert within is not None
    gain = within[:, columns]
    if counts.convention.empty == "database":
        gain = np.where(found.empty, within[:, -1:], gain)
    return _average(counts, found, gain)


def precision(counts: Counts, columns: slice) -> Floats:
    """`(queries, radii)` share of the items within balls that are relevant."""
    found = balls(counts, columns)
    return masked(ratio(found.hits, found.size), found.dropped | counts.left_out[:, None])


def recall(counts: Counts, columns: slice) -> Floats:
    """`(queries, radii)` share of the relevant items that are within balls."""
    found = balls(counts, columns)
    share = ratio(found.hits, counts.every[:, None])
    return masked(share, found.dropped | counts.missing[:, None])


def _average(counts: Counts, found: Balls, gain: Floats) -> Floats:
    choice, every = counts.convention, counts.every[:, None]
    bound = {
        "hits": found.hits,
        "min": np.minimum(every, found.size),
        "total": every,
    }[choice.denominator]
    dropped = found.dropped | counts.missing[:, None] | (found.nohit & (choice.nohit == "drop"))
    return masked(ratio(gain, bound), dropped)


def _at(counts: Counts, radius: int) -> slice:
    column = counts.column(radius)
    return slice(column, column + 1)


def _map(counts: Counts, radius: int) -> Floats:
    if counts.gains is not None:
        return average_precision(counts, _at(counts, radius))[:, 0]
    assert counts.ranked is not None  # ranked within this one ball
    found = balls(counts, _at(counts, radius))
    return _average(counts, found, counts.ranked.ball_gain[:, None])[:, 0]


def _p(counts: Counts, radius: int) -> Floats:
    return precision(counts, _at(counts, radius))[:, 0]


def _r(counts: Counts, radius: int) -> Floats:
    return recall(counts, _at(counts, radius))[:, 0]


def _pooled(counts: Counts, radius: int) -> float:
    column, kept = counts.column(radius), ~counts.left_out
    items = counts.size[kept, column].sum()
    return float(counts.hits[kept, column].sum() / items) if items else 0.0


def _empty(counts: Counts, radius: int) -> Floats:
    return (counts.size[:, counts.column(radius)] == 0).astype(np.float64)


def _nohit(counts: Counts, radius: int) -> Floats:
    return balls(counts, _at(counts, radius)).nohit[:, 0].astype(np.float64)


def _size(counts: Counts, radius: int) -> Floats:
    return counts.size[:, counts.column(radius)].astype(np.float64)


def _kept(counts: Counts, radius: int) -> Floats:
    return (~np.isnan(_map(counts, radius))).astype(np.float64)


def _quantile(share: float) -> Metric:
    name, title = {
        0.05: ("ball-q05", "5% quantile"),
        0.5: ("ball-median", "median"),
        0.95: ("ball-q95", "95% quantile"),
    }[share]
    return Metric(
        name=f"{name}@h{{radius}}",
        title=f"items in the ball ({title}) within H<={{radius}}",
        per_query=_size,
        summary=lambda values: float(np.quantile(values, share)),
        bounds=(0.0, float("inf")),
        digits=1,
        keep=False,
    )


BALL = (
    Metric(
        name="map@h{radius}",
        title="mAP@H<={radius}",
        per_query=_map,
        tied=True,
        needs_relevant=True,
    ),
    Metric(name="p@h{radius}", title="P@H<={radius}", per_query=_p),
    Metric(name="r@h{radius}", title="R@H<={radius}", per_query=_r, needs_relevant=True),
    Metric(name="p-pooled@h{radius}", title="pooled P@H<={radius}", value=_pooled),
    Metric(
        name="empty@h{radius}",
        title="share of empty balls within H<={radius}",
        per_query=_empty,
        better="lower",
        keep=False,
    ),
    Metric(
        name="nohit@h{radius}",
        title="share of balls without a hit within H<={radius}",
        per_query=_nohit,
        better="lower",
        keep=False,
    ),
    Metric(
        name="ball@h{radius}",
        title="items in the ball within H<={radius}",
        per_query=_size,
        bounds=(0.0, float("inf")),
        digits=1,
        keep=False,
    ),
    _quantile(0.05),
    _quantile(0.5),
    _quantile(0.95),
    Metric(
        name="kept@h{radius}",
        title="share of queries counted within H<={radius}",
        per_query=_kept,
        keep=False,
    ),
)
