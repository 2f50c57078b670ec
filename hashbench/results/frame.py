"""Results as one tidy table: a line a score, with every setting of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.results.collect import collect
from hashbench.results.rows import Row
from hashbench.results.scored import Judge
from hashbench.results.series import Series
from hashbench.store import Record

if TYPE_CHECKING:
    import pandas as pd

#: What the lines of a record share, and the lines: what each says beyond that.
Block = tuple[dict[str, Any], Iterable[dict[str, Any]]]

COLUMNS = (
    "method", "dataset", "bits", "seed", "metric", "convention", "value", "worst", "best",
    "protocol", "split_seed", "backbone", "training_mode", "variant", "origin", "params", "options",
    "code", "status", "reason", "queries", "training_images", "database_images", "split_sha256",
    "images_sha256", "finished", "key",
)  # fmt: skip

#: Those that differ from line to line of a record; where there are no scores, "reason" may, too.
LINE = ("metric", "convention", "value", "worst", "best")

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
    import pandas as pd

    lines = [
        common | line
        for common, found in blocks(
            records, judge, conventions, all_versions=all_versions, certificate=certificate
        )
        for line in found
    ]
    table = pd.DataFrame(lines, columns=list(COLUMNS))
    # Absent counts and seeds stay empty, and the others do not become 1.0.
    return table.astype(dict.fromkeys([*_COUNTS, *(["seed"] if certificate else [])], "Int64"))


def blocks(
    records: Iterable[Record],
    judge: Judge,
    conventions: Sequence[Convention | str] | Callable[[Record], Sequence[Convention]],
    *,
    all_versions: bool = False,
    certificate: str = "",
) -> Iterator[Block]:
    """The lines of `frame`, record by record, as values by column; absent ones are empty."""
    if callable(conventions):
        of = conventions
    else:
        named = [Convention.parse(c) if isinstance(c, str) else c for c in conventions]

        def of(_record: Record) -> Sequence[Convention]:
            return named

    every = collect(records, judge, all_versions=all_versions)
    for series in every:
        for (row, _), found in series.places.items():
            for record in found:
                common = _common(series.labels[row], row, record)
                yield common, _lines(record, judge, of(record))
    for series in every if certificate else ():
        yield from _first(series, certificate, of)


def _first(
    series: Series, metric: str, conventions: Callable[[Record], Sequence[Convention]]
) -> Iterator[Block]:
    """How often each row is first of its column, under the conventions all of it is listed with.

    Who is first among some of a column says nothing, and others are not scored for it.
    """
    for bits in series.bits:
        rows = [row for row in series.rows if (row, bits) in series.places]
        found = [record for row in rows for record in series.places[row, bits] if record.ok]
        named = [{str(item): item for item in conventions(record)} for record in found]
        for name, convention in named[0].items() if named else ():
            if not all(name in other for other in named):
                continue
            shares = replace(series, metric=metric, convention=convention).first(bits)
            for row, share in shares.items() if len(shares) > 1 else ():
                common = _common(series.labels[row], row, series.places[row, bits][-1])
                alone = {"seed": None, "key": "", "finished": "", "params": ""}
                said = {"metric": f"first/{metric}", "convention": name, "value": share}
                yield {**common, **alone}, [said]


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
    record: Record, judge: Judge, conventions: Sequence[Convention]
) -> Iterator[dict[str, Any]]:
    if not record.ok:
        yield {}
        return
    for convention in conventions:
        name = str(convention)
        try:
            scores = judge.scores(record, convention)
        except InputError as error:
            yield {"convention": name, "reason": str(error)}
            continue
        for metric, value in sorted(scores.items()):  # read back or just computed
            worst, best = scores.bounds.get(metric, (None, None))
            yield {
                "metric": metric,
                "convention": name,
                "value": value,
                "worst": worst,
                "best": best,
            }
    for step, took in record.timings.items():
        yield {"metric": f"seconds/{step}", "value": float(took)}
    for index, figures in judge.lookup(record).items():
        for figure, number in figures.items() if isinstance(figures, dict) else ():
            if isinstance(number, int | float):
                yield {"metric": f"lookup/{index}/{figure}", "value": float(number)}
