"""Tidy CSV: one line a score."""

from __future__ import annotations

import csv as files
import io
import math
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from hashbench.results.exports import Export, Tables
from hashbench.results.frame import COLUMNS, Block, blocks
from hashbench.results.sinks import for_csv

if TYPE_CHECKING:
    import pandas as pd


def write(tables: Tables) -> str:
    """Every score under the conventions asked for, or under those that are stored."""
    if tables.against:
        from hashbench.results.published import comparison_frame

        return csv_text(comparison_frame(tables.series, tables.bits))
    if tables.judge is None:
        return scores_text(())
    found = blocks(
        tables.records,
        tables.judge,
        lambda record: list(tables.stored(record)) or list(tables.conventions),
        all_versions=tables.all_versions,
        certificate=tables.metric,
    )
    return scores_text(found)


def scores_text(found: Iterable[Block]) -> str:
    """Scores as CSV, hundreds of thousands of them; no cell of it is a formula."""
    out = io.StringIO()
    write = files.writer(out, lineterminator="\n").writerow
    place = {name: position for position, name in enumerate(COLUMNS)}
    safe = cache(for_csv)

    def cell(value: object) -> object:
        if isinstance(value, float):
            return "" if math.isnan(value) else float(value)
        return "" if value is None else safe(value)

    write(COLUMNS)
    for common, lines in found:
        head = [cell(common.get(name)) for name in COLUMNS]
        for line in lines:
            row = head.copy()
            for name, value in line.items():
                row[place[name]] = cell(value)
            write(row)
    return out.getvalue()


def csv_text(table: pd.DataFrame, float_format: str | None = None) -> str:
    """A table as CSV; no cell of it is a formula."""
    import pandas as pd

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
