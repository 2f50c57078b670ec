"""Figures from stored results. A figure is a `Plot`: ours and a stranger's come in by one door."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hashbench.errors import InputError, cause, installs

if TYPE_CHECKING:
    import pandas as pd

    from hashbench.results.plots.request import FigureRequest

FORMATS = ("pdf", "png", "svg")


@dataclass(frozen=True)
class Drawing:
    """A figure that was drawn.

    Attributes:
        name: begins the names of its files; letters, digits and dashes.
        figure: a matplotlib figure, such as `style.new_figure` gives.
        numbers: what it shows, written as CSV beside it.
    """

    name: str
    figure: Any
    numbers: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A kind of figure.

    Attributes:
        name: what `hashbench plot` calls it.
        summary: one line for listings.
        draw: gives the drawings of a `FigureRequest`.
        needs_results: whether it shows results; one that draws formulae does not.

    Example:
        >>> import hashbench, pandas as pd
        >>> from hashbench.results.plots import Drawing
        >>> def draw(request):
        ...     from matplotlib.figure import Figure
        ...
        ...     figure = Figure()
        ...     figure.subplots().plot([16, 48], [0.5, 0.7])
        ...     yield Drawing("two-points", figure, pd.DataFrame({"map": [0.5, 0.7]}))
        >>> two_points = hashbench.Plot(
        ...     name="two-points", summary="two points", draw=draw, needs_results=False
        ... )
        >>> two_points.name
        'two-points'
    """

    name: str
    summary: str
    draw: Callable[[FigureRequest], Iterable[Drawing]]
    needs_results: bool = True


def draw(kind: str, request: FigureRequest, out: Path, file_format: str = "pdf") -> list[Path]:
    """Draw one kind into a folder; returns the files written, each figure before its CSV.

    Raises:
        InputError: if there is no such kind or format, if the plotting libraries, results or
            images are missing, saying what to install or run, or if a stranger's figure fails.
    """
    from hashbench.errors import unknown
    from hashbench.registries import plots

    plot: Plot = plots().get(kind)
    origin = plots().entry(kind).origin
    if file_format not in FORMATS:
        raise unknown("format of figures", file_format, FORMATS)
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError(f"figures need matplotlib: {installs('plots')}") from error
    from hashbench.results.plots import style

    written: list[Path] = []
    try:
        with style.applied():
            for drawing in plot.draw(request):
                written += style.save(_named_apart(drawing, written), out, file_format)
    except InputError:
        raise
    except Exception as error:
        if origin == "hashbench":
            raise
        raise InputError(f"the figure '{kind}' of {origin} failed: {cause(error)}") from error
    return written


def _named_apart(drawing: Drawing, written: list[Path]) -> Drawing:
    """The drawing under a name that is fit for files, and none of those written."""
    from hashbench.results.sinks import slug

    taken = {path.stem for path in written}
    name = wanted = slug(drawing.name) or "figure"
    number = 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return replace(drawing, name=name)
