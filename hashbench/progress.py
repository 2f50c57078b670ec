"""How a run shows itself: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hashbench.cell import Cell
from hashbench.errors import shown
from hashbench.evaluation import Convention
from hashbench.parsing import in_number
from hashbench.runner.estimate import Pace
from hashbench.runner.execute import Listener
from hashbench.runner.run import Display, Job
from hashbench.runner.settings import Task
from hashbench.store.record import Record
from hashbench.store.scorefiles import get_scores
from hashbench.store.store import Store

#: Seconds of silence after which a slow cell says where it stands.
SILENCE = 15


def say(sentence: str, quiet: bool = False) -> None:
    """Print one line for a person; nothing when the output is for a program."""
    if not quiet:
        click.echo(sentence)


def show(job: Job, *, quiet: bool, name: Callable[[Cell], str] = str) -> Display:
    """A display of a job: progress and an ETA, on a terminal or a notebook as one live bar.

    Args:
        job: what is run.
        quiet: print nothing.
        name: what a cell is called.
    """

    @contextmanager
    def display(total: int, todo: Sequence[Task], pace: Pace) -> Iterator[Listener]:
        said = _Said(job.settings.store, job.settings.parsed[0], name)
        with _shown(said, total, todo, pace, quiet) as listener:
            yield listener

    return display


@contextmanager
def _shown(
    said: _Said, total: int, todo: Sequence[Task], pace: Pace, quiet: bool
) -> Iterator[Listener]:
    console = Console(stderr=quiet)
    count = _Count(todo, pace)
    if quiet or not console.is_terminal:
        yield _Lines(count, said, quiet)
        return
    if total > len(todo):
        console.print(
            f"{total - len(todo)} of {in_number(total, 'cell', 'cells')} "
            f"{'has' if total - len(todo) == 1 else 'have'} scores already."
        )
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[cells]}"),
        TimeElapsedColumn(),
        TextColumn("eta {task.fields[eta]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Bar(bar, count, said)


class _Count:
    """Counts finished cells and guesses the time left."""

    def __init__(self, todo: Sequence[Task], pace: Pace) -> None:
        self.total = len(todo)
        self.waiting = {task.key: task.cell for task in todo}
        self.pace = pace
        self.begun: float | None = None
        self.spent = 0.0
        self.done = 0

    def start(self) -> None:
        if self.begun is None:
            self.begun = time.monotonic()

    def finish(self, task: Task, record: Record) -> None:
        self.done += 1
        self.waiting.pop(task.key, None)
        if not task.trained:
            self.spent += sum(record.timings.values())
            self.pace.learn(record)

    def eta(self) -> str:
        """Remaining time: what the cells will take, at this run's cells a second so far."""
        left = self.pace.total(self.waiting.values())
        if left is None or self.begun is None or not self.spent:
            return "-"
        return duration(left * (time.monotonic() - self.begun) / self.spent)


class _Lines:
    """One plain line a finished cell."""

    def __init__(self, count: _Count, said: _Said, quiet: bool) -> None:
        self.count = count
        self.outcome = said
        self.quiet = quiet
        self.said = time.monotonic()

    def preparing(self, share: float, note: str) -> None:
        self._after_silence(f"  preparing: {share:.0%} {note}")

    def started(self, task: Task) -> None:
        self.count.start()

    def progress(self, task: Task, share: float, note: str) -> None:
        # Long silences look like a hang.
        self._after_silence(f"  {self.outcome.name(task.cell)}: {share:.0%} {clean(note)}")

    def finished(self, task: Task, record: Record) -> None:
        self.count.finish(task, record)
        if task.trained and not record.reason:
            return  # it was scored alone: the run says how many were
        self.said = time.monotonic()
        count = f"[{self.count.done}/{self.count.total}]"
        say(
            f"{count} {self.outcome.name(task.cell)}: {self.outcome(record)}, "
            f"eta {self.count.eta()}",
            self.quiet,
        )

    def _after_silence(self, line: str) -> None:
        if time.monotonic() - self.said > SILENCE:
            self.said = time.monotonic()
            say(line, self.quiet)


class _Bar:
    """One bar for the run; what was heard of last is named beside it."""

    def __init__(self, bar: Progress, count: _Count, said: _Said) -> None:
        self.count = count
        self.outcome = said
        self.bar = bar
        self.shares: dict[str, float] = {}
        self.preparation: TaskID | None = None
        self.task = bar.add_task("starting", total=count.total, cells="", eta="-")

    def preparing(self, share: float, note: str) -> None:
        if self.preparation is None:
            self.preparation = self.bar.add_task("", total=1, cells="", eta="-")
        self.bar.update(self.preparation, description=note, completed=share)

    def started(self, task: Task) -> None:
        if self.preparation is not None:
            self.bar.remove_task(self.preparation)
            self.preparation = None
        self.count.start()
        self._update(self.outcome.name(task.cell))

    def progress(self, task: Task, share: float, note: str) -> None:
        self.shares[task.key] = share
        self._update(f"{self.outcome.name(task.cell)} {clean(note)}".strip())

    def finished(self, task: Task, record: Record) -> None:
        self.shares.pop(task.key, None)
        self.count.finish(task, record)
        if record.reason:
            said = f"{self.outcome.name(task.cell)}: {self.outcome(record)}"
            self.bar.console.print(said, markup=False, highlight=False)
        self._update(self.outcome.name(task.cell))

    def _update(self, description: str) -> None:
        self.bar.update(
            self.task,
            description=description,
            completed=self.count.done + sum(self.shares.values()),
            cells=f"{self.count.done}/{in_number(self.count.total, 'cell', 'cells')}",
            eta=self.count.eta(),
        )


class _Said:
    """What a finished cell says in a few words, scored as the table will be."""

    def __init__(self, folder: Path, convention: Convention, name: Callable[[Cell], str]) -> None:
        self.folder = folder
        self.convention = convention
        self.name = name

    def __call__(self, record: Record) -> str:
        if not record.ok:
            return f"{record.status} ({clean(record.reason)})"
        if record.reason:
            return f"trained, but not scored ({clean(record.reason)})"
        found = get_scores(Store(self.folder), record, self.convention)
        value = None if found is None else found[0].get("map@h2")
        seconds = duration(sum(record.timings.values()))
        parts = record.adjusted.get("accumulate")
        note = f", batches in {parts} parts, for the GPU ran out of memory" if parts else ""
        return f"{f'mAP@H<=2 {value:.3f}' if value is not None else 'done'} in {seconds}{note}"


def clean(text: str) -> str:
    """A stranger's text, fit for a terminal."""
    return shown(text, 200) if text else ""


def duration(seconds: float) -> str:
    """Seconds as 4s, 3m05s or 2h07m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s" if seconds >= 1 else f"{seconds:.1f}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
