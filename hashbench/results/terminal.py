"""Tables for a terminal: best bold, second underlined, coverage below."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from hashbench.evaluation.lookup import fastest
from hashbench.evaluation.metrics import describe_metric
from hashbench.results.tables import Table, row_labels, tables

#: rank -> style where there are colours, mark where there are none
STYLES = {1: "bold", 2: "underline"}
MARKS = {1: "*", 2: "+"}


def show(console: Console, table: Table, significant: AbstractSet[int] = frozenset()) -> None:
    """Print one table, its coverage and its footnotes.

    Args:
        console: where to.
        table: what.
        significant: code lengths at which the best row beats every other significantly.
    """
    marks = not console.is_terminal
    name = describe_metric(table.metric).title
    tuning = f", {'/'.join(table.tunings)} tuning" if table.tunings else ""
    console.print(
        f"\n{name} ({table.convention} convention) on {table.setting}{tuning}",
        style="bold",
        highlight=False,
    )
    console.print(_scores(table, marks, significant))
    if marks:
        console.print("* best, + second")
    if significant:
        console.print(
            "† better than every other method (paired test over queries, p <= 0.05)",
            highlight=False,
        )
    coverage = _coverage(table)
    if coverage is not None:
        console.print(
            "\nempty balls % / balls without a hit % / recall in the ball", highlight=False
        )
        console.print(coverage)
    lookup = _lookup(table)
    if lookup is not None:
        how, grid = lookup
        console.print(f"\n{how}", highlight=False)
        console.print(grid)
    for sentence in [*table.failures, *_notes(table)]:
        console.print(f"- {sentence}", markup=False, highlight=False)


def _scores(table: Table, marks: bool, significant: AbstractSet[int]) -> Grid:
    grid = _grid(table)
    for row in table.rows:
        texts: list[Text] = [Text(row)]
        for bits in table.bits:
            entry = table.entries.get((row, bits))
            if entry is None or entry.mean is None:
                texts.append(Text("-"))
                continue
            rank = table.rank(row, bits) or 0
            text = Text().append(f"{entry.mean:.3f}", style=STYLES.get(rank, ""))
            if entry.std is not None:
                text.append(f" ±{entry.std:.3f}", style="dim")
            if marks:
                text.append(MARKS.get(rank, " "))
            if significant:
                text.append("†" if rank == 1 and bits in significant else " ")
            texts.append(text)
        grid.add_row(*texts)
    return grid


def _coverage(table: Table) -> Grid | None:
    parts = []
    for metric in ("empty@h2", "nohit@h2", "r@h2"):
        found = tables(table.records, metric, table.convention)
        if not found or not any(entry.values for entry in found[0].entries.values()):
            return None
        parts.append(found[0])
    grid = _grid(table)
    for row in table.rows:
        texts = [row]
        for bits in table.bits:
            means = [
                part.entries[row, bits].mean if (row, bits) in part.entries else None
                for part in parts
            ]
            if any(mean is None for mean in means):
                texts.append("-")
            else:
                empty, nohit, recall = (float(mean or 0.0) for mean in means)
                texts.append(f"{100 * empty:.1f}/{100 * nohit:.1f}/{recall:.3f}")
        grid.add_row(*texts)
    return grid


def _lookup(table: Table) -> tuple[str, Grid] | None:
    """The fastest exact index of each place, where it was measured; the first seed's."""
    found: dict[tuple[str, int], str] = {}
    labels = row_labels(table.records)
    hows = set()
    for record in table.records:
        lookup = record.lookup
        if not lookup:
            continue
        hows.add(f"{lookup.get('threads', '?')} threads, batches of {lookup.get('batch', '?')}")
        best = fastest(lookup)
        text = f"- ({100 * lookup.get('empty', 0):.0f}% empty)"
        if best is not None:
            name, figures = best
            visited = figures.get("candidates", 0.0)
            size = (figures.get("memory") or figures.get("bytes", 0)) / 2**20
            text = f"{name} {figures['queries_per_s']:,.0f} ({visited:,.0f})\n"
            text += f"{size:.1f} MB, built in {figures.get('build_s', 0.0):.2g} s"
        found.setdefault((labels[record.key], int(record.cell["bits"])), text)
    if not found:
        return None
    grid = _grid(table)
    for row in table.rows:
        grid.add_row(row, *(found.get((row, bits), "-") for bits in table.bits))
    how = (
        "lookup within radius 2: queries/s of the fastest exact index (codes compared a query), "
        f"its memory and build time; median pass after a warm-up, {' or '.join(sorted(hows))}"
    )
    return how, grid


def _grid(table: Table) -> Grid:
    grid = Grid(box=None, pad_edge=False, header_style="")
    grid.add_column("method", no_wrap=True)
    for bits in table.bits:
        grid.add_column(f"{bits} bits", justify="right", no_wrap=True)
    return grid


def _notes(table: Table) -> list[str]:
    notes = [str(note) for record in table.records for note in record.split.get("notes", [])]
    notes += [
        f"{record.cell['method']} at {record.cell['bits']} bits ran with {record.adjusted}, "
        "for its own settings took more memory than there is"
        for record in table.records
        if record.adjusted
    ]
    return list(dict.fromkeys(notes))
