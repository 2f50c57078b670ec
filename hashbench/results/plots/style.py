"""How every figure looks and is written: one colour and marker a method, everywhere."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hashbench.errors import InputError
from hashbench.files import write_atomically
from hashbench.results.names import method_name

#: Inches: one column and the full width of a two-column paper.
COLUMN, PAGE = 3.3, 7.0

# The colours of Okabe and Ito (2008), told apart by colour-blind readers too.
ORANGE, SKY, GREEN, BLUE = "#E69F00", "#56B4E9", "#009E73", "#0072B2"
VERMILION, PURPLE, BLACK, GREY = "#D55E00", "#CC79A7", "#000000", "#7F7F7F"

#: Points of markers that look smaller than the others.
_LARGER = {"*": 6.5, ".": 6.5, "P": 5, "X": 5}
#: Marker and dashes carry the distinction where colour is lost.
_STYLES: dict[str, tuple[str, str, str]] = {
    "dch": (VERMILION, "o", "-"),
    "hashnet": (BLUE, "s", "-"),
    "dhn": (GREEN, "^", "-"),
    "dnnh": (PURPLE, "D", "-"),
    "cnnh": (ORANGE, "v", "-"),
    "sdh": (SKY, "P", "--"),
    "ksh": (BLACK, "X", "--"),
    "bre": (GREY, "<", "--"),
    "itq-cca": (GREEN, "*", "--"),
    "lsh": (GREY, ".", ":"),
    "dch-q": (ORANGE, "h", "-."),
    "dch-c": (BLUE, "d", "-."),
    "dch-e": (PURPLE, "p", "-."),
    "dch-released": (BLACK, "8", "-."),
}
_OTHERS = [
    (colour, marker, dashes)
    for dashes in (":", "-.", "--")
    for marker in (">", "H", "d", "8", "p")
    for colour in (SKY, ORANGE, PURPLE, BLACK, BLUE)
]

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


@dataclass(frozen=True)
class Plot:
    """A figure, the name of its files and the numbers it shows."""

    name: str
    figure: Figure
    numbers: pd.DataFrame


@contextmanager
def applied() -> Iterator[None]:
    """Draw in this house's style within the block, whatever the user's own settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def line_style(label: str) -> dict[str, Any]:
    """Colour, marker, dashes and legend text of a method or row label."""
    colour, marker, dashes = _STYLES.get(label, _OTHERS[zlib.crc32(label.encode()) % len(_OTHERS)])
    return {
        "color": colour,
        "marker": marker,
        "linestyle": dashes,
        "label": method_name(label),
        "markersize": _LARGER.get(marker, _RC["lines.markersize"]),
        "markeredgecolor": "white",
        "markeredgewidth": 0.3,
    }


def legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    """One legend under all panels, in the order of the lines of `axes`."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=max(1, min(columns, len(labels)))
    )


def save(plot: Plot, out: Path, file_format: str) -> Sequence[Path]:
    """Write a figure and its numbers; returns both paths.

    Raises:
        InputError: if the folder cannot be written to.
    """
    picture, table = (out / f"{plot.name}.{suffix}" for suffix in (file_format, "csv"))
    text = plot.numbers.to_csv(index=False, lineterminator="\n", float_format="%.6g")
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
