"""Rankings that histograms cannot describe: by storage order or real outputs.

These cost a sort a query, so only conventions that ask for them come here;
storage order alone needs none, see `stored`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation.backends import over_rows
from hashbench.evaluation.convention import Convention
from hashbench.evaluation.labels import Labels
from hashbench.evaluation.ties import TiedRanking, Top
from hashbench.evaluation.words import code_words, label_words

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranked:
    """Average precision of rankings sorted query by query.

    Attributes:
        gains: `(queries, bins)` float64, the sum of precisions at the relevant
            items of each distance; None for a ranking by outputs alone.
        ball_gain: `(queries,)` float64, the same sum over the ball that is
            ranked by outputs.
        top: what the first N items hold, by N.
        first: average precision over the first k relevant items, by k.
        bounds: the same with tied items in the "worst" and "best" order, for
            rankings by outputs in the "expected" one.
    """

    gains: NDArray[np.float64] | None
    ball_gain: NDArray[np.float64]
    top: dict[int, Top]
    first: dict[int, Top]
    bounds: dict[str, Ranked] = field(default_factory=dict)


class Ranking(NamedTuple):
    """A ranking of one query.

    Attributes:
        listed: `(items,)` which items are relevant, in order.
        distance: `(items,)` their distances.
        ends: `(groups,)` the place after each group of tied items, None where
            the order of all is settled.
    """

    listed: NDArray[np.bool_]
    distance: NDArray[np.uint16]
    ends: Indices | None = None


class Wanted(NamedTuple):
    """What of a ranking is read: conventions that rank alike share the ranking.

    Attributes:
        radius: of the ball that is ranked by outputs, in bits; 0 if none is.
        denominator: see `Convention`.
        nohit: see `Convention`.
        lengths: lengths of the lists to evaluate.
        firsts: numbers of relevant items to average over.
    """

    radius: int = 0
    denominator: str = "hits"
    nohit: str = "zero"
    lengths: tuple[int, ...] = ()
    firsts: tuple[int, ...] = ()


def rank(
    query: Codes,
    database: Codes,
    query_labels: Labels,
    database_labels: Labels,
    convention: Convention,
    wanted: Sequence[Wanted],
    outputs: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
) -> list[Ranked]:
    """Sort the database for each query and sum the precisions.

    Args:
        query: `queries` codes.
        database: `items` codes.
        query_labels: `(queries, classes)` multi-hot or `(queries,)` class ids.
        database_labels: the same of the database.
        convention: what to rank by, and how to order ties.
        wanted: what to read of it.
        outputs: real outputs of the queries and of the database, if the
            convention ranks by them.

    Returns:
        One `Ranked` for each of `wanted`.
    """
    orders: list[str] = [convention.order]
    if convention.rank != "distance" and convention.order == "expected":
        orders += ["worst", "best"]
    by_outputs = convention.rank == "outputs"
    sheets = [
        [_Sheet(len(query), query.bits + 1, order, item) for order in orders] for item in wanted
    ]
    pairs = _Pairs(query, database, query_labels, database_labels)
    lists = any(item.lengths or item.firsts for item in wanted)

    def part(rows: slice) -> None:
        for row in range(*rows.indices(len(query))):
            distance, relevance = pairs.of(row)
            mine = None if outputs is None else (outputs[0][row], outputs[1])
            sort = _Sort(convention, mine, distance, relevance)
            if by_outputs:
                for radius in {item.radius for item in wanted}:
                    ball = sort.ball(radius)
                    for item, group in zip(wanted, sheets, strict=True):
                        for sheet in group if item.radius == radius else ():
                            sheet.ball_gain[row] = sheet.gain(ball)
                if not lists:
                    continue
            whole = sort.whole()
            for group in sheets:
                for sheet in group:
                    sheet.fill(row, whole)

    over_rows(part, len(query))
    ranked = []
    for group in sheets:
        found = [sheet.ranked(by_outputs) for sheet in group]
        found[0].bounds.update(zip(orders[1:], found[1:], strict=True))
        ranked.append(found[0])
    return ranked


class _Sort:
    """The rankings of one query."""

    def __init__(
        self,
        convention: Convention,
        outputs: tuple[NDArray[np.float32], NDArray[np.float32]] | None,
        distance: NDArray[np.uint16],
        relevance: NDArray[np.bool_],
    ) -> None:
        self._order, self._rank = convention.order, convention.rank
        self._outputs, self._distance, self._relevance = outputs, distance, relevance

    def whole(self) -> Ranking:
        """The whole database."""
        if self._rank == "distance":
            return self._listed(self._by_distance())
        if self._rank == "rerank" and self._order == "numpy":
            return self._listed(self._reranked_by_numpy())
        assert self._outputs is not None
        products = _products_of(self._outputs[0], self._outputs[1])
        if self._rank == "rerank":
            index = np.lexsort((-products, self._distance))
            return self._tied(index, self._distance[index], products[index])
        return self._by_products(np.arange(len(products)), products)

    def ball(self, radius: int) -> Ranking:
        """The items within the radius, by products of outputs."""
        if self._order == "numpy":  # the order the original leaves them in before it re-ranks
            inside = self._by_distance()[: int((self._distance <= radius).sum())]
        else:
            inside = np.flatnonzero(self._distance <= radius)
        return self._by_products(inside, self._products(inside))

    def _by_distance(self) -> Indices:
        if self._order == "numpy":
            return np.argsort(self._distance.astype(np.float64))
        return np.argsort(self._distance, kind="stable")

    def _by_products(self, items: Indices, products: NDArray[np.float32]) -> Ranking:
        if self._order == "numpy":
            return self._listed(items[np.argsort(-products)])
        order = np.lexsort((self._distance[items], -products))
        return self._tied(items[order], products[order], self._distance[items[order]])

    def _reranked_by_numpy(self) -> Indices:
        groups = [np.flatnonzero(self._distance == d) for d in np.unique(self._distance)]
        return np.concatenate([part[np.argsort(-self._products(part))] for part in groups])

    def _products(self, items: Indices) -> NDArray[np.float32]:
        """Inner products in float32, as networks and their evaluators have them."""
        assert self._outputs is not None
        mine, theirs = self._outputs
        return _products_of(mine, theirs[items])

    def _listed(self, index: Indices) -> Ranking:
        return Ranking(self._relevance[index], self._distance[index])

    def _tied(self, index: Indices, *keys: NDArray[np.generic]) -> Ranking:
        ranking = self._listed(index)
        if self._order == "stable" or not len(index):
            return ranking
        change = np.zeros(len(index) - 1, bool)
        for key in keys:
            change |= key[1:] != key[:-1]
        return ranking._replace(ends=np.append(np.flatnonzero(change) + 1, len(index)))


class _Sheet:
    """What rankings come to under one order of ties."""

    def __init__(self, queries: int, bins: int, order: str, wanted: Wanted) -> None:
        self._order, self._wanted = order, wanted
        self.gains = np.zeros((queries, bins))
        self.ball_gain = np.zeros(queries)
        self._top = {n: Top(np.zeros(queries), np.zeros(queries)) for n in wanted.lengths}
        self._first = {n: Top(np.zeros(queries), np.zeros(queries)) for n in wanted.firsts}

    def ranked(self, by_outputs: bool) -> Ranked:
        """All of it."""
        return Ranked(None if by_outputs else self.gains, self.ball_gain, self._top, self._first)

    def gain(self, ranking: Ranking) -> float:
        """The sum of the precisions at the relevant items."""
        groups = _mixed(ranking)
        if groups is None:
            return float(_precisions(ranking.listed)[1].sum())
        return float(TiedRanking(*groups, self._order).gains.sum())

    def fill(self, row: int, ranking: Ranking) -> None:
        """Write the results of one query."""
        groups = _mixed(ranking)
        bins = self.gains.shape[1]
        if groups is None:
            places, precision = _precisions(ranking.listed)
            self.gains[row] = np.bincount(ranking.distance[places], precision, minlength=bins)
            every = len(places)
            for n, result in self._top.items():
                hits = int(np.searchsorted(places, n))
                found = {"hits": hits, "min": min(every, n), "total": every}
                result.hits[row] = hits
                bound = found[self._wanted.denominator]
                result.ap[row] = precision[:hits].sum() / max(1, bound)
            for n, result in self._first.items():
                result.hits[row] = min(every, n)
                result.ap[row] = precision[:n].sum() / max(1, min(every, n))
            return
        tied = TiedRanking(*groups, self._order)
        assert ranking.ends is not None
        at = ranking.distance[ranking.ends - 1]
        self.gains[row] = np.bincount(at, tied.gains[0], minlength=bins)
        choice = self._wanted
        for results, of in (
            (self._top, lambda n: tied.top(n, choice.denominator, choice.nohit)),
            (self._first, tied.first_hits),
        ):
            for n, result in results.items():
                (ap,), (hits,) = of(n)
                result.ap[row], result.hits[row] = ap, hits


def _products_of(query: NDArray[np.float32], items: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inner products that tell the items apart: infinite ones are one, or none at all."""
    with np.errstate(over="ignore", invalid="ignore"):
        products = np.dot(query, items.T)
    if not np.isfinite(products).all():
        raise InputError(
            "inner products of the real outputs are infinite or undefined in float32: give "
            "finite outputs, scaled down by one number where they are as large as that"
        )
    return np.asarray(products)


def _mixed(ranking: Ranking) -> tuple[Indices, Indices] | None:
    """`(1, groups)` items and relevant items of the groups of ties, None if no order matters."""
    if ranking.ends is None or len(ranking.ends) == len(ranking.listed):
        return None
    hits = np.concatenate([[0], np.cumsum(ranking.listed)])[ranking.ends]
    total, relevant = np.diff(ranking.ends, prepend=0), np.diff(hits, prepend=0)
    if not ((relevant > 0) & (relevant < total)).any():
        return None
    return total[None], relevant[None]


def _precisions(listed: NDArray[np.bool_]) -> tuple[Indices, NDArray[np.float64]]:
    """Positions (from 0) of the relevant items of a list, and the precision at each."""
    places = np.flatnonzero(listed)
    return places, np.arange(1, len(places) + 1) / (places + 1)


class _Pairs:
    """Distance to, and relevance of, every database item, query by query."""

    def __init__(
        self, query: Codes, database: Codes, query_labels: Labels, database_labels: Labels
    ) -> None:
        self._query, self._items = code_words(query.packed), code_words(database.packed)
        self._ids = query_labels.ndim == 1
        self._labels = [
            labels[None] if self._ids else label_words(labels)
            for labels in (query_labels, database_labels)
        ]

    def of(self, row: int) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        """`(items,)` distances (16 bits sort in linear time) and relevances."""
        distance = np.zeros(self._items.shape[1], np.uint16)
        for word, column in zip(self._query[:, row], self._items, strict=True):
            distance += np.bitwise_count(column ^ word)
        mine, theirs = self._labels
        if self._ids:
            return distance, theirs[0] == mine[0, row]
        relevance = np.zeros(len(distance), bool)
        for word, column in zip(mine[:, row], theirs, strict=True):
            relevance |= (column & word) != 0
        return distance, relevance
