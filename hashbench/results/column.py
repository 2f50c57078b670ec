"""The rows of one code length, held against each other: tests, certificate, the dagger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from hashbench.evaluation.statistics import Family, certify, compare_family, leads
from hashbench.results.rows import Row

if TYPE_CHECKING:
    from hashbench.results.series import Series

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Column:
    """The rows of a series at one code length.

    Attributes:
        series: the series.
        bits: the code length.
    """

    series: Series
    bits: int

    @cached_property
    def same(self) -> Mapping[Row, Row]:
        """The row that each row is tested as.

        Rows that share a cell, for it was asked for in several ways, are one here: the
        one of the most seeds is tested for all of them. What is held against itself is
        no comparison.
        """
        found: dict[Row, Row] = {}
        owner: dict[str, Row] = {}
        keys = {
            row: [record.key for record in self.series.places[row, self.bits]]
            for row in self.series.rows
            if (row, self.bits) in self.series.places
        }
        for row in sorted(keys, key=lambda row: -len(keys[row])):
            found[row] = next((owner[key] for key in keys[row] if key in owner), row)
            for key in keys[row]:
                owner.setdefault(key, found[row])
        return found

    @cached_property
    def family(self) -> Family[Row]:
        """Every pair of rows, tested on the same queries and corrected together.

        Floors are held against the others apart. Rows that are tested as one have one
        certificate.
        """
        return self.tests()

    def tests(self, below: float = 0.0) -> Family[Row]:
        """The same in less time, where p-values below one need not be exact.

        Args:
            below: as in `compare_family`.
        """
        found = compare_family(self._tested, better=self._better, floors=self._floors, below=below)
        intervals = {
            row: found.intervals[lead]
            if row == lead or self._cells(row) == self._cells(lead)
            else compare_family({row: self._matrices[row]}).intervals[row]
            for row, lead in self.same.items()
            if row in self._matrices and lead in self._tested
        }
        return replace(found, certificate=self._for_all(found.certificate), intervals=intervals)

    @cached_property
    def first(self) -> Mapping[Row, float]:
        """The certificate of `family`, without its tests."""
        if "family" in self.__dict__:
            return self.family.certificate
        others = {row: matrix for row, matrix in self._tested.items() if not row.beneath}
        return self._for_all(certify(others, better=self._better))

    @cached_property
    def marked(self) -> frozenset[Row]:
        """The best row, where it is significantly better than every method; its cells' other rows.

        A method without values of single queries is no evidence: a column that
        has one is not marked, nor one whose methods hardly share queries, or
        differ the other way round on those they share.
        """
        best = [row for row in self.same if self.series.rank(row, self.bits) == 1]
        tested = {self.same[row] for row in best}  # one, or there is no winner
        return frozenset(best if len(tested) == 1 and self._beats_all(*tested) else ())

    def _beats_all(self, best: Row) -> bool:
        over = {
            lead
            for row, lead in self.same.items()
            if row in self.series.ranked
            and self.series.entry(row, self.bits).values
            and lead != best
        }
        if not over or not {best, *over} <= self._tested.keys():
            return False
        return leads(self._tested, best, over, better=self._better, floors=self._floors)

    @property
    def _better(self) -> Literal["higher", "lower"]:
        return self.series.info.better

    def _cells(self, row: Row) -> list[str]:
        return [record.key for record in self.series.places[row, self.bits]]

    @cached_property
    def _matrices(self) -> dict[Row, Floats]:
        """The scores of single queries of the rows, of those that share their number."""
        found = {
            row: matrix
            for row in self.series.rows
            if (matrix := self.series.per_query(row, self.bits)) is not None
        }
        size = Counter(matrix.shape[1] for matrix in found.values()).most_common(1)
        return {row: matrix for row, matrix in found.items() if matrix.shape[1] == size[0][0]}

    @cached_property
    def _tested(self) -> dict[Row, Floats]:
        """Those that are tested: of rows that share cells, one."""
        return {row: matrix for row, matrix in self._matrices.items() if self.same[row] == row}

    @property
    def _floors(self) -> list[Row]:
        return [row for row in self._tested if row.beneath]

    def _for_all(self, shares: Mapping[Row, float]) -> dict[Row, float]:
        """Shares of the rows that were tested, for every row that was tested as one of them.

        Floors have none, alone neither: they do not compete.
        """
        return {
            row: shares[self.same[row]]
            for row in self.series.rows
            if self.same.get(row) in shares and not row.beneath
        }
