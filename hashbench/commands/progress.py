"""How a run shows itself: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hashbench.results.record import Record
from hashbench.runner.cell import Cell
from hashbench.runner.execute import Listener


def say(sentence: str, quiet: bool = False) -> None:
    """Print one line for a person; nothing when the output is for a program."""
    if not quiet:
        click.echo(sentence)


@contextmanager
def display(cells: Sequence[Cell], todo: Sequence[Cell], *, quiet: bool) -> Iterator[Listener]:
    """A listener that shows progress and an ETA while the block runs."""
    console = Console(stderr=quiet)
    if quiet or not console.is_terminal:
        yield _Lines(todo, quiet)
        return
    skipped = len(cells) - len(todo)
    if skipped:
        console.print(f"{skipped} of {len(cells)} cells have scores already.")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[cells]}"),
        TimeElapsedColumn(),
        TextColumn("eta {task.fields[eta]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Bar(bar, todo)


class _Pace:
    """Counts finished cells and guesses the time left from their own times."""

    def __init__(self, todo: Sequence[Cell]) -> None:
        self.total = len(todo)
        self.waiting = {cell.key: cell.method for cell in todo}
        self.start = time.monotonic()
        self.times: dict[str, list[float]] = {}
        self.done = 0

    def finish(self, cell: Cell, record: Record) -> None:
        self.done += 1
        self.waiting.pop(cell.key, None)
        if record.timings:
            self.times.setdefault(cell.method, []).append(sum(record.timings.values()))

    def eta(self) -> str:
        """Remaining time: mean of the same method's cells, or of all where there is none."""
        spent = [seconds for group in self.times.values() for seconds in group]
        if not spent:
            return "-"
        overall = sum(spent) / len(spent)
        left = 0.0
        for method in self.waiting.values():
            own = self.times.get(method)
            left += sum(own) / len(own) if own else overall
        busy = time.monotonic() - self.start
        return duration(left * busy / sum(spent))


class _Lines:
    """One plain line a finished cell."""

    def __init__(self, todo: Sequence[Cell], quiet: bool) -> None:
        self.pace = _Pace(todo)
        self.quiet = quiet
        self.note = ""
        self.said = time.monotonic()

    def started(self, cell: Cell) -> None:
        pass

    def progress(self, cell: Cell, share: float, note: str) -> None:
        # Long silences look like a hang: say where a slow cell is every 15 seconds.
        if time.monotonic() - self.said > 15:
            self.said = time.monotonic()
            say(f"  {cell}: {share:.0%} {note}", self.quiet)

    def finished(self, cell: Cell, record: Record) -> None:
        self.pace.finish(cell, record)
        self.said = time.monotonic()
        count = f"[{self.pace.done}/{self.pace.total}]"
        say(f"{count} {cell}: {outcome(record)}, eta {self.pace.eta()}", self.quiet)


class _Bar:
    """One bar for the run; the running cell is named beside it."""

    def __init__(self, bar: Progress, todo: Sequence[Cell]) -> None:
        self.pace = _Pace(todo)
        self.bar = bar
        self.shares: dict[str, float] = {}
        self.task = bar.add_task("starting", total=len(todo), cells="", eta="-")

    def started(self, cell: Cell) -> None:
        self._update(str(cell))

    def progress(self, cell: Cell, share: float, note: str) -> None:
        self.shares[cell.key] = share
        self._update(f"{cell} {note}".strip())

    def finished(self, cell: Cell, record: Record) -> None:
        self.shares.pop(cell.key, None)
        self.pace.finish(cell, record)
        if not record.ok:
            self.bar.console.print(f"{cell}: {outcome(record)}", markup=False, highlight=False)
        self._update(str(cell))

    def _update(self, description: str) -> None:
        self.bar.update(
            self.task,
            description=description,
            completed=self.pace.done + sum(self.shares.values()),
            cells=f"{self.pace.done}/{self.pace.total} cells",
            eta=self.pace.eta(),
        )


def outcome(record: Record) -> str:
    """A finished cell in a few words."""
    if not record.ok:
        return f"{record.status} ({record.reason})"
    scores = next(iter(record.scores.values()), {})
    value = scores.get("map@h2")
    seconds = duration(sum(record.timings.values()))
    return f"mAP@H<=2 {value:.3f} in {seconds}" if value is not None else f"done in {seconds}"


def duration(seconds: float) -> str:
    """Seconds as 4s, 3m05s or 2h07m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s" if seconds >= 1 else f"{seconds:.1f}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
