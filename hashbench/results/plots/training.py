"""Loss and validation scores by epoch, for methods that train."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hashbench.errors import InputError
from hashbench.results.plots import Drawing, Plot
from hashbench.results.plots.request import FigureRequest, facts, shown_at, title
from hashbench.results.plots.style import (
    COLUMN,
    PAGE,
    legend_below,
    line_styles,
    new_figure,
    spread_band,
)
from hashbench.results.series import Series
from hashbench.results.sinks import for_figure

#: Measures of a history other than the loss begin with it.
VALIDATION = "validation"


def draw(request: FigureRequest) -> list[Drawing]:
    """A panel for the loss relative to its first epoch, and one a validation score.

    Losses of different methods have different scales; each is divided by its
    value after the first epoch. The CSV has the values themselves. Bands are
    the standard deviation over seeds.

    Raises:
        InputError: if no result has a training history.
    """
    drawings = [
        drawing
        for series in request.series
        for bits in request.lengths(series)
        if (drawing := _drawing(request, series, bits)) is not None
    ]
    if not drawings:
        raise InputError(
            "none of these methods has a training history: run one that trains, "
            "such as `hashbench run --methods dch`"
        )
    return drawings


def _drawing(request: FigureRequest, series: Series, bits: int) -> Drawing | None:
    lines = [
        {
            **facts(series, row, bits),
            "seed": record.cell.seed,
            "epoch": step.get("epoch", place + 1),
            "measure": measure,
            "value": value,
        }
        for row in shown_at(series, bits)
        for record in series.places[row, bits]
        for place, step in enumerate(record.history)
        for measure, value in step.items()
        if (measure == "loss" or measure.startswith(VALIDATION)) and isinstance(value, int | float)
    ]
    if not lines:
        return None
    numbers = pd.DataFrame(lines)
    measures = sorted(numbers["measure"].unique())
    figure = new_figure(COLUMN if len(measures) == 1 else PAGE, 2.6)
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    styles = line_styles(series)
    for axes, measure in zip(panels, measures, strict=True):
        for row in shown_at(series, bits):
            part = numbers[(numbers["row"] == series.labels[row]) & (numbers["measure"] == measure)]
            if part.empty:
                continue
            by_epoch = part.groupby("epoch", sort=True)["value"].agg(["mean", "std"])
            scale = float(by_epoch["mean"].iloc[0]) if measure == "loss" else 1.0
            epochs, mean, std = (
                np.asarray(values, np.float64)
                for values in (by_epoch.index, by_epoch["mean"], by_epoch["std"])
            )
            axes.plot(epochs, mean / scale, markevery=max(1, len(mean) // 8), **styles[row])
            spread_band(axes, epochs, mean / scale, std / abs(scale), styles[row]["color"])
        axes.set_xlabel("epoch")
        name = "loss / loss after epoch 1" if measure == "loss" else for_figure(str(measure))
        axes.set_ylabel(name)
    panels[0].set_title(title(series, bits))
    legend_below(figure, panels[0], 4)
    return Drawing(request.name("training", series, bits), figure, numbers)


training = Plot(name="training", summary="loss and validation scores by epoch", draw=draw)
