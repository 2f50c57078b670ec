"""Precision-recall curves by Hamming radius, averaged over queries and seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from hashbench.results.plots.curves import Columns, Panel, draw_panel
from hashbench.results.plots.request import Request, mean_curve
from hashbench.results.plots.style import Plot
from hashbench.results.record import Record


def draw(request: Request) -> list[Plot]:
    """One point a radius 0..bits; an empty ball has the convention's precision, usually 0."""

    def columns(records: Sequence[Record]) -> Columns:
        precision = mean_curve(records, request.convention, "p@h")
        return {
            "radius": np.arange(len(precision), dtype=np.float64),
            "recall": mean_curve(records, request.convention, "r@h"),
            "precision": precision,
        }

    return draw_panel(request, Panel("pr", columns, "recall", "precision", _finish))


def _finish(axes: Axes) -> None:
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_xlim(0.0, 1.02)
    axes.set_ylim(0.0, 1.02)
