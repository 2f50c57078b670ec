"""Hamming distances of similar and dissimilar pairs: the picture of concentration."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from hashbench.results.plots import Drawing, Plot
from hashbench.results.plots.request import FigureRequest, facts, over_seeds, shown_at, title
from hashbench.results.plots.style import (
    BLACK,
    BLUE,
    PAGE,
    VERMILION,
    legend_below,
    line_styles,
    new_figure,
    spread_band,
)
from hashbench.results.series import Series

#: The ball in which a lookup costs constant time.
RADIUS = 2

SIDES = ("similar", "dissimilar")


def draw(request: FigureRequest) -> list[Drawing]:
    """A small panel a row; each side's shares sum to one, bands are deviations over seeds."""
    return [
        _drawing(request, series, bits)
        for series in request.series
        for bits in request.lengths(series)
    ]


def _drawing(request: FigureRequest, series: Series, bits: int) -> Drawing:
    rows = shown_at(series, bits)
    columns = min(4, len(rows))
    lines = math.ceil(len(rows) / columns)
    figure = new_figure(PAGE * columns / 4 if columns > 1 else PAGE / 2, 1.45 * lines + 0.45)
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    names = line_styles(series)
    frames = []
    for axes, row in zip(panels.flat, rows, strict=False):
        means = {}
        for side in SIDES:
            counts = series.curve(row, bits, side)
            means[side] = over_seeds(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0))
        share, spread = ({side: means[side][k] for side in SIDES} for k in (0, 1))
        distance = np.arange(len(share["similar"]), dtype=np.float64)
        columns_of = {"distance": distance, **share}
        columns_of |= {f"{side}_std": spread[side] for side in SIDES}
        frames.append(pd.DataFrame({**facts(series, row, bits), **columns_of}))
        axes.fill_between(
            distance, share["similar"], step="mid", color=VERMILION, alpha=0.55, linewidth=0,
            label="similar pairs",
        )  # fmt: skip
        axes.step(distance, share["dissimilar"], where="mid", color=BLUE, label="dissimilar pairs")
        for side, colour in zip(SIDES, (VERMILION, BLUE), strict=True):
            spread_band(axes, distance, share[side], spread[side], colour)
        axes.axvline(RADIUS, color=BLACK, linestyle="--", linewidth=0.8, label="radius 2")
        inside = share["similar"][: RADIUS + 1].sum()
        axes.set_title(names[row]["label"])
        axes.text(
            0.98, 0.95, f"{inside:.0%} of similar\npairs within 2", transform=axes.transAxes,
            ha="right", va="top", fontsize=7,
        )  # fmt: skip
    for axes in panels.flat[len(rows) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("share of pairs")
    for column in range(columns):
        lowest = max(line for line in range(lines) if line * columns + column < len(rows))
        panels[lowest, column].set_xlabel("Hamming distance")
        panels[lowest, column].tick_params(labelbottom=True)
    legend_below(figure, panels[0, 0], 3)
    figure.suptitle(title(series, bits), fontsize=8)
    numbers = pd.concat(frames, ignore_index=True)
    return Drawing(request.name("distances", series, bits), figure, numbers)


distances = Plot(
    name="distances", summary="Hamming distances of similar and dissimilar pairs", draw=draw
)
