"""Why your number differs: what each choice of an evaluator makes of codes of these results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.pages.data import rounded
from hashbench.results.plots.request import DEFAULT_BITS
from hashbench.results.rows import Row
from hashbench.results.series import Series

#: Rows that are scored under every choice.
ROWS = 5

#: A score of a row that finds something: nothing moves where nothing is found.
SOMETHING = 0.02

#: A difference that three digits show.
LEAST = 0.0005


@dataclass(frozen=True)
class Option:
    """One choice of an evaluator.

    Attributes:
        convention: its name.
        metric: the score it is a choice for.
        head: the heading of its column.
        says: what it does.
    """

    convention: str
    metric: str
    head: str
    says: str


BALL = (
    Option("house", "map@h2", "house", "Empty balls and balls without a hit score 0, ties count "
           "as the mean over all their orders."),
    Option("house(empty=drop)", "map@h2", "empty balls left out", "A query that finds nothing is "
           "left out of the mean: the longer the codes, the larger the gift."),
    Option("house(nohit=drop)", "map@h2", "balls without a hit left out", "A query that finds "
           "only wrong items is left out of the mean."),
    Option("house(empty=drop,nohit=drop)", "map@h2", "both left out", "Only queries that found "
           "something right are averaged."),
    Option("house(order=best)", "map@h2", "ties: best order", "Items at the same distance, the "
           "relevant ones first: what a lucky sort could report."),
    Option("house(order=worst)", "map@h2", "ties: worst order", "The same, the relevant ones "
           "last."),
    Option("house(rank=outputs)", "map@h2", "ranked by real outputs", "The codes say what is in "
           "the ball, the network's real-valued outputs order it."),
    Option("deephash", "map@h2", "deephash", "The evaluator released with DCH: ranked by real "
           "outputs, balls without a hit left out."),
)  # fmt: skip

LIST = (
    Option("house", "map", "full mAP", "The whole database is ranked: a scan, no lookup, and no "
           "ball that could be empty."),
    Option("house(order=best)", "map", "ties: best order", "Items at the same distance, the "
           "relevant ones first."),
    Option("house(order=worst)", "map", "ties: worst order", "The same, the relevant ones last."),
    Option("house(rank=outputs)", "map", "ranked by real outputs", "Ranked by the inner product "
           "of real-valued outputs, codes aside."),
    Option("house", "map@5000", "mAP@5000", "The first 5,000 alone, divided by the relevant "
           "items found among them."),
    Option("house(cutoff=5000,denominator=min)", "map@5000", "mAP@5000, of those possible",
           "Divided by the relevant items that 5,000 places could hold."),
    Option("house(cutoff=5000,denominator=total)", "map@5000", "mAP@5000, of all",
           "Divided by every relevant item, as textbooks have it."),
)  # fmt: skip

TABLES = {"Within the Hamming ball": BALL, "Of the ranked list": LIST}


def differs(series: Series, tick: Callable[[str], None]) -> dict[str, Any] | None:
    """The first seed of some rows under every choice, at one code length.

    The rows are the best by the house's mAP within the ball and those of the most
    empty balls, which choices move most.

    Args:
        series: any metric and convention of a bench.
        tick: called with what is being scored.
    """
    bits = DEFAULT_BITS if DEFAULT_BITS in series.bits else series.bits[-1]
    rows = _rows(series, bits)
    tick(f"{series.title}: what the choices of an evaluator make of {len(rows)} of them")
    tables = []
    for title, choices in TABLES.items():
        lines = [[_value(series, row, bits, choice) for choice in choices] for row in rows]
        kept = [
            place for place in range(len(choices)) if any(line[place] is not None for line in lines)
        ]
        if len(kept) < 2:
            continue
        tables.append(
            {
                "title": title,
                "choices": [
                    {
                        "convention": choices[place].convention,
                        "metric": choices[place].metric,
                        "head": choices[place].head,
                        "says": choices[place].says,
                        "largest": _largest(choices, lines, place),
                    }
                    for place in kept
                ],
                "lines": [
                    {
                        "row": series.rows.index(row),
                        "values": [line[place] for place in kept],
                    }
                    for row, line in zip(rows, lines, strict=True)
                ],
            }
        )
    return {"bits": bits, "tables": tables} if tables else None


def _rows(series: Series, bits: int) -> list[Row]:
    by_metric = {metric: series.of(metric) for metric in ("map@h2", "empty@h2")}

    def mean(metric: str, row: Row) -> float:
        value = by_metric[metric].entry(row, bits).mean
        return -1.0 if value is None else value

    found = [
        row
        for row in series.rows
        if row.block in ("method", "unsupervised") and (row, bits) in series.places
    ]
    best = sorted(found, key=lambda row: -mean("map@h2", row))
    finding = [row for row in found if mean("map@h2", row) > SOMETHING]
    emptiest = sorted(finding, key=lambda row: (row.block != "method", -mean("empty@h2", row)))
    chosen = dict.fromkeys([*best[: ROWS - 2], *emptiest[:2], *best])
    return sorted(list(chosen)[:ROWS], key=lambda row: -mean("map@h2", row))


def _value(series: Series, row: Row, bits: int, choice: Option) -> float | None:
    for record in series.places[row, bits]:
        try:
            scores = series.judge.scores(record, Convention.parse(choice.convention))
        except InputError:
            continue
        return rounded(scores.get(choice.metric))
    return None


def _largest(
    choices: Sequence[Option], lines: Sequence[Sequence[float | None]], place: int
) -> list[Any] | None:
    """Which line a choice moves most from the first of its metric, from what to what."""
    base = next(k for k, other in enumerate(choices) if other.metric == choices[place].metric)
    moved = [
        (abs(after - before), number, before, after)
        for number, line in enumerate(lines)
        if (before := line[base]) is not None and (after := line[place]) is not None
    ]
    if place == base or not moved:
        return None
    by, number, before, after = max(moved)
    return [number, before, after] if by >= LEAST else None
