"""Hamming distances of similar and dissimilar pairs: the picture of concentration."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from hashbench.results.names import method_name
from hashbench.results.plots.request import Group, Request, groups, lengths_of, mean_curve
from hashbench.results.plots.style import BLACK, BLUE, PAGE, VERMILION, Plot, new_figure

#: The ball in which a lookup costs constant time.
RADIUS = 2


def draw(request: Request) -> list[Plot]:
    """A small panel a method; each side's shares sum to one."""
    return [
        _plot(request, group, bits)
        for group in groups(request)
        for bits in lengths_of(request, group)
    ]


def _plot(request: Request, group: Group, bits: int) -> Plot:
    methods = group.at(bits)
    columns = min(4, len(methods))
    lines = math.ceil(len(methods) / columns)
    figure = new_figure(PAGE * columns / 4 if columns > 1 else PAGE / 2, 1.45 * lines + 0.45)
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    frames = []
    for axes, (label, records) in zip(panels.flat, methods.items(), strict=False):
        counts = {
            side: mean_curve(records, request.convention, side)
            for side in ("similar", "dissimilar")
        }
        share = {side: count / max(count.sum(), 1.0) for side, count in counts.items()}
        distance = np.arange(len(share["similar"]))
        frames.append(
            pd.DataFrame(
                {
                    "dataset": group.setting.dataset,
                    "protocol": group.setting.protocol,
                    "backbone": group.setting.backbone,
                    "method": label,
                    "bits": bits,
                    "seeds": len(records),
                    "distance": distance,
                    "similar": share["similar"],
                    "dissimilar": share["dissimilar"],
                }
            )
        )
        axes.fill_between(
            distance, share["similar"], step="mid", color=VERMILION, alpha=0.55, linewidth=0,
            label="similar pairs",
        )  # fmt: skip
        axes.step(distance, share["dissimilar"], where="mid", color=BLUE, label="dissimilar pairs")
        axes.axvline(RADIUS, color=BLACK, linestyle="--", linewidth=0.8, label="radius 2")
        inside = share["similar"][: RADIUS + 1].sum()
        axes.set_title(method_name(label))
        axes.text(
            0.98, 0.95, f"{inside:.0%} of similar\npairs within 2", transform=axes.transAxes,
            ha="right", va="top", fontsize=7,
        )  # fmt: skip
    for axes in panels.flat[len(methods) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("share of pairs")
    for column in range(columns):
        lowest = max(line for line in range(lines) if line * columns + column < len(methods))
        panels[lowest, column].set_xlabel("Hamming distance")
        panels[lowest, column].tick_params(labelbottom=True)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    figure.suptitle(f"{group.title}, {bits} bits", fontsize=8)
    return Plot(f"distances-{group.name}-{bits}", figure, pd.concat(frames, ignore_index=True))
