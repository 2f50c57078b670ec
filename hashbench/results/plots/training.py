"""Loss and validation scores by epoch, for methods that train."""

from __future__ import annotations

import pandas as pd

from hashbench.errors import InputError
from hashbench.results.plots.request import Group, Request, groups, lengths_of
from hashbench.results.plots.style import COLUMN, PAGE, Plot, legend_below, line_style, new_figure

#: Measures of a history other than the loss begin with it.
VALIDATION = "validation"


def draw(request: Request) -> list[Plot]:
    """A panel for the loss relative to its first epoch, and one a validation score.

    Losses of different methods have different scales; each is divided by its
    value after the first epoch. The CSV has the values themselves.

    Raises:
        InputError: if no record has a training history.
    """
    plots = [
        plot
        for group in groups(request)
        for bits in lengths_of(request, group)
        if (plot := _plot(group, bits)) is not None
    ]
    if not plots:
        raise InputError(
            "none of these methods has a training history: run one that trains, "
            "such as `hashbench run --methods dch`"
        )
    return plots


def _plot(group: Group, bits: int) -> Plot | None:
    rows = [
        {
            "dataset": group.setting.dataset,
            "protocol": group.setting.protocol,
            "backbone": group.setting.backbone,
            "method": label,
            "bits": bits,
            "seed": record.cell["seed"],
            "epoch": step.get("epoch", place + 1),
            "measure": measure,
            "value": value,
        }
        for label, records in group.at(bits).items()
        for record in records
        for place, step in enumerate(record.history)
        for measure, value in step.items()
        if (measure == "loss" or measure.startswith(VALIDATION)) and value is not None
    ]
    if not rows:
        return None
    numbers = pd.DataFrame(rows)
    means = numbers.groupby(["method", "measure", "epoch"], sort=True)["value"].mean().reset_index()
    measures = sorted(means["measure"].unique())
    figure = new_figure(COLUMN if len(measures) == 1 else PAGE, 2.6)
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    for axes, measure in zip(panels, measures, strict=True):
        for label in group.at(bits):
            part = means[(means["method"] == label) & (means["measure"] == measure)]
            if part.empty:
                continue
            values = part["value"] / (part["value"].iloc[0] if measure == "loss" else 1.0)
            axes.plot(part["epoch"], values, markevery=max(1, len(part) // 8), **line_style(label))
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss / loss after epoch 1" if measure == "loss" else measure)
    panels[0].set_title(f"{group.title}, {bits} bits")
    legend_below(figure, panels[0], 4)
    return Plot(f"training-{group.name}-{bits}", figure, numbers)
