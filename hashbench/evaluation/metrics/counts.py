"""Counts: what metrics are functions of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hashbench.evaluation.convention import Convention, Order
from hashbench.evaluation.graded import Grades
from hashbench.evaluation.histograms import Histograms
from hashbench.evaluation.ranking import Ranked
from hashbench.evaluation.scores import Floats
from hashbench.evaluation.ties import TiedRanking, Top

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Counts:
    """What was counted for every query, read by the rules of a convention.

    Attributes:
        convention: the choices to follow.
        histograms: items and relevant items at each distance, over the whole
            database.
        ranked: the rankings of a convention that sorts, else None.
        labelled: `(queries,)` which queries have a label at all.
        steps: bins per unit of distance.
        grades: labels shared at each distance, where the convention is graded.
    """

    convention: Convention
    histograms: Histograms
    ranked: Ranked | None
    labelled: NDArray[np.bool_]
    steps: int = 1
    grades: Grades | None = None

    def ordered(self, order: Order) -> Counts:
        """The same with tied items in another order."""
        ranked = None if self.ranked is None else self.ranked.bounds[order]
        return replace(self, convention=replace(self.convention, order=order), ranked=ranked)

    @property
    def total(self) -> Ints:
        """`(queries, bins)` items at each distance."""
        return self.histograms.total

    @property
    def relevant(self) -> Ints:
        """`(queries, bins)` relevant items at each distance."""
        return self.histograms.relevant

    @property
    def queries(self) -> int:
        """How many queries there are."""
        return len(self.total)

    @cached_property
    def items(self) -> int:
        """How many items the database holds."""
        return int(self.total[0].sum())

    @cached_property
    def every(self) -> Ints:
        """`(queries,)` relevant items in the database."""
        return np.asarray(self.relevant.sum(axis=1))

    @cached_property
    def size(self) -> Ints:
        """`(queries, radii)` items within each radius; the last column is the whole database."""
        return np.cumsum(self.total, axis=1)[:, :: self.steps]

    @cached_property
    def hits(self) -> Ints:
        """`(queries, radii)` relevant items within each radius."""
        return np.cumsum(self.relevant, axis=1)[:, :: self.steps]

    @property
    def left_out(self) -> NDArray[np.bool_]:
        """`(queries,)` which queries the convention leaves out for having no label."""
        if self.convention.unlabelled == "drop":
            return ~self.labelled
        return np.zeros(self.queries, bool)

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """`(queries,)` which have no average precision and no recall, for nothing is relevant."""
        if self.convention.norelevant == "zero":
            return self.left_out
        return self.left_out | (self.every == 0)

    @property
    def spoiled(self) -> bool:
        """Whether a query without anything relevant makes means undefined."""
        return self.convention.norelevant == "nan" and bool((self.every == 0).any())

    @cached_property
    def tied(self) -> TiedRanking:
        """The ranking by distance, of a convention that needs no sort."""
        return TiedRanking(self.total, self.relevant, self.convention.order)

    @cached_property
    def gains(self) -> Floats | None:
        """`(queries, bins)` sums of precisions at the relevant items of each distance.

        None where the ranking is not by distance.
        """
        return self.tied.gains if self.ranked is None else self.ranked.gains

    @cached_property
    def gains_within(self) -> Floats | None:
        """`(queries, radii)` sums of precisions at the relevant items within each radius."""
        if self.gains is None:
            return None
        return np.cumsum(self.gains[:, : self.total.shape[1]], axis=1)[:, :: self.steps]

    def column(self, radius: int) -> int:
        """The column of `size` and `hits` that a radius is; beyond the last nothing changes."""
        return min(radius, self.size.shape[1] - 1)

    def list_length(self) -> int:
        """See `list_length`."""
        return list_length(self.convention, self.items)

    def top(self, length: int) -> Top:
        """Average precision and hits of the first `length` items."""
        if self.ranked is not None:
            return self.ranked.top[length]
        if length not in self._tops:
            denominator, nohit = self.convention.denominator, self.convention.nohit
            self._tops[length] = self.tied.top(length, denominator, nohit)
        return self._tops[length]

    def first_hits(self, count: int) -> Top:
        """Average precision over the first `count` relevant items."""
        return self.tied.first_hits(count) if self.ranked is None else self.ranked.first[count]

    def found(self, length: int) -> Floats:
        """`(queries,)` the (expected) number of relevant items among the first `length`."""
        if self.ranked is not None:
            return self.ranked.top[length].hits
        if length in self._tops:
            return self._tops[length].hits
        if length not in self._found:
            self._found[length] = self.tied.hits(length)
        return self._found[length]

    @cached_property
    def _tops(self) -> dict[int, Top]:
        return {}

    @cached_property
    def _found(self) -> dict[int, Floats]:
        return {}


def list_length(convention: Convention, items: int) -> int:
    """How many of the database's items the convention ranks."""
    if convention.counting == "hits" or convention.cutoff is None:
        return items
    return items - 1 if convention.cutoff == -1 else min(convention.cutoff, items)


def masked(values: Floats, dropped: NDArray[np.bool_]) -> Floats:
    """`values` with NaN where a query is left out."""
    return np.where(dropped, np.nan, values)


def ratio(numerator: Floats | Ints, denominator: Floats | Ints | int) -> Floats:
    """`numerator / denominator`, 0 where that is 0/0."""
    below = np.broadcast_to(np.asarray(denominator), numerator.shape)
    return np.asarray(np.divide(numerator, below, out=np.zeros(numerator.shape), where=below > 0))
