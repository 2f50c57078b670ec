"""One panel of curves, a line a row, with its numbers: what `pr` and `topn` share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hashbench.results.plots import Drawing
from hashbench.results.plots.request import FigureRequest, facts, over_seeds, shown_at, title
from hashbench.results.plots.style import (
    COLUMN,
    legend_below,
    line_styles,
    new_figure,
    spread_band,
)
from hashbench.results.rows import Row
from hashbench.results.series import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Numbers of one row by name, `(seeds, points)` each.
Curves = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Panel:
    """What is drawn.

    Attributes:
        kind: begins the files' names.
        curves: the numbers of a row at a code length.
        across: the name on the horizontal axis.
        up: the name on the vertical axis.
        finish: sets labels and limits.
    """

    kind: str
    curves: Callable[[Series, Row, int], Curves]
    across: str
    up: str
    finish: Callable[[Axes], None]


def draw_panel(request: FigureRequest, panel: Panel) -> list[Drawing]:
    """A figure a bench and code length; bands are the standard deviation over seeds."""
    return [
        _drawing(request, series, bits, panel)
        for series in request.series
        for bits in request.lengths(series)
    ]


def _drawing(request: FigureRequest, series: Series, bits: int, panel: Panel) -> Drawing:
    figure = new_figure(COLUMN, 2.8)
    axes = figure.subplots()
    styles = line_styles(series)
    frames = []
    for row in shown_at(series, bits):
        curves = panel.curves(series, row, bits)
        means = {name: over_seeds(values) for name, values in curves.items()}
        columns = {name: mean for name, (mean, _) in means.items()}
        columns |= {f"{name}_std": std for name, (_, std) in means.items()}
        common = facts(series, row, bits) | {"seeds": len(curves[panel.up])}
        frames.append(pd.DataFrame({**common, **columns}))
        across, (up, std) = columns[panel.across], means[panel.up]
        axes.plot(across, up, markevery=max(1, len(across) // 8), **styles[row])
        spread_band(axes, across, up, std, styles[row]["color"])
    axes.set_title(title(series, bits))
    panel.finish(axes)
    legend_below(figure, axes, 4)
    numbers = pd.concat(frames, ignore_index=True)
    return Drawing(request.name(panel.kind, series, bits), figure, numbers)
