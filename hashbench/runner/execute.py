"""Running a plan's cells, one after another, in this process."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Protocol

from hashbench.results.record import Record
from hashbench.results.store import Store
from hashbench.runner.cell import Cell
from hashbench.runner.environment import environment
from hashbench.runner.work import Settings, perform

#: How many lines of a traceback a failed record keeps.
LOG_LINES = 20


class Listener(Protocol):
    """Who wants to know how a run goes."""

    def started(self, cell: Cell) -> None:
        """A cell has begun."""

    def progress(self, cell: Cell, share: float, note: str) -> None:
        """A cell has done `share` of its training."""

    def finished(self, cell: Cell, record: Record) -> None:
        """A cell has left its record, with or without scores."""


def pending(cells: Sequence[Cell], store: Store) -> list[Cell]:
    """The cells that have no scores yet; failures are tried again."""
    return [cell for cell in cells if not store.done(cell.key)]


def run_here(cells: Sequence[Cell], settings: Settings, listener: Listener) -> None:
    """Run cells in order; a failure becomes a record and stops nothing.

    Raises:
        KeyboardInterrupt: when the user stops the run; finished cells are kept.
        OSError: if the store cannot be written to.
    """
    store = Store(settings.store, create=True)
    for cell in cells:
        listener.started(cell)
        try:
            record = perform(
                cell, settings, lambda share, note, cell=cell: listener.progress(cell, share, note)
            )
        except OSError:
            raise  # a full disk or a lost store is not the method's failure
        except Exception as error:
            record = failure(cell, "failed", error)
            store.put(record)
        listener.finished(cell, record)


def failure(cell: Cell, status: str, error: BaseException) -> Record:
    """The record of a cell that raised."""
    lines = str(error).strip().splitlines() or [""]
    log = "".join(traceback.format_exception(error)).splitlines()[-LOG_LINES:]
    return Record(
        key=cell.key,
        cell=cell.to_dict(),
        status=status,  # type: ignore[arg-type]
        reason=f"{type(error).__name__}: {lines[0]}",
        environment=environment(),
        log="\n".join(log),
    )
