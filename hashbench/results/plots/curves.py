"""One panel of curves, a line a method, with its numbers: what `pr` and `topn` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hashbench.results.plots.request import Group, Request, groups, lengths_of
from hashbench.results.plots.style import COLUMN, Plot, legend_below, line_style, new_figure
from hashbench.results.record import Record

Columns = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Panel:
    """What is drawn.

    Attributes:
        kind: begins the files' names.
        columns: the numbers of one method's records, by column of the CSV.
        across: the column on the horizontal axis.
        up: the column on the vertical axis.
        finish: sets labels and limits.
    """

    kind: str
    columns: Callable[[Sequence[Record]], Columns]
    across: str
    up: str
    finish: Callable[[Axes], None]


def draw_panel(request: Request, panel: Panel) -> list[Plot]:
    """A figure a setting and code length."""
    return [
        _plot(request, group, bits, panel)
        for group in groups(request)
        for bits in lengths_of(request, group)
    ]


def _plot(request: Request, group: Group, bits: int, panel: Panel) -> Plot:
    figure = new_figure(COLUMN, 2.8)
    axes = figure.subplots()
    frames = []
    for label, records in group.at(bits).items():
        columns = panel.columns(records)
        frames.append(
            pd.DataFrame(
                {
                    "dataset": group.setting.dataset,
                    "protocol": group.setting.protocol,
                    "backbone": group.setting.backbone,
                    "convention": request.convention,
                    "method": label,
                    "bits": bits,
                    "seeds": len(records),
                    **columns,
                }
            )
        )
        across, up = columns[panel.across], columns[panel.up]
        axes.plot(across, up, markevery=max(1, len(across) // 8), **line_style(label))
    axes.set_title(f"{group.title}, {bits} bits")
    panel.finish(axes)
    legend_below(figure, axes, 4)
    return Plot(f"{panel.kind}-{group.name}-{bits}", figure, pd.concat(frames, ignore_index=True))
