"""Tables as files: tidy CSV, Markdown, and LaTeX with booktabs."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd
from tabulate import tabulate

from hashbench.results.record import Record
from hashbench.results.tables import Table, row_labels
from hashbench.results.terminal import METRIC_NAMES

COLUMNS = (
    "method", "dataset", "bits", "seed", "metric", "convention", "value",
    "protocol", "split_seed", "backbone", "tuning", "variant", "params", "code",
    "status", "reason", "split_sha256", "key",
)  # fmt: skip


def csv(records: Sequence[Record]) -> str:
    """One row a score; a cell without scores has one row with its status and reason."""
    labels = row_labels(records)
    rows = []
    for record in records:
        cell = record.cell
        common = {
            **{name: cell[name] for name in ("method", "dataset", "bits", "seed", "protocol")},
            **{name: cell[name] for name in ("split_seed", "backbone", "tuning", "code")},
            "variant": labels[record.key],
            "params": json.dumps(cell["params"], sort_keys=True),
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
        rows += scores or [common]
    return pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False, lineterminator="\n")


def markdown(tables: Sequence[Table]) -> str:
    """Pipe tables; best bold, second underlined, each with its setting and footnotes."""
    wraps = {1: "**{}**", 2: "<u>{}</u>"}
    blocks = []
    for table in tables:
        rows = [
            [
                row,
                *(
                    wraps.get(table.rank(row, bits) or 0, "{}").format(_text(table, row, bits))
                    for bits in table.bits
                ),
            ]
            for row in table.rows
        ]
        header = ["method", *(f"{bits} bits" for bits in table.bits)]
        grid = tabulate(rows, header, tablefmt="pipe", disable_numparse=True)
        notes = "".join(f"\n- {reason}" for reason in table.failures)
        blocks.append(f"{caption(table)}\n\n{grid}\n{notes}")
    return "\n\n".join(block.rstrip() for block in blocks) + "\n"


def latex(tables: Sequence[Table]) -> str:
    r"""A document fragment: one `table` a setting; needs `\usepackage{booktabs}`."""
    return "\n".join(_latex_table(table) for table in tables)


def caption(table: Table) -> str:
    """What a table shows, in one sentence."""
    name = METRIC_NAMES.get(table.metric, table.metric)
    tuning = f", {'/'.join(table.tunings)} tuning of deep methods" if table.tunings else ""
    seeds = {record.cell["seed"] for record in table.records}
    mean = f"; mean over {len(seeds)} seeds" if len(seeds) > 1 else ""
    return f"{name}, {table.convention} convention, on {table.setting}{tuning}{mean}."


def _text(table: Table, row: str, bits: int) -> str:
    entry = table.entries.get((row, bits))
    if entry is None or entry.mean is None:
        return "-"
    spread = f" ± {entry.std:.3f}" if entry.std is not None else ""
    return f"{entry.mean:.3f}{spread}"


def _latex_table(table: Table) -> str:
    frame = pd.DataFrame(
        [
            [_text(table, row, bits).replace("±", r"$\pm$") for bits in table.bits]
            for row in table.rows
        ],
        index=[_escape(row) for row in table.rows],
        columns=[f"{bits} bits" for bits in table.bits],
    )
    wraps = {1: "textbf:--rwrap;", 2: "underline:--rwrap;"}
    marks = pd.DataFrame(
        [[wraps.get(table.rank(row, bits) or 0, "") for bits in table.bits] for row in table.rows],
        index=frame.index,
        columns=frame.columns,
    )
    styled = frame.style.apply(lambda _: marks, axis=None)
    slug = "".join(
        c if c.isalnum() else "-" for c in f"{table.setting.dataset}-{table.setting.protocol}"
    )
    return styled.to_latex(
        hrules=True,
        position="t",
        position_float="centering",
        column_format="l" + "c" * len(table.bits),
        caption=_escape(caption(table)),
        label=f"tab:{slug}-{table.metric.replace('@', '-')}",
    )


def _escape(text: str) -> str:
    special = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
               "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
               "<=": r"$\leq$", "<": "$<$", ">": "$>$"}  # fmt: skip
    out = text.replace("<=", "\0")
    out = "".join(special.get(c, c) for c in out)
    return out.replace("\0", special["<="])
