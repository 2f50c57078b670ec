"""Precision-recall curves by Hamming radius, averaged over queries and seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hashbench.results.plots import Drawing, Plot
from hashbench.results.plots.curves import Curves, Panel, draw_panel
from hashbench.results.plots.request import FigureRequest
from hashbench.results.rows import Row
from hashbench.results.series import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(request: FigureRequest) -> list[Drawing]:
    """One point a radius 0..bits; an empty ball has the convention's precision, usually 0."""
    return draw_panel(request, Panel("pr", _curves, "recall", "precision", _finish))


def _curves(series: Series, row: Row, bits: int) -> Curves:
    precision = series.curve(row, bits, "p@h")
    radii = np.tile(np.arange(precision.shape[1], dtype=np.float64), (len(precision), 1))
    recall = series.curve(row, bits, "r@h")
    return {"radius": radii, "recall": recall, "precision": precision}


def _finish(axes: Axes) -> None:
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")
    axes.set_xlim(0.0, 1.02)
    axes.set_ylim(0.0, 1.02)


pr = Plot(name="pr", summary="precision-recall curves by Hamming radius", draw=draw)
