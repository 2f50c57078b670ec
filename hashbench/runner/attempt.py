"""One try at a cell: claimed, computed, stored; whatever happens becomes a record."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from hashbench.errors import InputError
from hashbench.results.record import Record, Status
from hashbench.results.store import Store, StoreError
from hashbench.runner.cell import Cell
from hashbench.runner.environment import environment
from hashbench.runner.work import Progress, Settings, compute, out_of_cuda_memory

#: How many lines of a log a failed record keeps.
LOG_LINES = 20


@dataclass(frozen=True)
class Task:
    """A cell to compute, and the record it is to replace.

    Attributes:
        cell: the cell.
        replaces: the store's mark of the failed or damaged record there was
            when the run was planned, "" if there was none. A record with
            another mark was written since, by another run: the cell is done.
    """

    cell: Cell
    replaces: str = ""


def pending(cells: Sequence[Cell], store: Store) -> list[Task]:
    """The cells that have no scores yet; failures are tried again."""
    return [Task(cell, store.mark(cell.key)) for cell in cells if not store.done(cell.key)]


def attempt(task: Task, settings: Settings, progress: Progress) -> Record | None:
    """Compute and store a cell, unless another run does or did; None while another run does.

    Raises:
        StoreError: if the store cannot be written to.
        KeyboardInterrupt: when the user stops the run.
    """
    cell = task.cell
    store = Store(settings.store)
    with store.claim(cell.key) as held:
        if not held:
            return None
        if (record := _written_since(task, store)) is not None:
            return record
        try:
            outcome = compute(cell, settings, progress)
        except StoreError:
            raise
        except (Exception, SystemExit) as error:  # a stranger's method may raise anything
            record = failure(cell, _status(error), _reason(error), _log(error))
            store.put(record)
            return record
        outcome.save(store, keep_relaxed=settings.keep_relaxed)
        return outcome.record


def give_up(task: Task, settings: Settings, status: Status, reason: str, log: str) -> Record | None:
    """Store that a cell could not be computed, unless another run has or had it.

    Raises:
        StoreError: if the store cannot be written to.
    """
    store = Store(settings.store)
    with store.claim(task.cell.key, timeout=1) as held:
        if not held:
            return None
        record = _written_since(task, store)
        if record is None:
            record = failure(task.cell, status, reason, log)
            store.put(record)
        return record


def failure(cell: Cell, status: Status, reason: str, log: str = "") -> Record:
    """The record of a cell without scores."""
    return Record(
        key=cell.key,
        cell=cell.to_dict(),
        status=status,
        reason=reason,
        environment=environment(),
        log="\n".join(log.splitlines()[-LOG_LINES:]),
    )


def _written_since(task: Task, store: Store) -> Record | None:
    key = task.cell.key
    return store.get(key) if store.mark(key) not in ("", task.replaces) else None


def _status(error: BaseException) -> Status:
    memory = isinstance(error, MemoryError) or out_of_cuda_memory(error)
    return "out-of-memory" if memory else "failed"


def _reason(error: BaseException) -> str:
    first = next(iter(str(error).strip().splitlines()), "")
    if isinstance(error, InputError):
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _log(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
