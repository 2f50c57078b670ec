"""How long cells will take, and how much room, from what similar cells took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from hashbench.cell import Cell
from hashbench.store.record import Record
from hashbench.store.room import hasher_room
from hashbench.store.store import Store

Senses = tuple[tuple[str, ...], ...]

#: What makes two cells take as long, from the strictest sense to the loosest.
_AS_LONG: Senses = (
    ("dataset", "protocol", "backbone", "mode", "method", "bits"),
    ("dataset", "protocol", "backbone", "mode", "method"),
    ("mode", "method"),
    (),
)

#: What makes two hashers as large: whatever the data, the network before them is the same.
_AS_LARGE: Senses = (
    ("dataset", "protocol", "backbone", "mode", "method", "bits"),
    ("backbone", "mode", "method", "bits"),
    ("backbone", "mode", "method"),
)


class _Similar:
    """The mean of a quantity over the cells most similar to another, in one of some senses."""

    def __init__(self, senses: Senses) -> None:
        self._senses = senses
        #: Sum and number of what was learnt, by sense and fields.
        self._found: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0.0, 0])

    def learn(self, cell: Cell, value: float) -> None:
        fields = _fields(cell)
        for sense in self._senses:
            found = self._found[_key(sense, fields)]
            found[0] += value
            found[1] += 1

    def mean(self, cell: Cell) -> float | None:
        fields = _fields(cell)
        for sense in self._senses:
            if found := self._found.get(_key(sense, fields)):
                return found[0] / found[1]
        return None


class Room:
    """Bytes the fitted hasher of a cell takes, learnt from those that are stored."""

    def __init__(self, store: Store | None = None, records: Iterable[Record] = ()) -> None:
        self._sizes = _Similar(_AS_LARGE)
        for record in records if store else ():
            if store is not None and (size := hasher_room(store, record)) is not None:
                self._sizes.learn(record.cell, size)

    def size(self, cell: Cell) -> float | None:
        """The mean of the most similar cells there are; None where none is similar."""
        return self._sizes.mean(cell)


class Pace:
    """Seconds a cell takes, learnt from the timings of finished ones."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._times = _Similar(_AS_LONG)
        for record in records:
            self.learn(record)

    def learn(self, record: Record) -> None:
        """Take the timings of a finished cell into account."""
        if record.ok and record.timings:
            self._times.learn(record.cell, sum(record.timings.values()))

    def seconds(self, cell: Cell) -> float | None:
        """The mean of the most similar cells there are; None before any has finished."""
        return self._times.mean(cell)

    def total(self, cells: Iterable[Cell]) -> float | None:
        """Seconds of one worker for all of `cells`; None before any cell has finished."""
        total = 0.0
        for cell in cells:
            seconds = self.seconds(cell)
            if seconds is None:
                return None
            total += seconds
        return total


def _fields(cell: Cell) -> dict[str, Any]:
    bench = cell.bench
    return {
        "dataset": bench.dataset,
        "protocol": bench.protocol,
        "backbone": bench.backbone,
        "mode": cell.mode,
        "method": cell.method,
        "bits": cell.bits,
    }


def _key(sense: tuple[str, ...], fields: Mapping[str, Any]) -> tuple[Any, ...]:
    return (sense, *(fields[name] for name in sense))
