"""Scores within the Hamming ball against code length: who degrades with longer codes?"""

from __future__ import annotations

import pandas as pd

from hashbench.errors import InputError
from hashbench.results.plots import Drawing, Plot
from hashbench.results.plots.request import FigureRequest, facts, title
from hashbench.results.plots.style import PAGE, legend_below, line_styles, new_figure
from hashbench.results.series import Series
from hashbench.results.sinks import for_figure

#: Families of scores, a panel each.
FAMILIES = ("map", "p", "r", "empty")


def draw(request: FigureRequest) -> list[Drawing]:
    """A row of four panels a bench; bars are the standard deviation over seeds."""
    return [_drawing(request, series) for series in request.series]


def _drawing(request: FigureRequest, series: Series) -> Drawing:
    panels_of = [series.of(f"{name}@h{series.convention.radius}") for name in FAMILIES]
    rows = [
        {
            **facts(series, row, bits),
            "metric": part.metric,
            "mean": entry.mean,
            "std": entry.std,
            "seeds": entry.n,
        }
        for part in panels_of
        for row in series.rows
        for bits in series.bits
        if (entry := part.entry(row, bits)).values
    ]
    if not rows:
        raise InputError(
            f"no scores within a ball under convention '{series.convention}' on "
            f"{series.bench.dataset}: choose another with --convention, such as house"
        )
    numbers = pd.DataFrame(rows)
    figure = new_figure(PAGE, 2.2)
    styles = line_styles(series)
    panels = figure.subplots(1, len(panels_of))
    for axes, part in zip(panels, panels_of, strict=True):
        for row in series.rows:
            places = [(bits, part.entry(row, bits)) for bits in series.bits]
            shown = [(bits, entry) for bits, entry in places if entry.values]
            axes.errorbar(
                [bits for bits, _ in shown], [entry.mean for _, entry in shown],
                yerr=[entry.std or 0.0 for _, entry in shown], capsize=1.5, elinewidth=0.6,
                **styles[row],
            )  # fmt: skip
        name = part.info.title.replace(f" within H<={series.convention.radius}", "")
        axes.set_title(for_figure(name))
        axes.set_xlabel("bits")
        axes.set_xticks(series.bits)
        axes.set_ylim(bottom=0.0)
    panels[0].set_ylabel(title(series))
    legend_below(figure, panels[0], 7)
    return Drawing(request.name("bits", series), figure, numbers)


bits = Plot(
    name="bits",
    summary="mAP, precision and recall within H<=2 and empty balls against code length",
    draw=draw,
)
