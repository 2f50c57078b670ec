"""From records to series: the one way results are grouped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from hashbench.arguments import word
from hashbench.errors import InputError, shown, unknown
from hashbench.evaluation import Convention
from hashbench.evidence import Evidence
from hashbench.results.choose import Selected, bench_key, current, ground_key
from hashbench.results.rows import Row, facts_of, rows_of
from hashbench.results.scored import Judge, StoredJudge
from hashbench.results.series import Series
from hashbench.store import Record


def collect(
    records: Iterable[Record],
    judge: Judge,
    metric: str | None = None,
    convention: str | Convention = "house",
    *,
    all_versions: bool = False,
    finished: bool = False,
    order: Sequence[str] = (),
) -> list[Series]:
    """The series of some records, one a bench and evidence, ordered by the data sets' titles.

    Args:
        records: of any benches.
        judge: gives their scores.
        metric: the score to show; None for the first that the convention defines.
        convention: the rules it is computed by, or their name.
        all_versions: with results of older code and of earlier states of the data.
        finished: without cells that failed; they put older code out of date all the same.
        order: methods to list first, in this order.

    Raises:
        InputError: for an unknown convention.
    """
    if not isinstance(convention, Convention):
        convention = Convention.parse(convention)
    word("metric", metric)
    records = records if isinstance(records, Selected) else list(records)
    metric = metric or main_metric(records, convention)
    folder = judge.store.root if isinstance(judge, StoredJudge) else None
    kept, left_out = (records, {}) if all_versions else current(records, folder)
    if records and not kept:
        raise InputError(
            "what was chosen is all of another state of the data, or of other code, than a run "
            "found last: run it again, or show it with --all-versions"
        )
    groups: dict[tuple[str, Evidence], list[Record]] = {}
    for record in kept:
        if finished and not record.ok:
            continue
        groups.setdefault(ground_key(record), []).append(record)
    benches = Counter(name for name, _ in groups)
    facts = facts_of(kept)  # of all: a method is one row on every bench and draw
    found = [
        _series(
            group,
            facts,
            judge,
            metric,
            convention,
            tuple(left_out.get(name, ())),
            benches[name] > 1,
            list(order),
        )
        for (name, _), group in groups.items()
    ]
    return sorted(found, key=lambda series: (series.title, bench_key(series.bench)))


def main_metric(records: Iterable[Record], convention: Convention) -> str:
    """The score that a convention defines first of databases as large as these records'."""
    sizes = [record.split.get("counts", {}).get("database", 0) for record in records]
    return convention.main_metric(max(sizes, default=0))


def check_metric(series: Sequence[Series]) -> None:
    """Raise unless some place of some series has a score.

    Raises:
        InputError: saying what there is instead, or what to run.
    """
    if any(one.entry(*place).values for one in series for place in one.places):
        return
    records = [record for one in series for record in one.records]
    if not any(record.ok for record in records):
        raise InputError(no_scores(records))
    check_known(series)
    for one in series:
        if one.failures:
            raise InputError(f"there is nothing to show: {one.failures[0]}")


def no_scores(records: Sequence[Record], where: str = "") -> str:
    """The sentence on cells all of which failed, with what the first of them failed of."""
    place = f" in {where}" if where else ""
    if not records:
        return f"there are no results{place}: run `hashbench run` first"
    first = records[0]
    cells = f"the cell chosen{place} failed, {first.cell}"
    if len(records) > 1:
        cells = f"all {len(records)} cells chosen{place} failed, {first.cell} for one"
    return (
        f"{cells} ({shown(first.reason, 200)}): mend that, and the same `hashbench run` tries again"
    )


def check_known(series: Sequence[Series]) -> None:
    """Raise if there are scores of these cells, and none of them is called so.

    Raises:
        InputError: with what is called nearly so.
    """
    if any(one.entry(*place).values for one in series for place in one.places):
        return
    known = {
        name
        for one in series
        for place in one.places
        for scores in one.scores(*place).values()
        for name in scores
    }
    for one in series:
        if known and one.metric not in known:
            raise unknown(f"metric of convention '{one.convention}'", one.metric, known)


def _series(
    records: Sequence[Record],
    facts: Mapping[str, Row],
    judge: Judge,
    metric: str,
    convention: Convention,
    left_out: tuple[str, ...],
    rivals: bool,
    order: list[str],
) -> Series:
    rows = rows_of(records, facts)
    places: dict[tuple[Row, int], list[Record]] = {}
    for record in sorted(records, key=lambda record: (record.cell.seed, record.key)):
        for row in rows[record.key]:
            places.setdefault((row, record.cell.bits), []).append(record)

    def place(row: Row) -> tuple[object, ...]:
        first = order.index(row.method) if row.method in order else len(order)
        return first, row.order

    return Series(
        bench=records[0].cell.bench,
        evidence=records[0].evidence,
        metric=metric,
        convention=convention,
        rows=tuple(sorted({row for row, _ in places}, key=place)),
        bits=tuple(sorted({bits for _, bits in places})),
        places={where: tuple(found) for where, found in places.items()},
        judge=judge,
        left_out=left_out,
        rivals=rivals,
    )
