"""Recall against lookup speed: what an index finds of the ball, and how many queries a second."""

from __future__ import annotations

from typing import Any

import pandas as pd

from hashbench.errors import InputError
from hashbench.results.plots import Drawing, Plot
from hashbench.results.plots.request import FigureRequest, facts, shown_at, title
from hashbench.results.plots.style import COLUMN, legend_below, line_styles, new_figure
from hashbench.results.rows import Row
from hashbench.results.series import Series


def draw(request: FigureRequest) -> list[Drawing]:
    """A figure a bench and code length, of what `run --lookup` measured of the first seed."""
    found = [
        drawing
        for series in request.series
        for bits in request.lengths(series)
        if (drawing := _drawing(request, series, bits)) is not None
    ]
    if not found:
        raise InputError(
            "no lookup rates are stored at these code lengths (balls that are empty have none): "
            "run `hashbench run --lookup`, or choose others with --bits"
        )
    return found


def _drawing(request: FigureRequest, series: Series, bits: int) -> Drawing | None:
    rows = [point for row in shown_at(series, bits) for point in _points(series, row, bits)]
    if not rows:
        return None
    numbers = pd.DataFrame(rows)
    figure = new_figure(COLUMN, 2.8)
    axes = figure.subplots()
    styles = line_styles(series)
    for row in shown_at(series, bits):
        mine = numbers[numbers["row"] == series.labels[row]]
        if mine.empty:
            continue
        look = styles[row]
        exact = mine[mine["exact"]]
        tables = mine[~mine["exact"]].sort_values("queries_per_s")
        axes.plot(exact["queries_per_s"], exact["recall"], **{**look, "linestyle": ""})
        axes.plot(
            tables["queries_per_s"], tables["recall"],
            **{**look, "label": None, "markersize": 2.0, "linewidth": 0.8},
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_ylim(0.0, 1.05)
    axes.set_xlabel("queries a second")
    axes.set_ylabel(f"recall of the ball, H<={series.convention.radius}")
    axes.set_title(title(series, bits))
    legend_below(figure, axes, 3)
    return Drawing(request.name("lookup", series, bits), figure, numbers)


def _points(series: Series, row: Row, bits: int) -> list[dict[str, Any]]:
    for record in series.places.get((row, bits), ()):
        lookup = series.judge.lookup(record)
        found = [
            {
                **facts(series, row, bits),
                "seed": record.cell.seed,
                "index": str(point["index"]),
                "exact": str(point["index"]) in lookup,
                "recall": float(point["recall"]),
                "queries_per_s": float(point["queries_per_s"]),
            }
            for point in lookup.get("points", ())
            if isinstance(point.get("queries_per_s"), int | float)
        ]
        if found:
            return found
    return []


lookup = Plot(
    name="lookup",
    summary="recall of the ball against queries a second, of exact indexes and multi-table LSH",
    draw=draw,
)
