"""Precision of the first N retrieved against N."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hashbench.results.plots import Drawing, Plot
from hashbench.results.plots.curves import Curves, Panel, draw_panel
from hashbench.results.plots.request import FigureRequest
from hashbench.results.rows import Row
from hashbench.results.series import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The paper's range.
LONGEST = 1000


def draw(request: FigureRequest) -> list[Drawing]:
    """Lists of at most 1,000, averaged over queries and seeds."""
    return draw_panel(request, Panel("topn", _curves, "n", "precision", _finish))


def _curves(series: Series, row: Row, bits: int) -> Curves:
    lengths = series.curve(row, bits, "n")
    shown = lengths[0] <= LONGEST
    return {
        "n": lengths[:, shown],
        "precision": series.curve(row, bits, "p@n")[:, : lengths.shape[1]][:, shown],
    }


def _finish(axes: Axes) -> None:
    axes.set_xlabel("N, length of the ranked list")
    axes.set_ylabel("P@N")
    axes.set_xlim(left=0.0)


topn = Plot(name="topn", summary="precision of the first N against N", draw=draw)
