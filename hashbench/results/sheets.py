"""Sheets: printable tables, independent of the format they are written in.

Methods go down, data sets x code lengths across. A sheet never holds one data
set in two settings: a second protocol, backbone or state of the data opens a
second sheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hashbench.parsing import in_number
from hashbench.results.missing import Gap, gap, never_run
from hashbench.results.rows import BLOCKS, Row, labels
from hashbench.results.series import SeedScores, Series
from hashbench.results.sinks import one_line, remark, slug

#: What a caption says of `Place.bounds`.
TIES = "In brackets the worst and the best order of tied items."


@dataclass(frozen=True)
class Place:
    """One place of a sheet.

    Attributes:
        value: the number shown, None for a dash.
        std: standard deviation over seeds, if there are several.
        n: seeds it is over, None where as many as the caption says.
        rank: 1 for the best of a column, 2 for the second, else 0.
        marked: whether the best is significantly better than all others.
        notes: positions in `Sheet.footnotes`.
        digits: decimals shown.
        signed: print a plus before positive numbers.
        bounds: (worst, best) over the orders of tied items.
    """

    value: float | None = None
    std: float | None = None
    n: int | None = None
    rank: int = 0
    marked: bool = False
    notes: tuple[int, ...] = ()
    digits: int = 3
    signed: bool = False
    bounds: tuple[float, float] | None = None

    @property
    def number(self) -> str:
        """The value as digits, "" for a dash."""
        return (
            ""
            if self.value is None
            else f"{self.value:{'+' if self.signed else ''}.{self.digits}f}"
        )


@dataclass(frozen=True)
class Line:
    """A line's heading.

    Attributes:
        text: what is printed.
        bibtex: the BibTeX entry of what it cites, "" for none.
        kind: what kind of number it holds, where lines of one method differ in it.
        block: one of `rows.BLOCKS`.
    """

    text: str
    bibtex: str = ""
    kind: str = ""
    block: str = "method"


@dataclass(frozen=True)
class Head:
    """A column's heading: a data set and a code length."""

    text: str
    bits: int
    bibtex: str = ""


@dataclass(frozen=True)
class Sheet:
    """A printable table.

    Attributes:
        name: letters, digits and dashes; a LaTeX label.
        caption: what it shows, in one or more sentences.
        lines: headings down, those of one block together.
        heads: headings across, equal data sets side by side.
        places: by (line position, head position); a missing one is a dash.
        footnotes: sentences places refer to.
        remarks: sentences about the whole table.
        gaps: cells nobody has run.
    """

    name: str
    caption: str
    lines: tuple[Line, ...]
    heads: tuple[Head, ...]
    places: Mapping[tuple[int, int], Place]
    footnotes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def place(self, line: int, head: int) -> Place:
        """What stands at a place; an empty one where nothing is known."""
        return self.places.get((line, head), Place())

    @property
    def kinds(self) -> bool:
        """Whether lines of one method hold different kinds of number."""
        return any(line.kind for line in self.lines)


def side_by_side(found: Sequence[Series]) -> list[list[Series]]:
    """Series that may share a sheet: of different data sets on one backbone."""
    groups: list[list[Series]] = []
    for series in found:
        for group in groups:
            first = group[0].bench
            same = (first.backbone, first.options) == (series.bench.backbone, series.bench.options)
            if same and series.bench.dataset not in [part.bench.dataset for part in group]:
                group.append(series)
                break
        else:
            groups.append([series])
    return groups


def paper_sheets(
    found: Sequence[Series],
    *,
    first: Sequence[tuple[str, str]] = (),
    results: Path | None = None,
) -> list[Sheet]:
    """The tables in the papers' layout, those of one backbone side by side.

    Args:
        found: of one metric and convention.
        first: (name, title) of methods listed first, in this order, even where nothing is known.
        results: the folder they are from, for commands.
    """
    return [_paper_sheet(group, first, results) for group in side_by_side(found)]


def describe(series: Series) -> str:
    """Where a table's numbers come from: protocol, sizes, backbone, training, origins."""
    counts = series.counts
    sizes = (
        f" ({in_number(counts.get('query', 0), 'query', 'queries')}, "
        f"{counts.get('train', 0):,} training, "
        f"{in_number(counts.get('database', 0), 'database image', 'database images')})"
        if counts
        else ""
    )
    origins = f"; {series.origins}" if series.origins else ""
    return f"{series.title}{sizes}: {series.about}{origins}"


def spread(found: Sequence[Series]) -> str:
    """How seeds enter the numbers."""
    over = {series.title: counted(series.seeds, series.unit) for series in found if series.seeds}
    if not over:
        return ""
    if {series.seeds for series in found if series.seeds} == {1}:
        return "One seed."
    same = len(set(over.values())) == 1
    said = [text if same else f"{text} on {name}" for name, text in over.items()]
    return f"Mean ± standard deviation over {', '.join(dict.fromkeys(said))}."


def counted(number: int, unit: str) -> str:
    """`3 seeds`, `1 draw of the split`."""
    noun, of, what = unit.partition(" of ")
    return in_number(number, noun, f"{noun}s") + of + what


def place_of(entry: SeedScores, series: Series, seeds: int, notes: tuple[int, ...] = ()) -> Place:
    """An entry as a place, neither ranked nor marked.

    Args:
        entry: the numbers.
        series: where it is from.
        seeds: how many seeds the caption says.
        notes: positions of footnotes.
    """
    return Place(
        value=entry.mean,
        std=entry.std,
        n=entry.n if entry.n not in (0, seeds) else None,
        notes=notes,
        digits=series.info.digits,
        bounds=entry.bounds,
    )


def dataset_bibtex(series: Series) -> str:
    """The BibTeX entry of a series' data set, "" for none."""
    entries = (record.parts.get("dataset", {}).get("bibtex") for record in series.records)
    return str(next(filter(None, entries), ""))


def _merged(group: Sequence[Series]) -> dict[Row, dict[int, Row]]:
    """The lines of a sheet: for each the row it is of every series, by position.

    A method that is tuned for one data set and at its defaults on another is one
    line; one that stands in a series with both is two.
    """
    several = {
        row.base
        for series in group
        for row in series.rows
        if [other.base for other in series.rows].count(row.base) > 1
    }
    found: dict[Row, dict[int, Row]] = {}
    for place, series in enumerate(group):
        for row in series.rows:
            key = row if row.base in several else row.base
            found.setdefault(key, {})[place] = row
    merged = {}
    for rows in found.values():
        origins = "/".join(dict.fromkeys(filter(None, (row.origin for row in rows.values()))))
        merged[replace(next(iter(rows.values())), origin=origins)] = rows
    return dict(sorted(merged.items(), key=lambda item: item[0].order))


def _paper_sheet(
    group: Sequence[Series], first: Sequence[tuple[str, str]], results: Path | None
) -> Sheet:
    merged = _merged(group)
    texts = labels(list(merged))
    names = [name for name, _ in first]
    absent = [(name, title) for name, title in first if name not in {row.method for row in merged}]
    lines = [(Line(texts[row], row.bibtex, block=row.block), row) for row in merged]
    lines += [(Line(title), Row(name, title)) for name, title in absent]
    if first:
        lines.sort(
            key=lambda line: names.index(line[1].method) if line[1].method in names else len(names)
        )
    columns = [(place, bits) for place, series in enumerate(group) for bits in series.bits]
    seeds = max(series.seeds for series in group)
    footnotes: dict[str, int] = {}
    places = {}
    for i, (_, line) in enumerate(lines):
        for j, (place, bits) in enumerate(columns):
            series, row = group[place], merged.get(line, {}).get(place)
            if row is None or (row, bits) not in series.places:
                continue
            entry = series.entry(row, bits)
            notes = tuple(
                footnotes.setdefault(text, len(footnotes))
                for text in dict.fromkeys(one_line(reason) for reason in entry.failures)
            )
            places[i, j] = replace(
                place_of(entry, series, seeds, notes),
                rank=series.rank(row, bits),
                marked=series.marked(row, bits),
            )
    remarks = [remark(note) for series in group for note in series.notes]
    gaps: list[Gap | None] = []
    for series in group:
        there = {row.method for row in series.rows}
        lacking = [(name, title) for name, title in first if name not in there]
        for draw in series.draws:
            gaps += [never_run(draw, lacking, results, series)] if lacking else []
            gaps.append(gap(draw, results, series))
    return Sheet(
        name=slug(
            *(series.bench.dataset for series in group),
            group[0].bench.backbone,
            group[0].metric,
            str(group[0].convention),
        ),
        caption=" ".join(_caption(group, places, [line for line, _ in lines])),
        lines=tuple(line for line, _ in lines),
        heads=tuple(
            Head(group[place].title, bits, dataset_bibtex(group[place])) for place, bits in columns
        ),
        places=places,
        footnotes=tuple(footnotes),
        remarks=tuple(dict.fromkeys(remarks)),
        gaps=tuple(found for found in gaps if found is not None),
    )


def _caption(
    group: Sequence[Series], places: Mapping[tuple[int, int], Place], lines: Sequence[Line]
) -> list[str]:
    ranked = {row.block for series in group for row in series.ranked}
    apart = [
        BLOCKS[block]
        for block in dict.fromkeys(line.block for line in lines)
        if BLOCKS[block] and block not in ranked
    ]
    parts = [
        f"{group[0].what}.",
        *(f"{describe(series)}." for series in group),
        spread(group),
        "Best bold, second best underlined." if any(p.rank for p in places.values()) else "",
        f"Not ranked: {', '.join(apart)}." if apart else "",
        TIES if any(place.bounds for place in places.values()) else "",
        *dict.fromkeys(f"{series.dagger}." for series in group if series.dagger),
        *(_first(series, len(group) > 1) for series in group),
    ]
    return list(filter(None, parts))


def _first(series: Series, several: bool) -> str:
    where = f"{series.title}: " if several and series.certificate else ""
    return f"{where}{series.certificate}"
