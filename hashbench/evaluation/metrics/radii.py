"""Metrics over all radii at once."""

from __future__ import annotations

import numpy as np

from hashbench.evaluation.metrics.ball import precision
from hashbench.evaluation.metrics.counts import Counts
from hashbench.evaluation.metrics.metric import Metric
from hashbench.evaluation.scores import Floats


def _ramap(counts: Counts) -> Floats:
    return np.asarray(precision(counts, slice(None)).mean(axis=1))


def _area(counts: Counts) -> float:
    """As recall_precision.m and area_RP.m: the radii stop one short of the greatest distance."""
    kept = ~counts.left_out
    size, hits = counts.size[kept].sum(axis=0), counts.hits[kept].sum(axis=0)
    every, pairs = hits[-1], size[-1]
    radii = int((size < pairs).sum())  # below the greatest distance that occurs
    if every == 0 or radii == 0:
        return float("nan")
    recall = hits[:radii] / every
    curve = hits[:radii] / np.maximum(size[:radii], 1)
    if recall[0] != 0:
        recall, curve = np.r_[0.0, recall], np.r_[curve[0], curve]
    first = np.flatnonzero(np.diff(recall, prepend=-1.0) > 0)  # recall never falls
    return float(np.trapezoid(curve[first], recall[first]))


RADII = (
    Metric(name="ramap", title="RAMAP", per_query=_ramap, group="radii", keep=False),
    Metric(
        name="pr-area",
        title="area under the pooled precision-recall curve",
        value=_area,
        group="radii",
    ),
)
