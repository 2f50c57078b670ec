"""t-SNE of database codes, coloured by class: do classes form tight islands?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.results.names import method_name
from hashbench.results.plots.request import Group, Request, groups, lengths_of
from hashbench.results.plots.style import PAGE, Plot, new_figure
from hashbench.seeds import derive

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


def draw(request: Request) -> list[Plot]:
    """Two methods side by side, the same items in both panels.

    Points are database items with exactly one label, drawn with the request's
    seed, of at most ten classes. Distances are Hamming distances.

    Raises:
        InputError: if openTSNE is missing, or the stored codes or labels are.
    """
    try:
        import openTSNE  # noqa: F401
    except ImportError as error:
        raise InputError("t-SNE figures need openTSNE: pip install 'hashbench[plots]'") from error
    return [
        _plot(request, group, bits)
        for group in groups(request)
        for bits in lengths_of(request, group)
    ]


def _plot(request: Request, group: Group, bits: int) -> Plot:
    if request.store is None:
        raise InputError("a t-SNE needs stored codes: run `hashbench run` first")
    methods = group.at(bits)
    chosen = [label for label in PAIR if label in methods] or list(methods)
    if request.methods:
        chosen = list(methods)
    chosen = chosen[:2]
    first = methods[chosen[0]][0]
    split = request.store.open_split(first)
    rows, labels, shown = _points(split["database_labels"], request)
    names = [str(split["classes"][label]) for label in shown]
    figure = new_figure(PAGE, 3.6)
    panels = figure.subplots(1, len(chosen), squeeze=False)[0]
    frames = []
    for place, (axes, label) in enumerate(zip(panels, chosen, strict=True)):
        record = methods[label][0]  # codes of the first seed
        if record.split["sha256"] != first.split["sha256"]:
            raise InputError(f"{label} and {chosen[0]} have different splits: run both again")
        _, database = request.store.open_codes(record)
        where = embed(database.signs()[rows], request.seed, _part(request, place, len(chosen)))
        for index, name in enumerate(names):
            mine = labels == shown[index]
            axes.scatter(
                where[mine, 0], where[mine, 1], s=2, color=COLOURS[index], linewidths=0,
                label=f"{index} {name}", rasterized=True,
            )  # fmt: skip
        _name_islands(axes, where, labels, shown)
        axes.set_title(f"{method_name(label)}, {group.title}, {bits} bits")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.set_aspect("equal", "datalim")
        frames.append(
            pd.DataFrame(
                {
                    "dataset": group.setting.dataset,
                    "method": label,
                    "bits": bits,
                    "seed": record.cell["seed"],
                    "id": np.asarray(split["database_ids"])[rows],
                    "class": [str(split["classes"][value]) for value in labels],
                    "x": where[:, 0],
                    "y": where[:, 1],
                }
            )
        )
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=5, markerscale=4)
    return Plot(f"tsne-{group.name}-{bits}", figure, pd.concat(frames, ignore_index=True))


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
    multi_hot: NDArray[np.generic], request: Request
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


def _part(request: Request, place: int, parts: int) -> Callable[[float, str], None]:
    return lambda share, note: request.progress((place + share) / parts, note)
