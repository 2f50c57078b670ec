"""Average precision from distance histograms, with every tie order accounted for.

Items at the same Hamming distance have no order of their own. A convention
takes the exact mean over all their orders ("expected"), or the order with the
relevant ones first ("best") or last ("worst"). All three follow from two
histograms a query: how many items, and how many relevant ones, lie at each
distance (He et al., CVPR 2018, section 3; McSherry and Najork, ECIR 2008).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Top(NamedTuple):
    """What the first N items of a ranking hold, one value a query.

    Attributes:
        ap: `(queries,)` float64 average precision; 0 without a hit.
        hits: `(queries,)` float64 (expected) number of relevant items.
    """

    ap: Floats
    hits: Floats


def gains(total: Counts, relevant: Counts, order: str) -> Floats:
    """The sum of precisions at the relevant items of each distance.

    Args:
        total: `(queries, bins)` items at each distance.
        relevant: `(queries, bins)` relevant items at each distance.
        order: "expected", "best" or "worst".

    Returns:
        `(queries, bins)` float64; cumulated and divided by the relevant items
        so far it is average precision within each radius.
    """
    before = np.cumsum(total, axis=1) - total
    hits_before = np.cumsum(relevant, axis=1) - relevant
    return _group_gain(before, hits_before, total, relevant, order)


def top(
    total: Counts, relevant: Counts, length: int, order: str, denominator: str, nohit: str
) -> Top:
    """Average precision and hits of the first `length` items.

    A list may end inside a group of ties. "expected" then averages over which
    of the group's items are on the list: exactly, over the hypergeometric
    number of hits among them.

    Args:
        total: `(queries, bins)` items at each distance.
        relevant: `(queries, bins)` relevant items at each distance.
        length: length of the list, at most the size of the database.
        order: "expected", "best" or "worst".
        denominator: "hits", "min" or "total", see `Convention`.
        nohit: whether outcomes without a hit count as "zero" in that mean, or
            are left out of it ("drop").
    """
    whole, group = _cut(total, relevant, length)
    full = np.where(whole, gains(total, relevant, order), 0.0).sum(axis=1)
    fixed = np.where(whole, relevant, 0).sum(axis=1)
    every = relevant.sum(axis=1)
    found = fixed + group.hits(order)
    bound = {"hits": None, "min": np.minimum(every, length), "total": every}[denominator]
    if order == "expected":
        return Top(_mean_over_hits(full, fixed, group, bound, nohit), found)
    # What is on the list, best or worst first, is as in a group of its own.
    inside = group.hits(order).astype(np.int64)
    partial = _group_gain(group.before, group.hits_before, group.take, inside, order)
    return Top(_ratio(full + partial, found if bound is None else bound), found)


def hits(total: Counts, relevant: Counts, length: int, order: str) -> Floats:
    """The (expected) number of relevant items among the first `length`; as `top`."""
    whole, group = _cut(total, relevant, length)
    return np.asarray(np.where(whole, relevant, 0).sum(axis=1) + group.hits(order))


def _cut(total: Counts, relevant: Counts, length: int) -> tuple[NDArray[np.bool_], _Group]:
    """The groups that fit on a list whole, and the one it ends in."""
    ends = np.cumsum(total, axis=1)
    whole = ends <= length
    rows = np.arange(len(total))
    first = np.minimum(whole.sum(axis=1), total.shape[1] - 1)
    before = (ends - total)[rows, first]
    group = _Group(
        before,
        (np.cumsum(relevant, axis=1) - relevant)[rows, first],
        total[rows, first],
        relevant[rows, first],
        np.where(whole[rows, first], 0, length - before),
    )
    return whole, group


class _Group(NamedTuple):
    """The group of ties a list ends in, one a query."""

    before: Counts
    hits_before: Counts
    size: Counts
    relevant: Counts
    take: Counts

    def hits(self, order: str) -> Floats:
        """The (expected) relevant items among the first `take`."""
        if order == "expected":
            found = self.take * self.relevant / np.maximum(self.size, 1)
        elif order == "best":
            found = np.minimum(self.take, self.relevant)
        else:
            found = np.maximum(0, self.take - (self.size - self.relevant))
        return np.asarray(found, np.float64)


def _group_gain(
    before: Counts, hits_before: Counts, size: Counts, relevant: Counts, order: str
) -> Floats:
    if order == "expected":
        slope = np.where(size > 1, (relevant - 1) / np.maximum(size - 1, 1), 0.0)
        lead = hits_before + 1 - slope * (before + 1)
        # sum over t = 1..size of (hits_before + 1 + (t - 1) slope) / (before + t)
        precisions = slope * size + lead * _harmonic_step(before, size)
        return np.asarray(relevant / np.maximum(size, 1) * precisions)
    skipped = before if order == "best" else before + size - relevant
    # sum over i = 1..relevant of (hits_before + i) / (skipped + i)
    return relevant + (hits_before - skipped) * _harmonic_step(skipped, relevant)


def _harmonic_step(start: Counts, count: Counts) -> Floats:
    """1/(start + 1) + ... + 1/(start + count); accurate to about 1e-14."""
    return np.asarray(digamma(start + count + 1.0) - digamma(start + 1.0))


def _mean_over_hits(
    full: Floats, fixed: Counts, group: _Group, bound: Counts | None, nohit: str
) -> Floats:
    """Mean average precision over which items of the last group are on the list.

    `full` and `fixed` are the gain and the hits of the groups before it; `bound`
    is what to divide by, None for the hits.
    """
    ap = _ratio(full, fixed if bound is None else bound)
    rows = np.flatnonzero((group.take > 0) & (group.relevant > 0))
    if len(rows) == 0:
        return ap
    before, hits_before, size, relevant, take = (part[rows] for part in group)
    # The hits h on the list are hypergeometric; beyond this many standard
    # deviations Bernstein's inequality leaves less than 1e-19.
    mean = take * relevant / size
    reach = 30 + 12 * np.sqrt(mean * (1 - relevant / size))
    low = np.maximum(np.maximum(0, take - (size - relevant)), np.floor(mean - reach)).astype(int)
    high = np.minimum(np.minimum(take, relevant), np.ceil(mean + reach)).astype(int)
    width = high - low + 1
    starts = np.cumsum(width) - width
    at = np.repeat(np.arange(len(rows)), width)
    h = np.arange(width.sum()) - starts[at] + low[at]
    log_weight = _log_choose(relevant[at], h) + _log_choose((size - relevant)[at], take[at] - h)
    weight = np.exp(log_weight - np.maximum.reduceat(log_weight, starts)[at])
    # Given h, the group is one of `take` items, h of them relevant, in random order.
    slope = (h - 1) / np.maximum(take - 1, 1)[at]
    lead = hits_before[at] + 1 - slope * (before[at] + 1)
    gain = (h / take[at]) * (slope * take[at] + lead * _harmonic_step(before, take)[at])
    hits = fixed[rows][at] + h
    value = _ratio(full[rows][at] + gain, hits if bound is None else bound[rows][at])
    if nohit == "drop":
        weight = np.where(hits > 0, weight, 0.0)
    ap[rows] = _ratio(np.add.reduceat(value * weight, starts), np.add.reduceat(weight, starts))
    return ap


def _log_choose(n: Counts, k: Counts) -> Floats:
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0))


def _ratio(numerator: Floats, denominator: Counts | Floats) -> Floats:
    return np.asarray(
        np.divide(
            numerator, denominator, out=np.zeros(len(numerator)), where=np.asarray(denominator) > 0
        )
    )
