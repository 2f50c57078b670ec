"""How every figure looks and is written: a colour and marker a row, by its place in the figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.files import write_atomically
from hashbench.results.exports.csv import csv_text
from hashbench.results.plots import Drawing
from hashbench.results.rows import Row
from hashbench.results.series import Series
from hashbench.results.sinks import for_figure

if TYPE_CHECKING:  # matplotlib may be missing: figures are listed without it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

#: Inches: one column and the full width of a two-column paper.
COLUMN, PAGE = 3.3, 7.0

# The colours of Okabe and Ito (2008), told apart by colour-blind readers too.
ORANGE, SKY, GREEN, BLUE = "#E69F00", "#56B4E9", "#009E73", "#0072B2"
VERMILION, PURPLE, BLACK, GREY = "#D55E00", "#CC79A7", "#000000", "#7F7F7F"

#: Points of markers that look smaller than the others.
_LARGER = {"*": 6.5, ".": 6.5, "P": 5, "X": 5}
# Marker and dashes carry the distinction where colour is lost. The counts share no factor
# with each other, so that it is long until a line looks like another one.
_COLOURS = (VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY, BLACK, GREY)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "*", "h", "d", "p", "8")
_DASHES = ("-", "--", "-.", ":")

_RC: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.color": "#DDDDDD",
    "figure.dpi": 300,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # text stays text
    "svg.fonttype": "none",
    "svg.hashsalt": "hashbench",  # else element ids are random
}
#: Dates and versions would make two equal figures different files.
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Creator": "hashbench", "Producer": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": "hashbench"},
}


@contextmanager
def applied() -> Iterator[None]:
    """Draw in this house's style within the block, whatever the user's own settings."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def line_styles(series: Series) -> dict[Row, dict[str, Any]]:
    """Colour, marker, dashes and legend text of each row, by its place in the series."""
    return {
        row: {**_look(place), "label": for_figure(series.labels[row])}
        for place, row in enumerate(series.rows)
    }


def _look(place: int) -> dict[str, Any]:
    marker = _MARKERS[place % len(_MARKERS)]
    return {
        "color": _COLOURS[place % len(_COLOURS)],
        "marker": marker,
        "linestyle": _DASHES[place // len(_COLOURS) % len(_DASHES)],
        "markersize": _LARGER.get(marker, _RC["lines.markersize"]),
        "markeredgecolor": "white",
        "markeredgewidth": 0.3,
    }


def spread_band(axes: Axes, across: Floats, mean: Floats, std: Floats, colour: str) -> None:
    """A band of one standard deviation around a line; nothing where there is none."""
    if not np.isnan(std).all():
        low, high = mean - np.nan_to_num(std), mean + np.nan_to_num(std)
        axes.fill_between(across, low, high, color=colour, alpha=0.18, linewidth=0)


def legend_below(figure: Figure, axes: Axes, columns: int, scale: float = 1) -> None:
    """One legend under all panels, in the order of the lines of `axes`.

    Args:
        figure: what it stands in.
        axes: whose lines it names.
        columns: at most so many, and so few that none is cut off at the figure's side.
        scale: how much larger its markers are than those of the lines.
    """
    handles, labels = axes.get_legend_handles_labels()
    for count in range(max(1, min(columns, len(labels))), 0, -1):
        legend = figure.legend(
            handles, labels, loc="outside lower center", ncols=count, markerscale=scale
        )
        if count == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def save(plot: Drawing, out: Path, file_format: str) -> Sequence[Path]:
    """Write a figure and its numbers; returns both paths.

    Raises:
        InputError: if the folder cannot be written to.
    """
    picture, table = (out / f"{plot.name}.{suffix}" for suffix in (file_format, "csv"))
    text = csv_text(plot.numbers, float_format="%.6g")
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(
            picture,
            lambda stream: plot.figure.savefig(
                stream, format=file_format, metadata=_METADATA[file_format]
            ),
        )
        write_atomically(table, lambda stream: stream.write(text.encode()))
    except OSError as error:
        raise InputError(
            f"cannot write to {out}: {error.strerror or error}; choose another --out"
        ) from error
    return picture, table
