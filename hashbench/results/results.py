"""Results: what a run or a folder gives a Python user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hashbench.arguments import flag, names
from hashbench.evaluation.statistics import Family
from hashbench.parsing import in_number, parse_names
from hashbench.results.choose import bits_of, select
from hashbench.results.collect import check_known, check_metric, collect
from hashbench.results.draws import averaged
from hashbench.results.rows import Row
from hashbench.results.scored import StoredJudge
from hashbench.results.series import Series
from hashbench.store import Record, Store

if TYPE_CHECKING:
    import pandas as pd

    from hashbench.encoder.encoder import Encoder


@dataclass(frozen=True)
class Results:
    """The results in a folder, or those of them that one run asked for.

    Attributes:
        folder: where they are.
        conventions: names of the conventions that were asked for; the first makes the table.
        keys: keys of the cells a run asked for, None for all that are in the folder.
        missing: cells that lack scores that were asked for, and why.
        trained: how many cells a run trained.
        scored: how many it scored from codes it had.
        read: the records of `keys`, where they have been read.
    """

    folder: Path
    conventions: tuple[str, ...] = ("house",)
    keys: tuple[str, ...] | None = None
    missing: tuple[tuple[str, str], ...] = ()
    trained: int = 0
    scored: int = 0
    read: tuple[Record, ...] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def store(self) -> Store:
        """The folder, opened.

        Raises:
            InputError: if there are no results in it.
        """
        return Store(self.folder)

    @cached_property
    def records(self) -> list[Record]:
        """What each cell left, in the order they were asked for."""
        if self.keys is None:
            return self.store.records()
        if self.read is not None:
            return list(self.read)
        found = (self.store.get(key) for key in self.keys)
        return [record for record in found if record is not None]

    def table(
        self,
        metric: str | None = None,
        convention: str | None = None,
        *,
        methods: Sequence[str] | None = None,
        bits: Sequence[int] | None = None,
        datasets: Sequence[str] | None = None,
        all_versions: bool = False,
        each_draw: bool = False,
    ) -> list[Series]:
        """The scores of a metric under a convention, one `Series` a bench.

        Scores that are missing are computed from the stored codes.

        Args:
            metric: such as "map@h2" or "p@100"; None for the first that the convention
                defines.
            convention: its name; None for the first that was asked for.
            methods: those alone, in this order.
            bits: those alone.
            datasets: those alone.
            all_versions: with results of older code and of earlier states of the data.
            each_draw: whether draws of a split have a `Series` each, rather than one of
                their mean.

        Raises:
            InputError: for names that no result has, the metric's among them.
        """
        flag("all_versions", all_versions)
        flag("each_draw", each_draw)
        methods, datasets = names("methods", methods), names("datasets", datasets)
        chosen = select(self.records, methods=methods, bits=bits, datasets=datasets)
        found = collect(
            chosen,
            StoredJudge(self.store),
            metric,
            self.conventions[0] if convention is None else convention,
            all_versions=all_versions,
            order=parse_names(methods or ()),
        )
        check_known(found)
        return found if each_draw else averaged(found)

    def compare(
        self, metric: str | None = None, convention: str | None = None, **chosen: Any
    ) -> dict[tuple[str, int], Family[Row]]:
        """Whether differences are real: one family of tests a bench and code length.

        Of several states of a bench's data each name ends with the digests of its own.

        Args:
            metric: see `table`.
            convention: see `table`.
            chosen: see `table`.
        """
        found = self.table(metric, convention, **{"each_draw": True, **chosen})
        check_metric(found)
        return {
            (self._name(series), bits): series.family(bits)
            for series in found
            for bits in series.bits
        }

    @staticmethod
    def _name(series: Series) -> str:
        evidence = series.evidence
        state = f", data {evidence.split[:8]} {evidence.images[:8]}" if series.rivals else ""
        return f"{series.bench}{state}"

    def frame(self) -> pd.DataFrame:
        """Every score as a tidy DataFrame: a row a cell, convention and metric."""
        from hashbench.results.frame import frame

        return frame(self.records, StoredJudge(self.store), self.conventions)

    def plot(self, kind: str, out: str | Path = "figures", **options: Any) -> list[Path]:
        """Draw a figure into a folder; returns the files written.

        Args:
            kind: as `hashbench plot --help` lists them.
            out: the folder.
            options: of `FigureRequest`: methods, bits, convention, ...
        """
        from hashbench.results.plots import draw
        from hashbench.results.plots.request import FigureRequest

        file_format = options.pop("file_format", "pdf")
        methods = parse_names(options.pop("methods", ()))
        bits = bits_of(options.pop("bits", ()))
        chosen = {name: options.pop(name, None) for name in ("datasets", "seeds")}
        request = FigureRequest(
            records=select(self.records, methods=methods, bits=bits, **chosen),
            store=self.store,
            methods=methods,
            bits=bits,
            **{"convention": self.conventions[0], **options},
        )
        return draw(kind, request, Path(out), file_format)

    def hasher(self, cell: str) -> Encoder:
        """The fitted hasher of a cell, such as "dch:48:0", ready to encode new images."""
        from hashbench.results.explain import find_cell
        from hashbench.results.hashers import encoder_of

        return encoder_of(self.store, find_cell(self.store, cell))

    def __repr__(self) -> str:
        what = "all cells" if self.keys is None else in_number(len(self.keys), "cell", "cells")
        lacking = f", {len(self.missing)} without scores" if self.missing else ""
        return f"Results({self.folder}, {what}{lacking})"
