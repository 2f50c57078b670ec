"""A run: from the cells that were asked for to their results in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from hashbench import devices
from hashbench.runner.apart import prepare_apart
from hashbench.runner.benches import forget_splits
from hashbench.runner.claim import pending
from hashbench.runner.estimate import Pace, Room
from hashbench.runner.execute import Limits, Listener, available_cores
from hashbench.runner.executors import open_executor
from hashbench.runner.finish import can_be_scored, lacks
from hashbench.runner.memory import warn_of_limit
from hashbench.runner.prepare import Problem, gather, prepare
from hashbench.runner.settings import Ask, Settings, Task
from hashbench.runner.slots import gpu_seats, share, wants_gpu
from hashbench.store.record import Record
from hashbench.store.room import hasher_room
from hashbench.store.store import Store

#: Shows how a run goes: called with all cells, the tasks to do, and what similar ones took.
Display = Callable[[int, Sequence[Task], Pace], AbstractContextManager[Listener]]


@dataclass(frozen=True)
class Job:
    """What a run is to do.

    Attributes:
        asks: the cells.
        settings: what they share.
        limits: what the run may use.
        executor: where the cells run.
    """

    asks: list[Ask]
    settings: Settings
    limits: Limits = field(default_factory=Limits)
    executor: str = "local"


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        tasks: the cells whose data were there, in the order they were asked for.
        trained: how many were trained.
        scored: how many had codes and were scored alone.
        missing: cells that lack scores that were asked for, and why.
        records: what each cell left, by its key.
    """

    tasks: list[Task]
    trained: int
    scored: int
    missing: list[tuple[Ask, str]]
    records: dict[str, Record]


def run_job(job: Job, display: Display, begun: Callable[[], None] | None = None) -> Outcome:
    """Finish every cell of a job, as far as it can be.

    Args:
        job: what is to be done.
        display: shows how it goes.
        begun: called once nothing is refused any more, before anything is computed.

    Raises:
        InputError: if no cell's data can be had, or an executor or a limit is not to be had.
        StoreError: if the store cannot be written to.
        KeyboardInterrupt: when the user stops the run; finished cells are kept.
    """
    settings = job.settings
    tasks, problems = gather(job.asks, settings)
    todo, done = _look(tasks, settings)
    told: dict[str, Record] = {}
    if todo:
        done = {}  # while it is done, other runs may replace these
        warn_of_limit()
        store = Store(settings.store, create=True)
        run = open_executor(job.executor, job.limits)
        pace = Pace(store.records())
    if begun is not None:
        begun()
    if todo:
        with display(len(job.asks), todo, pace) as listener:
            ready, more = _prepare(job, todo, listener)
            problems += more
            run(ready, settings, job.limits, _Told(listener, told))
    scored = sum(task.trained for task in todo)
    records, missing = _ended(tasks, problems, settings, told, done)
    return Outcome(tasks, len(todo) - scored, scored, missing, records)


def _prepare(
    job: Job, tasks: Sequence[Task], listener: Listener
) -> tuple[list[Task], list[Problem]]:
    settings = job.settings
    if job.executor != "local":
        # The cluster's devices are not this machine's: whatever is here prepares.
        settings = replace(settings, device=devices.or_auto(settings.device))
    # Where cells run in this process, it may as well prepare them.
    apart = job.limits.workers != 0 and devices.resolve(settings.device) != "cpu"
    ready, problems = (prepare_apart if apart else prepare)(tasks, settings, listener)
    forget_splits()
    return ready, problems


def _look(tasks: Sequence[Task], settings: Settings) -> tuple[list[Task], dict[str, Record]]:
    """What is to do, and the records of what is done.

    A whole store that is read-only is as good as one that can be written to.
    """
    try:
        store = Store(settings.store)
    except ValueError:
        store = Store(settings.store, create=True)
    return pending(tasks, store, settings)


def _ended(
    tasks: Sequence[Task],
    problems: Sequence[Problem],
    settings: Settings,
    told: dict[str, Record],
    done: dict[str, Record],
) -> tuple[dict[str, Record], list[tuple[Ask, str]]]:
    """The records there are in the end, by key; and what lacks scores, and why."""
    store = Store(settings.store)
    found = {id(ask): (ask, str(problem.error)) for problem in problems for ask in problem.asks}
    records = {}
    for task in tasks:
        before = done.get(task.key)  # it was looked at a moment ago
        record = before or store.get(task.key)
        if record is not None:
            records[task.key] = record
        if record is None:
            reason = told[task.key].reason if task.key in told else _no_record(store, task)
        elif not record.ok:
            reason = f"{record.status}, {record.reason}"
        elif before or not (left := lacks(store, record, settings)):
            if can_be_scored(record, settings):
                continue
            reason = "its codes cannot be scored under any convention asked for"
        else:
            said = told.get(task.key, record).reason
            reason = f"no {', '.join(left)}" + (f": {said}" if said else "")
        found.setdefault(id(task.ask), (task.ask, reason))
    return records, list(found.values())


def _no_record(store: Store, task: Task) -> str:
    if not store.newer(task.key):
        return "it has no record"
    return "a newer hashbench wrote its record: update this one, or name another folder"


class _Told:
    """A listener that keeps what the records of a run said, stored or not."""

    def __init__(self, inner: Listener, told: dict[str, Record]) -> None:
        self.inner = inner
        self.told = told

    def preparing(self, share: float, note: str) -> None:
        self.inner.preparing(share, note)

    def started(self, task: Task) -> None:
        self.inner.started(task)

    def progress(self, task: Task, share: float, note: str) -> None:
        self.inner.progress(task, share, note)

    def finished(self, task: Task, record: Record) -> None:
        self.told[task.key] = record
        self.inner.finished(task, record)


def at_a_time(job: Job) -> int:
    """How many cells of a job are computed at a time on this machine."""
    settings, cells = job.settings, [ask.cell for ask in job.asks]
    if job.limits.workers is not None:
        return job.limits.workers
    gpu = sum(wants_gpu(cell, settings.device) for cell in cells)
    seats = gpu_seats(settings.device) if gpu and job.executor == "local" else ()
    return share(seats, gpu, len(cells) - gpu, available_cores()).at_a_time


def foretell(job: Job) -> list[dict[str, object]]:
    """What is known of every cell of a job before it is run, a dict each.

    Codes are not read: a run reads them, and trains again where they are damaged. A dict
    holds "key", "cell", "state" ("done", "to do", "to score", ...), "s", the seconds it
    takes, and "hasher_bytes", the room that its hasher takes; None for what is unknown.

    Raises:
        InputError: if no cell's data can be had.
    """
    settings = job.settings
    tasks, problems = gather(job.asks, settings)
    try:
        store: Store | None = Store(settings.store)
    except ValueError:
        if (settings.store / "records").is_dir():
            raise
        store = None
    records = {record.key: record for record in store.records()} if store else {}
    pace, room = Pace(records.values()), Room(store, records.values())
    rows: list[dict[str, object]] = []
    for task in tasks:
        record = records.get(task.key)
        if store is not None and record is not None and record.ok:
            size: float | None = hasher_room(store, record) or 0
            seconds: float | None = 0.0
            if not store.there(record):
                state, seconds = "damaged", pace.seconds(task.cell)
            elif left := lacks(store, record, settings):
                state = f"to score ({', '.join(left)})"
            else:
                state, seconds = "done", None
        else:
            state, seconds = record.status if record else "to do", pace.seconds(task.cell)
            size = room.size(task.cell) if settings.keep_hashers else 0
        rows.append(
            {"key": task.key, "cell": str(task.cell), "state": state, "s": seconds,
             "hasher_bytes": size}
        )  # fmt: skip
    for problem in problems:
        rows += [
            {
                "key": "",
                "cell": str(ask.cell),
                "state": f"skipped ({problem.error})",
                "s": None,
                "hasher_bytes": None,
            }
            for ask in problem.asks
        ]
    return rows
