"""Scores within the Hamming ball against code length: who degrades with longer codes?"""

from __future__ import annotations

import statistics

import pandas as pd

from hashbench.errors import InputError
from hashbench.evaluation.metrics import describe_metric
from hashbench.results.plots.request import Group, Request, groups
from hashbench.results.plots.style import PAGE, Plot, legend_below, line_style, new_figure

METRICS = ("map@h2", "p@h2", "r@h2", "empty@h2")


def draw(request: Request) -> list[Plot]:
    """A row of four panels a setting; bars are the standard deviation over seeds."""
    return [_plot(group, request.convention) for group in groups(request)]


def _plot(group: Group, convention: str) -> Plot:
    rows = [
        {
            "dataset": group.setting.dataset,
            "protocol": group.setting.protocol,
            "backbone": group.setting.backbone,
            "convention": convention,
            "method": label,
            "bits": bits,
            "metric": metric,
            "mean": statistics.fmean(values),
            "std": statistics.stdev(values) if len(values) > 1 else None,
            "seeds": len(values),
        }
        for metric in METRICS
        for label in group.labels
        for bits in group.lengths
        if (values := _values(group, label, bits, convention, metric))
    ]
    if not rows:
        raise InputError(
            f"no scores within H<=2 under convention '{convention}' on {group.setting.dataset}: "
            "choose another with --convention, such as house"
        )
    numbers = pd.DataFrame(rows)
    figure = new_figure(PAGE, 2.2)
    panels = figure.subplots(1, len(METRICS))
    for axes, metric in zip(panels, METRICS, strict=True):
        for label in group.labels:
            part = numbers[(numbers["metric"] == metric) & (numbers["method"] == label)]
            axes.errorbar(
                part["bits"], part["mean"], yerr=part["std"].fillna(0.0), capsize=1.5,
                elinewidth=0.6, **line_style(label),
            )  # fmt: skip
        axes.set_title(describe_metric(metric).title.replace(" within H<=2", "").replace("<=", "≤"))
        axes.set_xlabel("bits")
        axes.set_xticks(group.lengths)
        axes.set_ylim(bottom=0.0)
    panels[0].set_ylabel(group.title)
    legend_below(figure, panels[0], 7)
    return Plot(f"bits-{group.name}", figure, numbers)


def _values(group: Group, label: str, bits: int, convention: str, metric: str) -> list[float]:
    return [
        value
        for record in group.records.get((label, bits), [])
        if (value := record.scores.get(convention, {}).get(metric)) is not None
    ]
