"""Series for a terminal: best bold, second underlined, coverage below."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from hashbench.results.rows import BLOCKS, Row
from hashbench.results.series import Series
from hashbench.results.sheets import counted
from hashbench.results.sinks import for_terminal, one_line, remark

#: Columns of a line that goes to a file or a pipe, where nothing need be cut to a screen's width.
WIDE = 200

#: Most columns of a line that a word of a row's name keeps before it is broken.
NAME = 24

#: rank -> style where there are colours, mark where there are none
STYLES = {1: "bold", 2: "underline"}
MARKS = {1: "*", 2: "+"}

#: A row's name, and what stands at each code length; None where nothing does.
_Line = tuple[Text, list[Text] | None]


def show(console: Console, series: Series) -> None:
    """Print a series as a table, its coverage and what a reader must know."""
    marks = not console.is_terminal
    convention = "" if series.timed else f" ({series.convention} convention)"
    what = f"{series.info.title}{convention}"
    _say(
        console,
        f"\n{what} on {series.title}, {series.about}",
        style="bold",
    )
    over = counted(series.seeds, series.unit)
    seeds = over if series.seeds == 1 else f"mean ± deviation over {over}"
    _say(console, "; ".join(filter(None, [seeds if series.seeds else "", series.origins])))
    daggers = {
        (row, bits) for row in series.rows for bits in series.bits if series.marked(row, bits)
    }
    _grid(console, series, lambda row, bits: _score(series, row, bits, marks, daggers))
    if marks and any(series.rank(*place) for place in series.places):
        _say(console, "* best, + second")
    if daggers:
        _say(console, series.dagger)
    for title, cell in _extras(series):
        if any(cell(row, bits).plain != "-" for row, bits in series.places):
            _say(console, f"\n{title}")
            _grid(console, series, cell)
    if series.views:
        _say(console, f"\n{series.info.title} by view of the split: queries@database")
        _views(console, series)
    for sentence in [*map(one_line, series.failures), *map(remark, series.notes)]:
        _say(console, f"- {sentence}")


def text(series: Series) -> str:
    """What `show` prints of a series where there are no colours."""
    console = Console(width=WIDE, file=io.StringIO(), color_system=None, force_terminal=False)
    with console.capture() as printed:
        show(console, series)
    return printed.get().strip("\n")


def _say(console: Console, text: str, style: str = "") -> None:
    lines = [for_terminal(line) for line in text.split("\n")]
    console.print(Text("\n".join(lines), style=style))


def _score(series: Series, row: Row, bits: int, marks: bool, daggers: set[tuple[Row, int]]) -> Text:
    entry = series.entry(row, bits)
    if entry.mean is None:
        return Text("-")
    digits = series.info.digits
    rank = series.rank(row, bits)
    text = Text().append(f"{entry.mean:.{digits}f}", style=STYLES.get(rank, ""))
    if entry.std is not None:
        text.append(f" ±{entry.std:.{digits}f}", style="dim")
    if entry.bounds is not None:
        text.append(f" [{entry.bounds[0]:.{digits}f}, {entry.bounds[1]:.{digits}f}]", style="dim")
    if entry.n != series.seeds:
        text.append(f" (n={entry.n})")
    if marks:
        text.append(MARKS.get(rank, " "))
    if daggers:
        text.append("†" if (row, bits) in daggers else " ")
    return text


def _extras(series: Series) -> list[tuple[str, Callable[[Row, int], Text]]]:
    """Smaller tables below: a title and what stands at each place."""
    radius = series.convention.radius
    empty, nohit, recall = (series.of(f"{name}@h{radius}") for name in ("empty", "nohit", "r"))

    def coverage(row: Row, bits: int) -> Text:
        means = [part.entry(row, bits).mean for part in (empty, nohit, recall)]
        if any(mean is None for mean in means):
            return Text("-")
        first, second, third = (float(mean or 0.0) for mean in means)
        return Text(f"{100 * first:.1f}/{100 * second:.1f}/{third:.3f}")

    def lookup(row: Row, bits: int) -> Text:
        for record in series.places.get((row, bits), ()):
            figures = {
                name: part
                for name, part in series.judge.lookup(record).items()
                if isinstance(part, dict) and isinstance(part.get("queries_per_s"), int | float)
            }
            if figures:
                name = max(figures, key=lambda name: figures[name]["queries_per_s"])
                rate, visited = (
                    float(figures[name].get(what, 0.0)) for what in ("queries_per_s", "candidates")
                )
                return Text(f"{for_terminal(name)} {rate:,.0f} ({visited:,.0f})")
        return Text("-")

    return [
        ("empty balls % / balls without a hit % / recall in the ball", coverage),
        ("lookup within the ball: queries/s of the fastest index (items visited)", lookup),
    ]


def _views(console: Console, series: Series) -> None:
    """Every row over each view, one below the other."""
    lines: list[_Line] = []
    parts = {view: series.of_view(view) for view in series.views}
    for row in series.rows:
        lines.append((Text(for_terminal(series.names[row])), None))
        for view, part in parts.items():
            name = Text(f"  {for_terminal(view)}", style="dim")
            lines.append((name, [_number(part, row, bits) for bits in series.bits]))
    _put(console, series, lines)


def _number(series: Series, row: Row, bits: int) -> Text:
    entry = series.entry(row, bits)
    if entry.mean is None:
        return Text("-")
    text = Text(f"{entry.mean:.{series.info.digits}f}")
    if entry.std is not None:
        text.append(f" ±{entry.std:.{series.info.digits}f}", style="dim")
    return text


def _grid(console: Console, series: Series, cell: Callable[[Row, int], Text]) -> None:
    lines: list[_Line] = []
    block = None
    for row in series.rows:
        if block is not None and row.block != block:
            lines.append((Text(), None))
        block = row.block
        apart = f"  ({BLOCKS[block]})" if BLOCKS[block] else ""
        name = Text(for_terminal(series.names[row])).append(apart, style="dim")
        lines.append((name, [cell(row, bits) for bits in series.bits]))
    _put(console, series, lines)


def _put(console: Console, series: Series, lines: Sequence[_Line]) -> None:
    """Print lines of a table: as many code lengths beside each other as the console has room for.

    No number is cut; a long name is wrapped between its words.
    """
    heads = [f"{bits} bits" for bits in series.bits]
    widths = [
        max(len(head), *(numbers[place].cell_len for _, numbers in lines if numbers))
        for place, head in enumerate(heads)
    ]
    words = [word for text, _ in lines for word in text.split(" ")]
    name = min(NAME, max(word.cell_len for word in words))
    tight = name + sum(widths) + 2 * len(widths) > console.width
    first = 0
    while first < len(heads):
        last = first + 1
        while last < len(heads) and (
            name + sum(1 + width for width in widths[first : last + 1]) <= console.width
        ):
            last += 1
        grid = Grid(box=None, pad_edge=False, header_style="", collapse_padding=tight)
        grid.add_column("method", overflow="fold")
        for head in heads[first:last]:
            grid.add_column(head, justify="right", no_wrap=True)
        for text, numbers in lines:
            grid.add_row(text, *(numbers or [])[first:last])
        if first:
            console.print()
        console.print(grid)
        first = last
