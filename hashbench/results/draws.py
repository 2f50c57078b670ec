"""Several draws of a split as one table: the mean over draws, and what they spread by."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from hashbench.evaluation.statistics import Family, compare_family
from hashbench.parsing import in_number
from hashbench.results.choose import bench_key
from hashbench.results.notes import ceiling
from hashbench.results.rows import Row
from hashbench.results.series import SeedScores, Series
from hashbench.store import Record


def averaged(found: Sequence[Series]) -> list[Series]:
    """The series, those that differ by the split's draw alone as one; in their order.

    States of the data that are shown side by side are not averaged: which of two
    draws belong together cannot be told.
    """
    groups: dict[str, list[Series]] = {}
    for series in found:
        name = bench_key(replace(series.bench, split_seed=0))
        groups.setdefault(name if not series.rivals else f"{len(groups)} {name}", []).append(series)
    return [group[0] if len(group) == 1 else _together(group) for group in groups.values()]


def _together(parts: Sequence[Series]) -> Draws:
    parts = sorted(parts, key=lambda part: part.bench.split_seed)
    places: dict[tuple[Row, int], tuple[Record, ...]] = {}
    for part in parts:
        for place, records in part.places.items():
            places[place] = (*places.get(place, ()), *records)
    first = parts[0]
    return Draws(
        bench=first.bench,
        evidence=first.evidence,
        metric=first.metric,
        convention=first.convention,
        rows=tuple(dict.fromkeys(row for part in parts for row in part.rows)),
        bits=tuple(sorted({bits for part in parts for bits in part.bits})),
        places=places,
        judge=first.judge,
        left_out=tuple(dict.fromkeys(text for part in parts for text in part.left_out)),
        parts=tuple(parts),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Draws(Series):
    """The mean over draws of a split of what each draw's own table holds.

    An entry's value of a draw is that draw's mean over seeds, so that the deviation
    is between draws. Queries differ from draw to draw: nothing is tested here, and
    no row is marked; `compare` tests each draw.

    Attributes:
        parts: the series of each draw, by its seed.
    """

    parts: tuple[Series, ...] = field(default=(), repr=False)

    @property
    def drawn(self) -> str:
        """Which draws of the split they are."""
        return f"split seeds {', '.join(str(part.bench.split_seed) for part in self.parts)}"

    @property
    def unit(self) -> str:
        """What deviations are over."""
        return "draw of the split"

    @property
    def draws(self) -> tuple[Series, ...]:
        """The series of each draw."""
        return self.parts

    def family(self, bits: int) -> Family[Row]:
        """Nothing: no two draws have the same queries."""
        return compare_family({})

    def first(self, bits: int) -> Mapping[Row, float]:
        """Nothing, likewise."""
        return {}

    def marked(self, row: Row, bits: int) -> bool:
        """Never, likewise."""
        return False

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers must know, of all draws."""
        parts = self._parts
        counts = [(part.drawn, in_number(part.seeds, "seed", "seeds")) for part in parts]
        each = f"({self.drawn}), each of {counts[0][1]}"
        if len({number for _, number in counts}) > 1:
            each = f"({', '.join(f'{drawn} of {number}' for drawn, number in counts)})"
        said = [[note for note in part.notes if note != ceiling(part)] for part in parts]
        found = [
            f"Mean and deviation are over {len(parts)} draws of the split {each}; "
            "hashbench compare tests each of them, --each-draw shows them.",
            ceiling(self),
            self._uneven,
        ]
        for part, sentences in zip(parts, said, strict=True):
            own = f"{part.drawn.capitalize()}: "
            found += [
                note if all(note in others for others in said) else own + note for note in sentences
            ]
        return tuple(dict.fromkeys(filter(None, found)))

    @cached_property
    def _parts(self) -> tuple[Series, ...]:
        return tuple(part.of(self.metric) for part in self.parts)

    def _comparable(self, bits: int) -> Sequence[Row]:
        """Rows of every draw: means over other draws are over other queries, easier or not."""
        draws = {row: self.entry(row, bits).values.keys() for row in self.ranked}
        every = set().union(*draws.values())
        return [row for row, found in draws.items() if found == every]

    @property
    def _uneven(self) -> str:
        fewer = dict.fromkeys(
            self.labels[row]
            for row, bits in self.places
            if 0 < self.entry(row, bits).n < self.seeds
        )
        if not fewer:
            return ""
        return (
            f"Fewer draws have been run of {', '.join(fewer)}: best and second best are, at each "
            "length, among rows of all its draws."
        )

    @cached_property
    def _entries(self) -> dict[tuple[Row, int], SeedScores]:
        return {place: self._mean([part.entry(*place) for part in self._parts], place)
                for place in self.places}  # fmt: skip

    def _mean(self, entries: Sequence[SeedScores], place: tuple[Row, int]) -> SeedScores:
        values = {
            part.bench.split_seed: entry.mean
            for part, entry in zip(self._parts, entries, strict=True)
            if entry.mean is not None
        }
        bounds = [entry.bounds for entry in entries if entry.mean is not None]
        both = [pair for pair in bounds if pair is not None]
        means = None
        if both and len(both) == len(bounds):
            worst, best = (statistics.fmean(side) for side in zip(*both, strict=True))
            means = (worst, best)
        failures = dict.fromkeys(text for entry in entries for text in entry.failures)
        return SeedScores(values, tuple(failures), means)
