"""Average precision from distance histograms, with every tie order accounted for.

Items at the same Hamming distance have no order of their own. A convention
takes the exact mean over all their orders ("expected"), or the order with the
relevant ones first ("best") or last ("worst"). All three follow from two
histograms a query: how many items, and how many relevant ones, lie at each
distance (He et al., CVPR 2018, section 3; McSherry and Najork, ECIR 2008).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hashbench.evaluation.special import harmonic, log_factorial

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


class TiedRanking:
    """The database in order of distance for each query, tied items in an `order`.

    Args:
        total: `(queries, bins)` items at each distance.
        relevant: `(queries, bins)` relevant items at each distance.
        order: "expected", "best" or "worst", see `Convention`.
    """

    def __init__(self, total: Counts, relevant: Counts, order: str) -> None:
        self._total, self._relevant, self._order = total, relevant, order
        self._ends = np.cumsum(total, axis=1)
        self._hits = np.cumsum(relevant, axis=1)

    @cached_property
    def gains(self) -> Floats:
        """The sum of precisions at the relevant items of each distance.

        `(queries, bins)`; cumulated and divided by the relevant items so far it
        is average precision within each radius.
        """
        return group_gain(
            self._ends - self._total,
            self._hits - self._relevant,
            self._total,
            self._relevant,
            self._order,
        )

    def top(self, length: int, denominator: str, nohit: str) -> Top:
        """Average precision and hits of the first `length` items.

        A list may end inside a group of ties. "expected" then averages over
        which of the group's items are on the list: exactly, over the
        hypergeometric number of hits among them.

        Args:
            length: length of the list, at most the size of the database.
            denominator: "hits", "min" or "total", see `Convention`.
            nohit: whether outcomes without a hit count as "zero" in that mean,
                or are left out of it ("drop").
        """
        last, group = self._cut(length)
        fixed = self._before(self._hits, last)
        full = self._before(self._cumulated_gains, last)
        every = self._hits[:, -1]
        found = fixed + group.hits(self._order)
        bound = {"hits": None, "min": np.minimum(every, length), "total": every}[denominator]
        if self._order == "expected":
            return Top(_mean_over_hits(full, fixed, group, bound, nohit), found)
        # What is on the list, best or worst first, is as in a group of its own.
        inside = group.hits(self._order).astype(np.int64)
        partial = group_gain(group.before, group.hits_before, group.take, inside, self._order)
        return Top(_ratio(full + partial, found if bound is None else bound), found)

    def first_hits(self, count: int) -> Top:
        """Average precision over the first `count` relevant items, wherever they rank.

        It divides by the smaller of `count` and all relevant items.
        """
        wanted = np.minimum(count, self._hits[:, -1])
        fitting = (self._hits <= count).sum(axis=1)
        rows = np.arange(len(fitting))
        at = np.minimum(fitting, self._total.shape[1] - 1)
        size, relevant = self._total[rows, at], self._relevant[rows, at]
        before, hits_before = self._ends[rows, at] - size, self._hits[rows, at] - relevant
        some = np.where(fitting > at, 0, wanted - hits_before)
        gain = self._before(self._cumulated_gains, fitting)
        if self._order == "expected":
            for row in np.flatnonzero(some > 0):
                gain[row] += _first_hits_gain(
                    before[row], hits_before[row], size[row], relevant[row], some[row]
                )
        else:
            skipped = before if self._order == "best" else before + size - relevant
            # sum over i = 1..some of (hits_before + i) / (skipped + i)
            gain += some + (hits_before - skipped) * _harmonic_step(skipped, some)
        return Top(_ratio(gain, wanted), wanted.astype(np.float64))

    def hits(self, length: int) -> Floats:
        """The (expected) number of relevant items among the first `length`."""
        last, group = self._cut(length)
        return np.asarray(self._before(self._hits, last) + group.hits(self._order))

    @cached_property
    def _cumulated_gains(self) -> Floats:
        return np.cumsum(self.gains, axis=1)

    def _cut(self, length: int) -> tuple[Counts, _Group]:
        """How many groups fit on a list whole, and the group it ends in."""
        fitting = (self._ends <= length).sum(axis=1)
        rows = np.arange(len(fitting))
        at = np.minimum(fitting, self._total.shape[1] - 1)
        size, relevant = self._total[rows, at], self._relevant[rows, at]
        before = self._ends[rows, at] - size
        take = np.where(fitting > at, 0, length - before)
        return fitting, _Group(before, self._hits[rows, at] - relevant, size, relevant, take)

    @staticmethod
    def _before(cumulated: NDArray[Any], groups: Counts) -> NDArray[Any]:
        """The value of a cumulated table before group `groups` of each row."""
        values = cumulated[np.arange(len(groups)), np.maximum(groups - 1, 0)]
        return np.where(groups > 0, values, np.zeros_like(values))


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


def group_gain(
    before: Counts, hits_before: Counts, size: Counts, relevant: Counts, order: str
) -> Floats:
    """The sum of precisions at the relevant items of groups of ties, in an `order`.

    Args:
        before: items that rank before each group; all arrays are of one shape.
        hits_before: relevant ones among them.
        size: items of the group.
        relevant: relevant ones among them.
        order: "expected", "best" or "worst", see `Convention`.
    """
    if order == "expected":
        slope = np.where(size > 1, (relevant - 1) / np.maximum(size - 1, 1), 0.0)
        lead = hits_before + 1 - slope * (before + 1)
        # sum over t = 1..size of (hits_before + 1 + (t - 1) slope) / (before + t)
        precisions = slope * size + lead * _harmonic_step(before, size)
        return np.asarray(relevant / np.maximum(size, 1) * precisions)
    skipped = before if order == "best" else before + size - relevant
    # sum over i = 1..relevant of (hits_before + i) / (skipped + i)
    return relevant + (hits_before - skipped) * _harmonic_step(skipped, relevant)


def _first_hits_gain(before: int, hits_before: int, size: int, relevant: int, some: int) -> float:
    """The expected sum of precisions at the first `some` relevant of a group of ties.

    An item at place t = 1..size is relevant with h hits of the group before it,
    and counts while h < some. So the sum is over t of (relevant / size) times
    the expectation of (hits_before + 1 + h) [h < some], over before + t; the two
    parts of that expectation are tails of hypergeometric distributions.
    """
    place = np.arange(size)  # items of the group before this one
    near = _fewer(some, size - 1, relevant - 1, place)
    share = np.zeros(size)
    if relevant > 1:
        pairs = _fewer(some - 1, size - 2, relevant - 2, np.maximum(place - 1, 0))
        share = place * (relevant - 1) / (size - 1) * np.where(place > 0, pairs, 0.0)
    return float(
        relevant / size * (((hits_before + 1) * near + share) / (before + 1 + place)).sum()
    )


def _fewer(limit: int, size: int, relevant: int, drawn: Counts) -> Floats:
    """The chance of fewer than `limit` relevant items among the first `drawn` of a group.

    Args:
        limit: at least 0.
        size: items of the group, in random order.
        relevant: how many of them are relevant.
        drawn: `(places,)` non-decreasing numbers of items, at most `size`.
    """
    if limit <= 0:
        return np.zeros(len(drawn))
    if limit > relevant:
        return np.ones(len(drawn))
    # The limit-th relevant item is at place p = limit..size - relevant + limit.
    p = np.arange(limit, size - relevant + limit + 1)
    log_chance = (
        _log_choose(p - 1, np.full(len(p), limit - 1))
        + _log_choose(size - p, np.full(len(p), relevant - limit))
        - _log_choose(np.array([size]), np.array([relevant]))
    )
    reached = np.concatenate([[0.0], np.cumsum(np.exp(log_chance))])
    passed = np.clip(drawn - limit + 1, 0, len(p))
    return np.asarray(np.maximum(0.0, 1 - reached[passed] / reached[-1]))


def _harmonic_step(start: Counts, count: Counts) -> Floats:
    """1/(start + 1) + ... + 1/(start + count); accurate to about 1e-14."""
    return harmonic(start + count) - harmonic(start)


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
    return log_factorial(n) - log_factorial(k) - log_factorial(n - k)


def _ratio(numerator: Floats, denominator: Counts | Floats) -> Floats:
    return np.asarray(
        np.divide(
            numerator, denominator, out=np.zeros(len(numerator)), where=np.asarray(denominator) > 0
        )
    )
