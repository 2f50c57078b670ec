"""Tidy CSV: one line a score."""

from __future__ import annotations

import pandas as pd

from hashbench.results.exports import Export, Tables
from hashbench.results.frame import COLUMNS, frame
from hashbench.results.published import comparison_frame
from hashbench.results.sinks import for_csv


def write(tables: Tables) -> str:
    """Every score under the conventions asked for, or under those that are stored."""
    if tables.against:
        return csv_text(comparison_frame(tables.series, tables.bits))
    if tables.judge is None:
        return csv_text(pd.DataFrame(columns=list(COLUMNS)))
    table = frame(
        tables.records,
        tables.judge,
        lambda record: list(tables.stored(record)) or list(tables.conventions),
        all_versions=tables.all_versions,
        certificate=tables.metric,
    )
    return csv_text(table)


def csv_text(table: pd.DataFrame, float_format: str | None = None) -> str:
    """A table as CSV; no cell of it is a formula."""
    numbers = {name for name in table if pd.api.types.is_numeric_dtype(table[name])}
    safe = table.assign(
        **{
            str(name): table[name].astype(object).map(for_csv)
            for name in table
            if name not in numbers
        }
    )
    return str(safe.to_csv(index=False, lineterminator="\n", float_format=float_format))


csv = Export(
    name="csv",
    summary="one line a score, with every setting of it",
    write=write,
    needs_scores=False,
)
