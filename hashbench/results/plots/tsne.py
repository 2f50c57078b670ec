"""t-SNE of database codes, coloured by class: do classes form tight islands?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hashbench.errors import InputError, installs
from hashbench.results.plots import Drawing, Plot
from hashbench.results.plots.request import FigureRequest, facts, shown_at, title
from hashbench.results.plots.style import PAGE, legend_below, line_styles, new_figure
from hashbench.results.rows import Row
from hashbench.results.series import Series
from hashbench.results.sinks import for_figure
from hashbench.seeds import derive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Shown where nobody asks for others: the paper's pair.
PAIR = ("dch", "hashnet")
#: More classes than a legend and an eye can tell apart are left out, rarest first.
CLASSES = 10
#: Ten colours that remain different to colour-blind readers (Petroff, 2021).
COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
ITERATIONS = (250, 500)


def draw(request: FigureRequest) -> list[Drawing]:
    """Two methods side by side, the same items in both panels.

    Points are database items with exactly one label, drawn with the request's
    seed, of at most ten classes. Distances are Hamming distances.

    Raises:
        InputError: if openTSNE is missing, or the stored codes or labels are.
    """
    try:
        import openTSNE  # noqa: F401
    except ImportError as error:
        raise InputError(f"t-SNE figures need openTSNE: {installs('plots')}") from error
    return [
        _drawing(request, series, bits)
        for series in request.series
        for bits in request.lengths(series)
    ]


def pair(request: FigureRequest, series: Series, bits: int) -> list[Row]:
    """The two rows to show: of those asked for, else of the paper's pair, methods, floors."""
    rows = shown_at(series, bits)
    if request.methods:
        return rows[:2]
    found = {row.method: row for row in reversed(rows)}
    chosen = [found[name] for name in PAIR if name in found]
    others = [row for row in rows if row not in chosen]
    return [*chosen, *sorted(others, key=lambda row: row.beneath)][:2]


def seed_of(series: Series, row: Row, bits: int) -> str:
    """Which seed's codes are shown, as a figure says it."""
    records = series.places[row, bits]
    return f"seed {records[0].cell.seed} of {len(records)}" if len(records) > 1 else "one seed"


def _drawing(request: FigureRequest, series: Series, bits: int) -> Drawing:
    if request.store is None:
        raise InputError("a t-SNE needs stored codes: run `hashbench run` first")
    chosen = pair(request, series, bits)
    split = request.store.open_split(series.places[chosen[0], bits][0])
    rows, labels, shown = _points(split["database_labels"], request)
    names = [str(split["classes"][label]) for label in shown]
    figure = new_figure(PAGE, 3.6)
    panels = figure.subplots(1, len(chosen), squeeze=False)[0]
    titles = line_styles(series)
    frames = []
    for place, (axes, row) in enumerate(zip(panels, chosen, strict=True)):
        record = series.places[row, bits][0]  # codes of the first seed
        _, database = request.store.open_codes(record, relaxed=False)
        where = embed(database.signs()[rows], request.seed, _part(request, place, len(chosen)))
        _scatter(axes, where, labels, shown, names)
        axes.set_title(f"{titles[row]['label']}, {title(series, bits)}, "
                       f"{seed_of(series, row, bits)}")  # fmt: skip
        frames.append(
            pd.DataFrame(
                {
                    **facts(series, row, bits),
                    "seed": record.cell.seed,
                    "id": np.asarray(split["database_ids"])[rows],
                    "class": [str(split["classes"][value]) for value in labels],
                    "x": where[:, 0],
                    "y": where[:, 1],
                }
            )
        )
    legend_below(figure, panels[0], 5, scale=4)
    numbers = pd.concat(frames, ignore_index=True)
    return Drawing(request.name("tsne", series, bits), figure, numbers)


def _scatter(
    axes: Axes,
    where: NDArray[np.float64],
    labels: NDArray[np.int64],
    shown: list[int],
    names: Sequence[str],
) -> None:
    for index, name in enumerate(names):
        mine = labels == shown[index]
        axes.scatter(
            where[mine, 0], where[mine, 1], s=2, color=COLOURS[index], linewidths=0,
            label=f"{index} {for_figure(name)}", rasterized=True,
        )  # fmt: skip
    _name_islands(axes, where, labels, shown)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_aspect("equal", "datalim")


def embed(
    signs: NDArray[np.int8], seed: int, progress: Callable[[float, str], None]
) -> NDArray[np.float64]:
    """`(n, 2)` t-SNE of `(n, bits)` codes of -1 and +1; the same bytes for the same input.

    Squared Euclidean distance between such codes is four times their Hamming
    distance. Equal codes push each other apart a little and show as a ring or a dot.
    """
    from openTSNE import TSNE

    if len(signs) < 10:
        raise InputError("a t-SNE needs at least 10 database items with exactly one label")
    total = sum(ITERATIONS)
    state = {"done": 0}

    def step(_iteration: int, _error: float, _where: object) -> None:
        state["done"] += 50
        progress(min(1.0, state["done"] / total), "t-SNE")

    result = TSNE(
        perplexity=min(30.0, (len(signs) - 1) / 3),
        metric="euclidean",
        neighbors="exact",
        negative_gradient_method="fft" if len(signs) > 1000 else "bh",  # the faster one
        early_exaggeration_iter=ITERATIONS[0],
        n_iter=ITERATIONS[1],
        n_jobs=1,
        random_state=derive(seed, "tsne") % 2**31,
        callbacks=step,
        callbacks_every_iters=50,
    ).fit(signs.astype(np.float64))
    return np.asarray(result, dtype=np.float64)


def _points(
    multi_hot: NDArray[np.generic], request: FigureRequest
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[int]]:
    """Rows, their class, and the classes shown."""
    table = np.asarray(multi_hot) > 0
    single = np.flatnonzero(table.sum(axis=1) == 1)
    classes = table[single].argmax(axis=1)
    sizes = np.bincount(classes, minlength=table.shape[1])
    shown = sorted(np.argsort(-sizes, kind="stable")[:CLASSES].tolist())
    shown = [label for label in shown if sizes[label]]
    candidates = single[np.isin(classes, shown)]
    rng = np.random.default_rng(derive(request.seed, "tsne", "points"))
    size = min(request.points, len(candidates))
    rows = np.sort(rng.choice(candidates, size, replace=False))
    return rows, table[rows].argmax(axis=1), shown


def _name_islands(
    axes: Axes, where: NDArray[np.float64], labels: NDArray[np.int64], shown: list[int]
) -> None:
    """Each class's number at the median of its points, legible without colour."""
    for index, label in enumerate(shown):
        mine = where[labels == label]
        if len(mine):
            x, y = np.median(mine, axis=0)
            axes.text(
                x, y, str(index), fontsize=7, ha="center", va="center",
                bbox={"boxstyle": "circle,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8},
            )  # fmt: skip


def _part(request: FigureRequest, place: int, parts: int) -> Callable[[float, str], None]:
    return lambda share, note: request.progress((place + share) / parts, note)


tsne = Plot(name="tsne", summary="t-SNE of database codes, coloured by class", draw=draw)
