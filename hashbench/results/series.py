"""Series: the one grouping of results and the one average; whatever shows numbers asks it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hashbench.cell import Bench
from hashbench.errors import InputError
from hashbench.evaluation import (
    Convention,
    MetricInfo,
    Scores,
    describe_metric,
    in_view,
    split_view,
)
from hashbench.evaluation.scores import mean
from hashbench.evaluation.statistics import SEEDS, Family
from hashbench.evidence import Evidence
from hashbench.parsing import in_number
from hashbench.results.column import Column
from hashbench.results.notes import certificate, notes
from hashbench.results.rows import Row, labels, said
from hashbench.results.scored import Judge
from hashbench.results.times import TIMES, seconds, time_info
from hashbench.store import Record

Floats = NDArray[np.float64]

#: What the dagger says, wherever there is one.
DAGGER = (
    "† significantly better than every other method (paired randomisation test over queries, "
    "Holm-corrected over all pairs of the column's methods, p <= 0.05{seeds}{same})"
)


@dataclass(frozen=True)
class SeedScores:
    """One place of a table.

    Attributes:
        values: the score of each seed.
        failures: why seeds have none, one sentence each.
        bounds: (worst, best) mean over all orders of tied items, where the convention has them.
    """

    values: Mapping[int, float] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None

    @property
    def n(self) -> int:
        """How many seeds the mean is over."""
        return len(self.values)

    @property
    def mean(self) -> float | None:
        """Mean over seeds, None when there is no score."""
        return statistics.fmean(self.values.values()) if self.values else None

    @property
    def std(self) -> float | None:
        """Sample standard deviation over seeds, None below two seeds."""
        return statistics.stdev(self.values.values()) if self.n > 1 else None


@dataclass(frozen=True, eq=False, repr=False)
class Series:
    """Results on one bench with one evidence: rows down, code lengths across.

    `print` shows it as `hashbench run` does.

    Attributes:
        bench: what they are on.
        evidence: what was found of it.
        metric: the score that entries hold.
        convention: the rules it is computed by.
        rows: lines, in order.
        bits: code lengths, ascending.
        places: the records of each (row, bits), by seed.
        judge: gives their scores.
        left_out: sentences on results that are out of date.
        rivals: whether another state of this bench is shown beside it.
    """

    bench: Bench
    evidence: Evidence
    metric: str
    convention: Convention
    rows: tuple[Row, ...]
    bits: tuple[int, ...]
    places: Mapping[tuple[Row, int], tuple[Record, ...]]
    judge: Judge
    left_out: tuple[str, ...] = ()
    rivals: bool = False

    def __repr__(self) -> str:
        return f"<Series of {self.what} on {self.title}, {self.about}>"

    def __str__(self) -> str:
        from hashbench.results.terminal import text

        return text(self)

    def of(self, metric: str) -> Series:
        """The same results by another metric."""
        return self if metric == self.metric else replace(self, metric=metric)

    @cached_property
    def info(self) -> MetricInfo:
        """What the metric is."""
        return time_info(self.metric) if self.timed else describe_metric(self.metric)

    @property
    def timed(self) -> bool:
        """Whether the entries are seconds, which depend on what else the machine did."""
        return self.metric in TIMES

    @property
    def what(self) -> str:
        """The metric and its convention, as captions say them."""
        return self.info.title if self.timed else f"{self.info.title}, {self.convention} convention"

    @cached_property
    def labels(self) -> Mapping[Row, str]:
        """The printed name of each row."""
        return labels(self.rows)

    @cached_property
    def names(self) -> Mapping[Row, str]:
        """The same with methods as they are typed, for a terminal."""
        typed = {row: replace(row, title=row.method) for row in self.rows}
        found = labels(list(typed.values()))
        return {row: found[typed[row]] for row in self.rows}

    @cached_property
    def records(self) -> list[Record]:
        """Every record, once."""
        found = {record.key: record for records in self.places.values() for record in records}
        return list(found.values())

    @property
    def title(self) -> str:
        """The data set's printed name."""
        newest = max(self.records, key=lambda record: record.age)
        return newest.title("dataset")

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Images in "query", "train" and "database"; empty where nothing ran."""
        found = (record.split.get("counts") for record in self.records)
        return next(filter(None, found), {})

    @property
    def drawn(self) -> str:
        """Which draw of the split it is."""
        return f"split seed {self.bench.split_seed}"

    @property
    def unit(self) -> str:
        """What deviations are over."""
        return "seed"

    @property
    def draws(self) -> tuple[Series, ...]:
        """The series of each draw of the split: this one alone, but for averages over draws."""
        return (self,)

    @property
    def modes(self) -> tuple[str, ...]:
        """The training modes of its deep methods."""
        return tuple(sorted({row.mode for row in self.rows} - {"none"}))

    @property
    def about(self) -> str:
        """What the numbers are of, on one line: protocol, features, options, training."""
        bench = self.bench
        parts = [f"protocol {bench.protocol}"]
        if self.drawn != "split seed 0":
            parts.append(self.drawn)
        parts.append(f"{bench.backbone} features")
        parts += bench.said
        if self.modes:
            parts.append(f"{'/'.join(self.modes)} training")
        if self.rivals:
            newest = max(record.finished for record in self.records)
            parts.append(f"data {self.evidence.split[:8]}, last run {newest[:19] or 'unknown'}")
        return ", ".join(parts)

    @cached_property
    def origins(self) -> str:
        """Where hyper-parameters came from, "" where no row has any."""
        return said(self.rows, self.labels)

    @cached_property
    def seeds(self) -> int:
        """The most seeds that any mean is over."""
        return max((entry.n for entry in self._entries.values()), default=0)

    def entry(self, row: Row, bits: int) -> SeedScores:
        """What stands at a place; an empty one where nothing has been run."""
        return self._entries.get((row, bits), SeedScores())

    def scores(self, row: Row, bits: int) -> dict[int, Scores]:
        """The scores of every seed of a place that has any."""
        found = {}
        for record in self.places.get((row, bits), ()):
            try:
                found[record.cell.seed] = self.judge.scores(record, self.convention)
            except InputError:
                continue
        return found

    def curve(self, row: Row, bits: int, name: str) -> Floats:
        """A curve of every seed, `(seeds, points)`, NaN where undefined.

        Raises:
            InputError: if the convention has no such curve.
        """
        curves = [scores.curves.get(name, []) for scores in self.scores(row, bits).values()]
        if not curves or not all(curves):
            raise InputError(
                f"{self.labels[row]} at {bits} bits has no curve '{name}' under convention "
                f"'{self.convention}': choose another with --convention, such as house"
            )
        shortest = min(map(len, curves))
        return np.array([curve[:shortest] for curve in curves], np.float64)

    def per_query(self, row: Row, bits: int) -> Floats | None:
        """`(seeds, queries)` scores whose means the entry holds; None where there are none."""
        entry = self.entry(row, bits)
        found = self.scores(row, bits)
        if not entry.values:
            return None
        columns = []
        for seed, value in entry.values.items():
            column = found[seed].per_query.get(self.metric)
            column = None if column is None else np.asarray(column, np.float64)
            if column is None or not abs(mean(column) - value) <= 1e-9:
                return None  # a metric that is no mean over queries
            columns.append(column)
        return np.stack(columns) if len({len(column) for column in columns}) == 1 else None

    @cached_property
    def ranked(self) -> tuple[Row, ...]:
        """The rows that compete: methods with labels, or where there are none those without."""
        methods = [row for row in self.rows if not row.beneath]
        return tuple([row for row in methods if row.ranked] or methods)

    def _comparable(self, bits: int) -> Sequence[Row]:
        """Those of them whose means are held against each other at a code length."""
        return self.ranked

    def rank(self, row: Row, bits: int) -> int:
        """1 for the best mean of a column, 2 for the second best, else 0.

        Rows that are `ranked` alone compete, and not by their seconds. Equal means share a
        rank; a column without a difference has no best.
        """
        return self._ranks.get(bits, {}).get(row, 0)

    def column(self, bits: int) -> Column:
        """The rows of a code length, held against each other."""
        if bits not in self._columns:
            self._columns[bits] = Column(self, bits)
        return self._columns[bits]

    def family(self, bits: int) -> Family[Row]:
        """Every pair of rows of a column, tested on the same queries, see `Column.family`."""
        return self.column(bits).family

    def first(self, bits: int) -> Mapping[Row, float]:
        """The certificate of a column's `family`, without its tests."""
        return self.column(bits).first

    def marked(self, row: Row, bits: int) -> bool:
        """Whether a row is the best of its column and significantly better than every method."""
        return row in self.column(bits).marked

    @cached_property
    def dagger(self) -> str:
        """What a dagger in this table says; "" where none stands."""
        places = [place for place in self.places if self.marked(*place)]
        if not places:
            return ""
        compared = [self.entry(row, bits).n for _, bits in places for row in self.ranked]
        few = min(filter(None, compared)) < SEEDS
        seeds = (
            f"; below {SEEDS} seeds it says nothing about other seeds"
            if few
            else ", with queries and seeds drawn anew"
        )
        shared = any(
            row != lead for _, bits in places for row, lead in self.column(bits).same.items()
        )
        same = "; rows of the same cells are one method" if shared else ""
        return DAGGER.format(seeds=seeds, same=same)

    @cached_property
    def certificate(self) -> str:
        """Which row is first of each column how often, when queries and seeds are drawn anew."""
        return certificate(self)

    @cached_property
    def views(self) -> tuple[str, ...]:
        """Views of the split of which the metric has a score besides the plain one."""
        found: dict[str, None] = {}
        for place in self.places:
            for scores in self.scores(*place).values():
                names = map(split_view, scores)
                found |= {view: None for plain, view in names if view and plain == self.metric}
        return tuple(found)

    def of_view(self, view: str) -> Series:
        """The same results over a view of the split."""
        return self.of(in_view(split_view(self.metric)[0], view))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers must know, one sentence each."""
        return notes(self)

    @cached_property
    def failures(self) -> tuple[str, ...]:
        """Why places are empty, one sentence each, without repetition."""
        return tuple(
            dict.fromkeys(text for entry in self._entries.values() for text in entry.failures)
        )

    @cached_property
    def _entries(self) -> dict[tuple[Row, int], SeedScores]:
        return {
            place: self._entry(self.labels[place[0]], records)
            for place, records in self.places.items()
        }

    def _entry(self, label: str, records: Sequence[Record]) -> SeedScores:
        values: dict[int, float] = {}
        bounds = []
        failures = []
        where = f"{label} at {records[0].cell.bits} bits" if records else label
        for record in records:
            if self.timed and record.ok:
                if (took := seconds(record, self.metric)) is None:
                    failures.append(f"{where}: it was not run here, so nothing was timed")
                else:
                    values[record.cell.seed] = took
                continue
            try:
                scores = self.judge.scores(record, self.convention)
            except InputError as error:
                failures.append(f"{where}: {error}")
                continue
            value = scores.get(self.metric, math.nan)
            if math.isnan(value):
                undefined = "is undefined" if self.metric in scores else "has no value"
                items, length = self.counts.get("database", 0), self.metric.rpartition("@")[2]
                longer = length.isdecimal() and 0 < items < int(length)
                why = (
                    f", for the database has {in_number(items, 'item', 'items')}" if longer else ""
                )
                failures.append(
                    f"{where}: {self.info.title} {undefined} under the {self.convention} "
                    f"convention{why}"
                )
                continue
            values[record.cell.seed] = value
            if self.metric in scores.bounds:
                bounds.append(scores.bounds[self.metric])
        mean = None
        if bounds and len(bounds) == len(values):
            worst, best = (statistics.fmean(side) for side in zip(*bounds, strict=True))
            mean = (worst, best)
        return SeedScores(values, tuple(dict.fromkeys(failures)), mean)

    @cached_property
    def _ranks(self) -> dict[int, dict[Row, int]]:
        found = {}
        for bits in self.bits if not self.timed else ():
            means = {
                row: round(mean, 6)
                for row in self._comparable(bits)
                if (mean := self.entry(row, bits).mean) is not None
            }
            order = sorted(set(means.values()), reverse=self.info.better != "lower")
            found[bits] = {
                row: place
                for row, mean in means.items()
                if len(order) > 1 and (place := order.index(mean) + 1) <= 2
            }
        return found

    @cached_property
    def _columns(self) -> dict[int, Column]:
        return {}
