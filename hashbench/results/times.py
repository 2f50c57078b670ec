"""How long cells took, as a metric of tables: no score, and nothing to be ranked by."""

from __future__ import annotations

from hashbench.evaluation import MetricInfo
from hashbench.store import Record

#: The steps of a cell whose seconds a metric adds up.
TIMES = {
    "seconds": ("fit", "encode"),
    "seconds/fit": ("fit",),
    "seconds/encode": ("encode",),
}

_TITLES = {
    "seconds": "Seconds a cell, to fit and to encode",
    "seconds/fit": "Seconds to fit",
    "seconds/encode": "Seconds to encode queries and database",
}


def time_info(metric: str) -> MetricInfo:
    """What a metric of `TIMES` is."""
    return MetricInfo(_TITLES[metric], better="lower", bounds=(0, float("inf")), digits=1)


def seconds(record: Record, metric: str) -> float | None:
    """What a record took by a metric of `TIMES`; None where that was not measured."""
    parts = [record.timings.get(step) for step in TIMES[metric]]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
