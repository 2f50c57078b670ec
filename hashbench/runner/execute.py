"""Running cells: what every executor is given, and the plainest executor."""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from hashbench.devices import deterministic
from hashbench.endings import no_sudden_end, watched_threads
from hashbench.errors import InputError, shown
from hashbench.runner.claim import AGAIN, Outcome, attempt, give_up, is_foreign
from hashbench.runner.faults import Crowded, DeviceLost, release_memory
from hashbench.runner.settings import Progress, Settings, Task
from hashbench.runner.slots import device_of
from hashbench.store.record import Record

#: Seconds until a cell that another run holds is looked at again.
PATIENCE = 0.5


class Listener(Protocol):
    """Who wants to know how a run goes."""

    def preparing(self, share: float, note: str) -> None:
        """What cells share, such as features, is `share` ready."""

    def started(self, task: Task) -> None:
        """A cell has begun."""

    def progress(self, task: Task, share: float, note: str) -> None:
        """A cell has done `share` of its training."""

    def finished(self, task: Task, record: Record) -> None:
        """A cell has left its record, with or without scores."""


@dataclass(frozen=True)
class Limits:
    """What a run may use.

    Attributes:
        workers: cells at a time, None for as many as serve; 0 runs them in this process, one
            after another.
        timeout: seconds a cell may take, None for any time.
        memory: bytes a worker may allocate, None for any amount.
    """

    workers: int | None = 0
    timeout: float | None = None
    memory: int | None = None


def available_cores() -> int:
    """CPU cores this process may use: affinity and container quotas are honoured."""
    import joblib  # type: ignore[import-untyped,unused-ignore]

    return int(joblib.cpu_count())


def run_here(tasks: Sequence[Task], settings: Settings, limits: Limits, listener: Listener) -> None:
    """Run cells in this process, one after another: for debugging, and the measure of the others.

    No limit applies: nothing can stop a cell but the user. Strangers' methods come last, for
    what they leave changed in this process is unknown.

    Raises:
        InputError: if a device is not there, or this process can use it no more.
        StoreError: if the store cannot be written to.
        KeyboardInterrupt: when the user stops the run; finished cells are kept.
    """
    if tasks and (limits.timeout is not None or limits.memory is not None):
        warnings.warn(
            "--timeout and --memory hold for no cell with --workers 0, which nothing can stop but "
            "Ctrl-C: take --workers 1",
            stacklevel=2,
        )
    waiting = deque(sorted(tasks, key=lambda task: is_foreign(task.cell.method)))
    held = 0
    while waiting:
        task = waiting.popleft()
        on = replace(settings, device=device_of(task.cell, settings.device))
        listener.started(task)
        try:
            with deterministic(on.device), no_sudden_end(), watched_threads():
                record = _attempt(task, on, partial(listener.progress, task))
        except DeviceLost as error:
            failed = give_up(task, on, "failed", error.reason, error.log)
            if failed is not None:
                listener.finished(task, failed)
            raise InputError(
                f"{task.cell} left the {on.device} device of no use to this process "
                f"({shown(error.reason)}): run the same command again, with workers"
            ) from error
        if record is None or record == AGAIN:  # another run has it: come back to it
            waiting.append(task)
            held += 1
            if held >= len(waiting):
                time.sleep(PATIENCE)
            continue
        held = 0
        listener.finished(task, record)


def _attempt(task: Task, settings: Settings, progress: Progress) -> Outcome:
    """One try at a cell, or two where what the cell before it left took its memory."""
    try:
        record = attempt(task, settings, progress)
    except Crowded:
        record = None
    else:
        if record != AGAIN:
            release_memory()
            return record
    # Outside the handler, whose error holds tensors. There is no other process to score it.
    release_memory()
    return attempt(task, settings, progress, alone=record is None)


class Quiet:
    """A listener that tells nobody."""

    def preparing(self, share: float, note: str) -> None:
        """Say nothing."""

    def started(self, task: Task) -> None:
        """Say nothing."""

    def progress(self, task: Task, share: float, note: str) -> None:
        """Say nothing."""

    def finished(self, task: Task, record: Record) -> None:
        """Say nothing."""
