"""The rankings a set of conventions needs: conventions that rank alike share one."""

from __future__ import annotations

from collections.abc import Sequence

from hashbench.codes import Codes
from hashbench.evaluation.convention import Convention
from hashbench.evaluation.histograms import Histograms
from hashbench.evaluation.labels import Labels
from hashbench.evaluation.ranking import Ranked, Wanted, rank
from hashbench.evaluation.stored import rank_stored
from hashbench.evaluation.zeros import Recoded

#: Conventions that rank alike: order of ties, what is ranked by, sign of zero.
Kind = tuple[str, str, str]


class Rankings:
    """Rankings of one database for the same queries.

    Args:
        query: `queries` codes.
        database: `items` codes.
        query_labels: labels as `score` takes them.
        database_labels: labels of the database.
    """

    def __init__(
        self, query: Codes, database: Codes, query_labels: Labels, database_labels: Labels
    ) -> None:
        self._zeros = bool(query.zeros or database.zeros)
        self._outputs = None
        if query.relaxed is not None and database.relaxed is not None:
            self._outputs = query.relaxed, database.relaxed
        self._labels = query_labels, database_labels
        self._asked: dict[Kind, dict[Wanted, Wanted]] = {}
        self._found: dict[Kind, dict[Wanted, Ranked]] = {}

    def ask(self, convention: Convention, lengths: Sequence[int], firsts: Sequence[int]) -> None:
        """Say what will be read of a convention's ranking, before any is read."""
        reads = self._asked.setdefault(self._kind(convention), {})
        key = self._reads(convention)
        known = reads.get(key, key)
        reads[key] = _with_lists(known, {*known.lengths, *lengths}, {*known.firsts, *firsts})

    def of(self, convention: Convention, coded: Recoded, histograms: Histograms) -> Ranked:
        """The ranking of a convention that was asked for.

        Args:
            convention: the convention.
            coded: the codes as its sign of zero has them.
            histograms: the counts of these codes.
        """
        kind = self._kind(convention)
        if kind not in self._found:
            reads = self._asked[kind]
            steps = coded.steps
            wanted = [item._replace(radius=item.radius * steps) for item in reads.values()]
            sides = coded.query, coded.database, *self._labels
            found = None
            if convention.order == "stable" and convention.rank == "distance":
                found = rank_stored(*sides, histograms, wanted)
            if found is None:
                found = rank(*sides, convention, wanted, self._outputs)
            self._found[kind] = dict(zip(reads, found, strict=True))
        return self._found[kind][self._reads(convention)]

    def _kind(self, convention: Convention) -> Kind:
        sgn0 = convention.sgn0 if self._zeros else "negative"
        return convention.order, convention.rank, sgn0

    @staticmethod
    def _reads(convention: Convention) -> Wanted:
        radius = convention.radius if convention.rank == "outputs" and convention.has_ball else 0
        return Wanted(radius, convention.denominator, convention.nohit)


def _with_lists(wanted: Wanted, lengths: set[int], firsts: set[int]) -> Wanted:
    """The same with other lists to evaluate, in order."""
    return wanted._replace(lengths=tuple(sorted(lengths)), firsts=tuple(sorted(firsts)))
