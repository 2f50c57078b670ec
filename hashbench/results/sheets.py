"""Sheets: printable tables, independent of the format they are written in.

Methods go down, data sets x code lengths across. A sheet never holds one data
set in two settings: a second protocol or backbone opens a second sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hashbench.evaluation.metrics import describe_metric
from hashbench.results.names import (
    dataset_name,
    dataset_order,
    method_name,
    method_order,
)
from hashbench.results.tables import Table

#: Longest sentence printed below a table; the CSV has the whole of it.
LONGEST_NOTE = 200


@dataclass(frozen=True)
class Cell:
    """One place of a sheet.

    Attributes:
        value: the number shown, None for a dash.
        std: standard deviation over seeds, if there are several.
        rank: 1 for the best of a column, 2 for the second, else 0.
        significant: whether the best is significantly better than all others.
        notes: positions in `Sheet.footnotes`.
        digits: decimals shown.
        signed: print a plus before positive numbers.
    """

    value: float | None = None
    std: float | None = None
    rank: int = 0
    significant: bool = False
    notes: tuple[int, ...] = ()
    digits: int = 3
    signed: bool = False


@dataclass(frozen=True)
class Row:
    """A row's heading: what is printed, the method it cites, what kind of number it holds."""

    text: str
    method: str
    kind: str = ""


@dataclass(frozen=True)
class Column:
    """A column's heading: a data set and a code length."""

    dataset: str
    bits: int

    @property
    def text(self) -> str:
        """The printed name of the data set."""
        return dataset_name(self.dataset)


@dataclass(frozen=True)
class Sheet:
    """A printable table.

    Attributes:
        name: letters, digits and dashes; a LaTeX label and part of file names.
        caption: what it shows, in one or more sentences.
        rows: headings down.
        columns: headings across, equal data sets side by side.
        cells: by (row position, column position); a missing place is a dash.
        footnotes: sentences cells refer to.
        remarks: sentences about the whole table.
    """

    name: str
    caption: str
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    cells: dict[tuple[int, int], Cell]
    footnotes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def cell(self, row: int, column: int) -> Cell:
        """The cell at a place; an empty one where nothing is known."""
        return self.cells.get((row, column), Cell())


#: Tells for which code lengths a table's best score is significantly best.
Marks = Callable[[Table], set[int]]


def no_marks(_table: Table) -> set[int]:
    """No significance marks."""
    return set()


def side_by_side(tables: Sequence[Table]) -> list[list[Table]]:
    """Tables that may share a sheet: different data sets, nothing else but the split differs."""
    groups: list[list[Table]] = []
    for table in tables:
        for group in groups:
            first = group[0].setting
            same = (first.backbone, first.options) == (
                table.setting.backbone,
                table.setting.options,
            )
            if same and table.setting.dataset not in [part.setting.dataset for part in group]:
                group.append(table)
                break
        else:
            groups.append([table])
    for group in groups:
        order = dataset_order(part.setting.dataset for part in group)
        group.sort(key=lambda part: order.index(part.setting.dataset))
    return groups


def paper_sheets(
    tables: Sequence[Table], marks: Marks = no_marks, *, rows: Sequence[str] = ()
) -> list[Sheet]:
    """The tables in the paper's layout, those of one backbone side by side.

    Args:
        tables: of one metric and convention.
        marks: where to set significance marks.
        rows: row labels shown first, in this order, even where nothing is known.
    """
    return [_paper_sheet(group, marks, rows) for group in side_by_side(tables)]


def describe(table: Table) -> str:
    """Where a table's numbers come from: protocol, sizes, backbone, tuning, seeds."""
    setting = table.setting
    counts = next((record.split["counts"] for record in table.records if record.split), None)
    sizes = (
        f" ({counts['query']:,} queries, {counts['train']:,} training, "
        f"{counts['database']:,} database images)"
        if counts
        else ""
    )
    tuning = f", {'/'.join(table.tunings)} tuning of deep methods" if table.tunings else ""
    split = f", split seed {setting.split_seed}"
    options = f", {setting.options}" if setting.options != "{}" else ""
    return (
        f"{dataset_name(setting.dataset)}: protocol {setting.protocol}{sizes}{split}, "
        f"{setting.backbone} features{tuning}{options}"
    )


def what(table: Table) -> str:
    """The metric and the convention of a table, as a caption begins."""
    return f"{describe_metric(table.metric).title}, {table.convention} convention"


def spread(tables: Sequence[Table]) -> str:
    """How seeds enter the numbers, empty for single runs."""
    several = max(
        (len(entry.values) for table in tables for entry in table.entries.values()), default=0
    )
    even = {len(entry.values) for table in tables for entry in table.entries.values()} <= {
        0,
        several,
    }
    number = f"{several}" if even else f"up to {several}"
    return f"Mean ± standard deviation over {number} seeds." if several > 1 else ""


def unfinished(table: Table) -> str:
    """A sentence on cells of the grid nobody has run, and what runs them; empty if none."""
    holes = [
        (row, bits) for row in table.rows for bits in table.bits if (row, bits) not in table.entries
    ]
    if not holes:
        return ""
    methods = ",".join(dict.fromkeys(row.partition(" [")[0] for row, _ in holes))
    lengths = ",".join(str(bits) for bits in sorted({bits for _, bits in holes}))
    return (
        f"{len(holes)} of {len(table.rows) * len(table.bits)} cells on "
        f"{dataset_name(table.setting.dataset)} have not been run: hashbench run --datasets "
        f"{table.setting.dataset} --methods {methods} --bits {lengths}."
    )


def slug(*parts: str) -> str:
    """Letters, digits and single dashes."""
    text = "".join(c if c.isalnum() else "-" for c in "-".join(parts))
    return "-".join(filter(None, text.split("-")))


def note(text: str) -> str:
    """One line of at most `LONGEST_NOTE` characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_NOTE else line[: LONGEST_NOTE - 3] + "..."


def _paper_sheet(group: Sequence[Table], marks: Marks, first: Sequence[str]) -> Sheet:
    found = method_order(row for table in group for row in table.rows)
    absent = [label for label in first if not any(row.partition(" [")[0] == label for row in found)]
    leading = [
        label
        for name in first
        for label in ([name] if name in absent else found)
        if label.partition(" [")[0] == name
    ]
    labels = [*leading, *(label for label in found if label not in leading)]
    columns = [Column(table.setting.dataset, bits) for table in group for bits in table.bits]
    owners = [table for table in group for _ in table.bits]
    best = {id(table): marks(table) for table in group}
    footnotes: dict[str, int] = {}
    cells = {}
    for i, label in enumerate(labels):
        for j, (column, table) in enumerate(zip(columns, owners, strict=True)):
            entry = table.entries.get((label, column.bits))
            if entry is None:
                continue
            rank = table.rank(label, column.bits) or 0
            cells[i, j] = Cell(
                value=entry.mean,
                std=entry.std,
                rank=rank,
                significant=rank == 1 and column.bits in best[id(table)],
                notes=tuple(
                    footnotes.setdefault(text, len(footnotes))
                    for text in dict.fromkeys(note(reason) for reason in entry.failures)
                ),
                digits=describe_metric(table.metric).digits,
            )
    ranked = any(cell.rank for cell in cells.values())
    parts = [
        f"{what(group[0])}.",
        *(f"{describe(table)}." for table in group),
        spread(group),
        "Best bold, second best underlined." if ranked else "",
        "† significantly better than every other method "
        "(paired randomisation test over queries, Holm-corrected, p ≤ 0.05)."
        if any(cell.significant for cell in cells.values())
        else "",
    ]
    return Sheet(
        name=slug(
            *(table.setting.dataset for table in group), group[0].setting.backbone, group[0].metric
        ),
        caption=" ".join(filter(None, parts)),
        rows=tuple(Row(method_name(label), label.partition(" [")[0]) for label in labels),
        columns=tuple(columns),
        cells=cells,
        footnotes=tuple(footnotes),
        remarks=tuple(
            dict.fromkeys(
                [
                    *(
                        f"{method_name(label)} has not been run: hashbench run --methods {label}."
                        for label in absent
                    ),
                    *filter(None, map(unfinished, group)),
                    *(
                        note(text)
                        for table in group
                        for record in table.records
                        for text in record.split.get("notes", [])
                    ),
                ]
            )
        ),
    )
