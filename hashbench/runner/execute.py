"""Running cells: what every executor is given, and the plainest executor."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from hashbench.runner.claim import AGAIN, attempt, is_foreign
from hashbench.runner.settings import Settings, Task
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
        workers: cells at a time; 0 runs them in this process, one after another.
        timeout: seconds a cell may take, None for any time.
        memory: bytes a worker may allocate, None for any amount.
    """

    workers: int = 0
    timeout: float | None = None
    memory: int | None = None


def available_cores() -> int:
    """CPU cores this process may use: affinity and container quotas are honoured."""
    import joblib  # type: ignore[import-untyped,unused-ignore]

    return int(joblib.cpu_count())


def default_workers(device: str) -> int:
    """One worker a core; on CUDA two a GPU, which overlap one's scoring with another's training."""
    import torch

    cores = available_cores()
    if device != "cpu" and torch.cuda.is_available():
        return min(cores, 2 * torch.cuda.device_count())
    return cores


def run_here(tasks: Sequence[Task], settings: Settings, limits: Limits, listener: Listener) -> None:
    """Run cells in this process, one after another: for debugging, and the measure of the others.

    No limit applies: nothing can stop a cell but the user. Strangers' methods come last, for
    what they leave changed in this process is unknown.
    """
    waiting = deque(sorted(tasks, key=lambda task: is_foreign(task.cell.method)))
    held = 0
    while waiting:
        task = waiting.popleft()
        listener.started(task)
        record = attempt(task, settings, partial(listener.progress, task))
        if record == AGAIN:  # there is no other process to score it
            record = attempt(task, settings, partial(listener.progress, task))
        if record is None or record == AGAIN:  # another run has it: come back to it
            waiting.append(task)
            held += 1
            if held >= len(waiting):
                time.sleep(PATIENCE)
            continue
        held = 0
        listener.finished(task, record)


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
