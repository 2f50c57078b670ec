"""Tables as files. A format is an `Export`: ours and a stranger's come in by one door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hashbench.errors import InputError, cause

if TYPE_CHECKING:
    from hashbench.evaluation import Convention
    from hashbench.results.scored import Judge
    from hashbench.results.series import Series
    from hashbench.results.sheets import Sheet
    from hashbench.store import Record


@dataclass(frozen=True, kw_only=True)
class Export:
    """A format of tables.

    Attributes:
        name: what `--format` calls it.
        summary: one line for listings.
        write: gives the text of a `Tables`.
        needs_scores: whether it shows the score that was asked for.

    Example:
        >>> import hashbench
        >>> names = hashbench.Export(
        ...     name="names",
        ...     summary="the rows",
        ...     write=lambda tables: ", ".join(
        ...         series.labels[row] for series in tables.series for row in series.rows
        ...     ),
        ... )
        >>> names.name, names.needs_scores
        ('names', True)
    """

    name: str
    summary: str
    write: Callable[[Tables], str]
    needs_scores: bool = True


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What an export is written from; numbers and their grouping come from `series`.

    Attributes:
        records: what the user selected.
        judge: gives their scores; None where there are no records.
        metric: the score of a table.
        conventions: the rules asked for; `series` is of the first.
        stored: the conventions a record has scores of already.
        against: whether published numbers stand beside ours.
        ablation: whether DCH and its variants are shown alone.
        fragment: whether the text is for another document.
        all_versions: with results of older code and of earlier states of the data.
        each_draw: whether draws of a split have a table each, rather than one of their mean.
        bits: the code lengths asked for, none for all.
        results: the folder they are from.
    """

    records: Sequence[Record]
    judge: Judge | None = None
    metric: str = "map@h2"
    conventions: Sequence[Convention]
    stored: Callable[[Record], Sequence[Convention]] = lambda _record: ()
    against: bool = False
    ablation: bool = False
    fragment: bool = False
    all_versions: bool = False
    each_draw: bool = False
    bits: Sequence[int] = ()
    results: Path | None = None

    @cached_property
    def series(self) -> list[Series]:
        """The grouping and the averages, one a bench; draws of a split as one."""
        from hashbench.results.ablation import ablation
        from hashbench.results.choose import Selected
        from hashbench.results.collect import collect
        from hashbench.results.draws import averaged

        if self.judge is None:
            return []
        records = self.records
        if self.ablation:
            every = records.among if isinstance(records, Selected) else records
            records = Selected(ablation(records)[0], every)
        found = collect(
            records,
            self.judge,
            self.metric,
            self.conventions[0],
            all_versions=self.all_versions,
        )
        return found if self.each_draw else averaged(found)

    @cached_property
    def sheets(self) -> list[Sheet]:
        """The same as printable tables, under one convention after the other; no two of a name."""
        found: dict[str, Sheet] = {}
        for tables in self.by_convention:
            for sheet in tables._sheets:
                name, number = sheet.name, 2
                while name in found:
                    name, number = f"{sheet.name}-{number}", number + 1
                found[name] = replace(sheet, name=name)
        return list(found.values())

    @property
    def by_convention(self) -> list[Tables]:
        """The same under each of the conventions alone."""
        return [
            self if convention == self.conventions[0] else replace(self, conventions=(convention,))
            for convention in self.conventions
        ]

    @property
    def _sheets(self) -> list[Sheet]:
        from hashbench.results.ablation import ablation
        from hashbench.results.published import comparison_sheets
        from hashbench.results.sheets import paper_sheets

        if self.against:
            return comparison_sheets(self.series, self.bits)
        first = ablation(self.records)[1] if self.ablation else ()
        return paper_sheets(self.series, first=first, results=self.results)


def write(export: Export, tables: Tables, origin: str = "hashbench") -> str:
    """The text of an export.

    Raises:
        InputError: if there is nothing to show, or a stranger's export fails.
    """
    if export.needs_scores and tables.records:
        from hashbench.results.collect import check_metric

        check_metric(tables.series)
    try:
        text = export.write(tables)
    except InputError:
        raise
    except Exception as error:
        if origin == "hashbench":
            raise
        raise InputError(
            f"the export '{export.name}' of {origin} failed: {cause(error)}"
        ) from error
    if not isinstance(text, str):
        raise InputError(f"the export '{export.name}' of {origin} gave no text")
    return text
