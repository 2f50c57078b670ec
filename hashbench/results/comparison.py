"""The tests of every column, as `compare` and Python users show them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hashbench.errors import InputError, shown
from hashbench.results.series import Series


def columns(series: Sequence[Series], below: float = 0.0) -> list[dict[str, Any]]:
    """One dict a column: its rows with mean and interval, its pairs with p-values.

    A pair's "family" is what it is corrected with: "methods" or, of a method and a
    floor, "floors". A floor has no "first", for it does not compete. A row of cells that another
    row holds too, which "same_as" names, has that one's pairs.

    Args:
        series: of one metric and convention.
        below: p-values below this need not be exact, which takes less time.

    Raises:
        InputError: if the metric has no values of single queries anywhere.
    """
    found = [
        column for place, one in enumerate(series) for bits in one.bits
        if (column := _column(one, place, bits, below))["rows"]
    ]  # fmt: skip
    if not found:
        known = {
            name
            for one in series
            for place in one.places
            for scores in one.scores(*place).values()
            for name in scores.per_query
        }
        name = series[0].metric if series else ""
        raise InputError(
            f"'{shown(name)}' has no values of single queries, which is what methods are compared "
            f"by: choose another with --metric, such as {', '.join(sorted(known)) or 'map'}"
        )
    return found


def _column(series: Series, place: int, bits: int, below: float) -> dict[str, Any]:
    column = series.column(bits)
    family, same = column.tests(below) if below else column.family, column.same
    rows = []
    for row in series.rows:
        if row not in family.intervals:
            continue
        interval = family.intervals[row]
        entry = series.entry(row, bits)
        rows.append(
            {
                "row": series.names[row],
                "method": row.method,
                "training_mode": row.mode,
                "origin": row.origin,
                "mean": entry.mean,
                "std": entry.std,
                "seeds": entry.n,
                "low": interval.low,
                "high": interval.high,
                "first": family.certificate.get(row),
                "marked": series.marked(row, bits),
                "same_as": None if same[row] == row else series.names[same[row]],
            }
        )
    tests = [("methods", pair) for pair in family.comparisons]
    tests += [("floors", pair) for pair in family.floors]
    pairs = [
        {
            "family": name,
            "first": series.names[pair.first],
            "second": series.names[pair.second],
            "difference": pair.difference,
            "low": pair.low,
            "high": pair.high,
            "queries": pair.queries,
            "common": pair.common,
            "seeds": pair.seeds,
            "p": pair.p,
            "adjusted": pair.adjusted,
            "against": pair.against,
            "over_queries": pair.over_queries(),
            "significant": pair.significant(),
        }
        for name, pair in tests
    ]
    bench = asdict(series.bench)
    return {
        "series": place,
        "bench": bench | {"options": json.loads(json.dumps(dict(series.bench.options)))},
        "bits": bits,
        "rows": rows,
        "pairs": pairs,
    }
