"""Precision of the first N retrieved against N."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from hashbench.results.plots.curves import Columns, Panel, draw_panel
from hashbench.results.plots.request import Request, mean_curve
from hashbench.results.plots.style import Plot
from hashbench.results.record import Record

#: The paper's range.
LONGEST = 1000


def draw(request: Request) -> list[Plot]:
    """Lists of at most 1,000, averaged over queries and seeds."""

    def columns(records: Sequence[Record]) -> Columns:
        lengths = mean_curve(records, request.convention, "n")
        shown = lengths <= LONGEST
        return {
            "n": lengths[shown],
            "precision": mean_curve(records, request.convention, "p@n")[shown],
        }

    return draw_panel(request, Panel("topn", columns, "n", "precision", _finish))


def _finish(axes: Axes) -> None:
    axes.set_xlabel("N, length of the ranked list")
    axes.set_ylabel("P@N")
    axes.set_xlim(left=0.0)
