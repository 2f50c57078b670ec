"""Metrics of graded relevance: an item is as relevant as it shares labels with the query.

Ties are in expectation. In a group of n tied items that share G labels in all,
r of them at least one, the item at any place shares G/n on average, which makes
cumulative gains exact; weighted average precision needs the pairs of places too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hashbench.evaluation.graded import Grades
from hashbench.evaluation.metrics.counts import Counts, Ints, masked, ratio
from hashbench.evaluation.metrics.metric import Metric
from hashbench.evaluation.scores import Floats
from hashbench.evaluation.special import harmonic


def _grades(counts: Counts) -> Grades:
    assert counts.grades is not None
    return counts.grades


def _within(sizes: Ints, weights: Floats, n: int) -> Floats:
    """Sum of `weights` (of places 1, 2, ...) over the places each group has among the first n.

    Args:
        sizes: `(queries, groups)` in the order they are ranked.
        weights: `(n,)`.
        n: how many places count.
    """
    total = np.concatenate([[0.0], np.cumsum(weights)])
    ends = np.minimum(np.cumsum(sizes, axis=1), n)
    starts = np.concatenate([np.zeros((len(ends), 1), ends.dtype), ends[:, :-1]], axis=1)
    return np.asarray(total[ends] - total[starts])


def _ndcg(counts: Counts, n: int) -> Floats:
    grades = _grades(counts)
    worth = 2.0 ** np.arange(grades.joint.shape[2]) - 1
    discounts = 1 / np.log2(np.arange(2, n + 2))
    each = ratio(grades.joint @ worth, counts.total)
    found = (each * _within(counts.total, discounts, n)).sum(axis=1)
    levels = grades.joint.sum(axis=1)[:, ::-1]  # the most labels first
    ideal = _within(levels, discounts, n) @ worth[::-1]
    return masked(ratio(found, ideal), counts.missing)


def _acg(counts: Counts, n: int) -> Floats:
    each = ratio(_grades(counts).shared, counts.total)
    found = (each * _within(counts.total, np.ones(n), n)).sum(axis=1)
    return masked(found / n, counts.left_out)


def _wap(counts: Counts) -> Floats:
    size, relevant, shared = counts.total, counts.relevant, _grades(counts).shared
    before = np.cumsum(size, axis=1) - size
    shared_before = np.cumsum(shared, axis=1) - shared
    # The item at place t of a group is relevant and comes after t - 1 others of it:
    # sum over t = 1..size of (lead + (t - 1) slope) / (before + t)
    lead = ratio(relevant * shared_before + shared, size)
    slope = ratio(shared * np.maximum(relevant - 1, 0), size * (size - 1))
    steps: NDArray[np.float64] = harmonic(before + size) - harmonic(before)
    gain = (slope * size + (lead - slope * (before + 1)) * steps).sum(axis=1)
    return masked(ratio(gain, counts.every), counts.missing)


_MANY = (0.0, float("inf"))

GRADED = (
    Metric(name="ndcg@{n}", title="NDCG@{n}", per_query=_ndcg, group="graded"),
    Metric(name="acg@{n}", title="ACG@{n}", per_query=_acg, group="graded", bounds=_MANY),
    Metric(name="wap", title="WAP", per_query=_wap, group="graded", bounds=_MANY),
)
