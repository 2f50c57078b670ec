"""Results as one tidy table: a line a score, with every setting of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.results.collect import collect
from hashbench.results.rows import Row
from hashbench.results.scored import Judge
from hashbench.results.series import Series
from hashbench.store import Record

COLUMNS = (
    "method", "dataset", "bits", "seed", "metric", "convention", "value", "worst", "best",
    "protocol", "split_seed", "backbone", "training_mode", "variant", "origin", "params", "options",
    "code", "status", "reason", "queries", "training_images", "database_images", "split_sha256",
    "images_sha256", "finished", "key",
)  # fmt: skip

_COUNTS = {"queries": "query", "training_images": "train", "database_images": "database"}


def frame(
    records: Iterable[Record],
    judge: Judge,
    conventions: Sequence[Convention | str] | Callable[[Record], Sequence[Convention]],
    *,
    all_versions: bool = False,
    certificate: str = "",
) -> pd.DataFrame:
    """One line a score; a cell without scores has one line with its status and reason.

    A cell that stands in two rows, for it was asked for in two ways, has its lines in both.

    Args:
        records: whose scores.
        judge: gives them.
        conventions: under which, by name or for each record.
        all_versions: with results of older code and of earlier states of the data.
        certificate: a metric; how often a row is first of its column by it, when queries and
            seeds are drawn anew, is then a line "first/<metric>" of its own, without a seed.
    """
    if callable(conventions):
        of = conventions
    else:
        named = [Convention.parse(c) if isinstance(c, str) else c for c in conventions]

        def of(_record: Record) -> Sequence[Convention]:
            return named

    every = collect(records, judge, all_versions=all_versions)
    lines = [
        line
        for series in every
        for (row, _), found in series.places.items()
        for record in found
        for line in _lines(series.labels[row], row, record, judge, of(record))
    ]
    if certificate:
        lines += [line for series in every for line in _first(series, certificate, of)]
    table = pd.DataFrame(lines, columns=list(COLUMNS))
    # Absent counts and seeds stay empty, and the others do not become 1.0.
    return table.astype(dict.fromkeys([*_COUNTS, *(["seed"] if certificate else [])], "Int64"))


def _first(
    series: Series, metric: str, conventions: Callable[[Record], Sequence[Convention]]
) -> Iterator[dict[str, Any]]:
    """How often each row is first of its column, under each convention."""
    named = {str(item): item for record in series.records for item in conventions(record)}
    for convention in named.values():
        shown = replace(series, metric=metric, convention=convention)
        for bits in shown.bits:
            shares = shown.first(bits)
            for row, share in shares.items() if len(shares) > 1 else ():
                common = _common(series.labels[row], row, series.places[row, bits][-1])
                alone = {"seed": None, "key": "", "finished": "", "params": ""}
                said = {"metric": f"first/{metric}", "convention": str(convention), "value": share}
                yield {**common, **alone, **said}


def _common(label: str, row: Row, record: Record) -> dict[str, Any]:
    """What every line of a record says."""
    cell, bench = record.cell, record.cell.bench
    counts = record.split.get("counts", {})
    return {
        "method": cell.method,
        "dataset": bench.dataset,
        "bits": cell.bits,
        "seed": cell.seed,
        "protocol": bench.protocol,
        "split_seed": bench.split_seed,
        "backbone": bench.backbone,
        "training_mode": cell.mode,
        "variant": label,
        "origin": row.origin,
        "params": json.dumps(dict(cell.params), sort_keys=True),
        "options": json.dumps(dict(bench.options), sort_keys=True),
        "code": cell.code,
        "status": record.status,
        "reason": record.reason,
        "split_sha256": record.evidence.split,
        "images_sha256": record.evidence.images,
        "finished": record.finished,
        "key": record.key,
        **{column: counts.get(name) for column, name in _COUNTS.items()},
    }


def _lines(
    label: str, row: Row, record: Record, judge: Judge, conventions: Sequence[Convention]
) -> Iterator[dict[str, Any]]:
    common = _common(label, row, record)
    if not record.ok:
        yield common
        return
    for convention in conventions:
        try:
            scores = judge.scores(record, convention)
        except InputError as error:
            yield {**common, "convention": str(convention), "reason": str(error)}
            continue
        for metric, value in sorted(scores.items()):  # read back or just computed
            worst, best = scores.bounds.get(metric, (None, None))
            yield {
                **common,
                "metric": metric,
                "convention": str(convention),
                "value": value,
                "worst": worst,
                "best": best,
            }
    for step, took in record.timings.items():
        yield {**common, "metric": f"seconds/{step}", "value": float(took)}
    for index, figures in judge.lookup(record).items():
        for figure, number in figures.items() if isinstance(figures, dict) else ():
            if isinstance(number, int | float):
                yield {**common, "metric": f"lookup/{index}/{figure}", "value": float(number)}
