"""How long cells will take, from what similar cells took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from hashbench.cell import Cell
from hashbench.store.record import Record

#: What makes two cells similar, from the strictest sense to the loosest.
_SENSES = (
    ("dataset", "protocol", "backbone", "mode", "method", "bits"),
    ("dataset", "protocol", "backbone", "mode", "method"),
    ("mode", "method"),
    (),
)


class Pace:
    """Seconds a cell takes, learnt from the timings of finished ones."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._times: dict[tuple[Any, ...], list[float]] = defaultdict(list)
        for record in records:
            self.learn(record)

    def learn(self, record: Record) -> None:
        """Take the timings of a finished cell into account."""
        if record.ok and record.timings:
            for sense in _SENSES:
                self._times[_key(sense, _fields(record.cell))].append(sum(record.timings.values()))

    def seconds(self, cell: Cell) -> float | None:
        """The mean of the most similar cells there are; None before any has finished."""
        fields = _fields(cell)
        for sense in _SENSES:
            if times := self._times.get(_key(sense, fields)):
                return fmean(times)
        return None

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
