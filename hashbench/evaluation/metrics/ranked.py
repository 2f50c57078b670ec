"""Metrics of the ranked list."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hashbench.evaluation.metrics.counts import Counts, masked, ratio
from hashbench.evaluation.metrics.metric import Metric
from hashbench.evaluation.scores import Floats
from hashbench.evaluation.ties import Top


def recall(counts: Counts, hits: Floats) -> Floats:
    """Share of the relevant items that were found; `hits` is `(queries,)`, or a row a length."""
    return masked(ratio(hits, counts.every), counts.missing)


def precision(counts: Counts, hits: Floats, length: int | NDArray[np.int64]) -> Floats:
    """Share of a list of `length` that is relevant; likewise, with a column of lengths."""
    return masked(hits / length, counts.left_out)


def _average(counts: Counts, found: Top) -> Floats:
    nothing = (found.hits == 0) & (counts.convention.nohit == "drop")
    return masked(found.ap, counts.missing | nothing)


def _map(counts: Counts) -> Floats:
    return _average(counts, counts.top(counts.list_length()))


def _map_at(counts: Counts, n: int) -> Floats:
    hits = counts.convention.counting == "hits"
    return _average(counts, counts.first_hits(n) if hits else counts.top(n))


def _p_at(counts: Counts, n: int) -> Floats:
    return precision(counts, counts.found(n), n)


def _r_at(counts: Counts, n: int) -> Floats:
    return recall(counts, counts.found(n))


def _kept(counts: Counts) -> Floats:
    cutoff = counts.convention.cutoff
    if counts.convention.counting == "hits" and cutoff is not None:
        values = _map_at(counts, cutoff)
    else:
        values = _map(counts)
    return (~np.isnan(values)).astype(np.float64)


LIST = (
    Metric(name="map", title="mAP", per_query=_map, tied=True, needs_relevant=True),
    Metric(name="map@{n}", title="mAP@{n}", per_query=_map_at, tied=True, needs_relevant=True),
    Metric(name="p@{n}", title="P@{n}", per_query=_p_at, tied=True),
    Metric(name="r@{n}", title="R@{n}", per_query=_r_at, tied=True, needs_relevant=True),
    Metric(name="kept", title="share of queries counted", per_query=_kept, keep=False),
)
