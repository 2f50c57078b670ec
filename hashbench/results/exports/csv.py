"""Tidy CSV: one line a score."""

from __future__ import annotations

import csv as files
import io
import math
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from hashbench.results.exports import Export, Tables
from hashbench.results.frame import COLUMNS, LINE, Block, blocks
from hashbench.results.sinks import for_csv

if TYPE_CHECKING:
    import pandas as pd


def write(tables: Tables) -> str:
    """Every score under the conventions asked for, or under those that are stored."""
    if tables.against:
        from hashbench.results.published import comparison_frame

        series = [one for part in tables.by_convention for one in part.series]
        return csv_text(comparison_frame(series, tables.bits))
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
    first = COLUMNS.index(LINE[0])
    pieces = [",".join(COLUMNS)]
    for common, lines in found:
        head = {name: _cell(common.get(name)) for name in COLUMNS}
        before, after = (
            ",".join(head[name] for name in part)
            for part in (COLUMNS[:first], COLUMNS[first + len(LINE) :])
        )
        for line in lines:
            if "reason" in line:
                row = head | {name: _cell(value) for name, value in line.items()}
                pieces.append(",".join(row.values()))
                continue
            own = ",".join([_cell(line.get(name)) for name in LINE])
            pieces.append(f"{before},{own},{after}")
    return "\n".join([*pieces, ""])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value))
    if value is None:
        return ""
    return _quoted(value) if isinstance(value, str) else str(value)


@lru_cache(maxsize=10_000)
def _quoted(text: str) -> str:
    """A text as a cell, which no spreadsheet takes for a formula."""
    out = io.StringIO()
    files.writer(out, lineterminator="\n").writerow([for_csv(text), None])  # never a cell alone
    return out.getvalue().removesuffix(",\n")


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
