"""Tables as text files: tidy CSV and Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd
from tabulate import tabulate

from hashbench.results.record import Record
from hashbench.results.sheets import Cell, Sheet
from hashbench.results.tables import row_labels

COLUMNS = (
    "method", "dataset", "bits", "seed", "metric", "convention", "value",
    "protocol", "split_seed", "backbone", "tuning", "variant", "params", "options", "code",
    "status", "reason", "queries", "training_images", "database_images", "split_sha256", "key",
)  # fmt: skip

_COUNTS = {"queries": "query", "training_images": "train", "database_images": "database"}


def csv(records: Sequence[Record]) -> str:
    """One row a score; a cell without scores has one row with its status and reason."""
    labels = row_labels(records)
    rows = []
    for record in records:
        cell = record.cell
        counts = record.split.get("counts", {})
        common = {
            **{name: cell[name] for name in ("method", "dataset", "bits", "seed", "protocol")},
            **{name: cell[name] for name in ("split_seed", "backbone", "tuning", "code")},
            **{column: counts.get(name) for column, name in _COUNTS.items()},
            "variant": labels[record.key],
            "params": json.dumps(cell["params"], sort_keys=True),
            "options": json.dumps(cell.get("options", {}), sort_keys=True),
            "status": record.status,
            "reason": record.reason,
            "split_sha256": record.split.get("sha256", ""),
            "key": record.key,
        }
        scores = [
            {**common, "metric": metric, "convention": convention, "value": value}
            for convention, metrics in record.scores.items()
            for metric, value in metrics.items()
        ]
        lookup = [
            {**common, "metric": f"lookup/{index}/{figure}", "value": float(value)}
            for index, figures in record.indexes.items()
            for figure, value in figures.items()
            if isinstance(value, int | float)
        ]
        rows += scores + lookup or [common]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame = frame.astype(dict.fromkeys(_COUNTS, "Int64"))  # absent counts stay empty, not 1.0
    return frame.to_csv(index=False, lineterminator="\n")


def markdown(sheets: Sequence[Sheet]) -> str:
    """Pipe tables; best bold, second underlined, each with its caption and footnotes."""
    return "\n\n".join(_markdown(sheet) for sheet in sheets) + "\n"


def _markdown(sheet: Sheet) -> str:
    several = len({column.dataset for column in sheet.columns}) > 1
    kinds = any(row.kind for row in sheet.rows)
    header = ["method", *([""] if kinds else [])]
    header += [
        f"{column.text} {column.bits} bits" if several else f"{column.bits} bits"
        for column in sheet.columns
    ]
    lines = [
        [
            _plain(row.text),
            *([row.kind] if kinds else []),
            *(_text(sheet.cell(i, j)) for j in range(len(sheet.columns))),
        ]
        for i, row in enumerate(sheet.rows)
    ]
    grid = tabulate(lines, header, tablefmt="pipe", disable_numparse=True)
    notes = [f"{place + 1}. {_plain(text)}" for place, text in enumerate(sheet.footnotes)]
    notes += [f"- {_plain(text)}" for text in sheet.remarks]
    return "\n\n".join(filter(None, [_plain(sheet.caption), grid, "\n".join(notes)]))


def _text(cell: Cell) -> str:
    marks = ",".join(str(place + 1) for place in cell.notes)
    after = ("†" if cell.significant else "") + (f"<sup>{marks}</sup>" if marks else "")
    if cell.value is None:
        return f"–{after}"
    number = f"{cell.value:{'+' if cell.signed else ''}.{cell.digits}f}"
    if cell.std is not None:
        number += f" ± {cell.std:.{cell.digits}f}"
    return {1: "**{}**", 2: "<u>{}</u>"}.get(cell.rank, "{}").format(number) + after


def _plain(text: str) -> str:
    """Text that no Markdown reader takes for markup."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
