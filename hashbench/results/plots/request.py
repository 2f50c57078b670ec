"""What a figure is drawn from: the series of what was selected, and the choices of a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.results.collect import collect, no_scores
from hashbench.results.missing import gap
from hashbench.results.rows import Row
from hashbench.results.scored import Judge, StoredJudge
from hashbench.results.series import Series
from hashbench.results.sinks import for_figure, for_terminal, slug
from hashbench.store import Record, Store

#: Shown where nobody asks for another code length, if there.
DEFAULT_BITS = 48


def _silent(_share: float, _note: str) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class FigureRequest:
    """The results to draw and the choices of a figure.

    Attributes:
        records: what the user selected.
        store: where codes and splits lie; None for kinds without results.
        methods: in the order to show them; those not named follow.
        bits: code lengths to show; empty for the kind's default.
        convention: whose scores and curves.
        all_versions: with results of older code and of earlier states of the data.
        data_root: where images are; None for the default folder.
        points: database codes in a t-SNE.
        queries: queries of a retrieval strip.
        worst: strips of the worst queries rather than of random ones.
        seed: draws points and queries.
        progress: called with the share done and a note.
        judge: gives scores; by default those of the store.
    """

    records: Sequence[Record] = ()
    store: Store | None = None
    methods: tuple[str, ...] = ()
    bits: tuple[int, ...] = ()
    convention: str = "house"
    all_versions: bool = False
    data_root: Path | None = None
    points: int = 5000
    queries: int = 3
    worst: bool = False
    seed: int = 0
    progress: Callable[[float, str], None] = field(default=_silent, repr=False)
    judge: Judge | None = field(default=None, repr=False)

    @cached_property
    def series(self) -> list[Series]:
        """The finished results, one series a bench; methods in the order asked for.

        Raises:
            InputError: if nothing has finished.
        """
        judge = self.judge or (StoredJudge(self.store) if self.store else None)
        found = (
            []
            if judge is None
            else collect(
                self.records,
                judge,
                convention=self.convention,
                all_versions=self.all_versions,
                finished=True,
                order=self.methods,
            )
        )
        if not found:
            raise InputError(no_scores(self.records))
        return found

    @cached_property
    def notes(self) -> list[str]:
        """What is missing or left out, a line each."""
        folder = self.store.root if self.store else None
        lines = []
        for series in collect(self.records, StoredJudge(self.store)) if self.store else ():
            if (found := gap(series, folder)) is not None:
                lines += [found.sentence, *(f"  {command}" for command in found.commands)]
        left_out = () if self.all_versions else (s for one in self.series for s in one.left_out)
        return [for_terminal(line) for line in [*lines, *left_out]]

    def lengths(self, series: Series) -> list[int]:
        """The code lengths to draw one figure each for: those asked for, or one good default."""
        if self.bits:
            return [bits for bits in series.bits if bits in self.bits]
        return [DEFAULT_BITS if DEFAULT_BITS in series.bits else series.bits[-1]]

    def name(self, kind: str, series: Series, *more: object) -> str:
        """A file name that tells data set, protocol, convention and what is drawn apart.

        What else differs between the series of this request is in it too.
        """
        bench = series.bench
        parts = [kind, bench.dataset]
        if bench.protocol != bench.dataset:
            parts.append(bench.protocol)
        rivals = [other for other in self.series if other.bench.dataset == bench.dataset]
        for trait in ("backbone", "split_seed", "options"):
            if len({str(getattr(other.bench, trait)) for other in rivals}) > 1:
                parts.append(str(getattr(bench, trait)))
        if series.rivals:
            parts.append(series.evidence.split[:8] + series.evidence.images[:8])
        return slug(*parts, str(Convention.parse(self.convention)), *map(str, more))


def shown_at(series: Series, bits: int) -> list[Row]:
    """The rows that have results at a code length."""
    return [row for row in series.rows if (row, bits) in series.places]


def facts(series: Series, row: Row, bits: int) -> dict[str, Any]:
    """What every CSV of a figure says of a row."""
    return {
        "dataset": series.bench.dataset,
        "protocol": series.bench.protocol,
        "backbone": series.bench.backbone,
        "convention": str(series.convention),
        "method": row.method,
        "row": series.labels[row],
        "origin": row.origin,
        "bits": bits,
        "seeds": len(series.places.get((row, bits), ())),
    }


def title(series: Series, bits: int | None = None) -> str:
    """The data set's printed name, and the code length."""
    return for_figure(series.title) + (f", {bits} bits" if bits is not None else "")


def over_seeds(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and sample standard deviation of `(seeds, points)`; no deviation of one seed."""
    mean = values.mean(axis=0)
    if len(values) < 2:
        return mean, np.full_like(mean, np.nan)
    return mean, values.std(axis=0, ddof=1)
