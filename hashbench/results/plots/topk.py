"""Retrieval strips: a query, the ten images nearest to it, and whether they are relevant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hashbench.data import Split, open_dataset
from hashbench.errors import InputError
from hashbench.items import ids_of
from hashbench.results.plots import Drawing, Plot
from hashbench.results.plots.request import FigureRequest, facts, title
from hashbench.results.plots.style import GREEN, PAGE, VERMILION, line_styles, new_figure
from hashbench.results.plots.tsne import pair, seed_of
from hashbench.results.retrieval import TOP, nearest
from hashbench.results.rows import Row
from hashbench.results.series import Series
from hashbench.results.sinks import for_figure
from hashbench.seeds import derive
from hashbench.store import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class _Strip:
    """The ten nearest of every query under one method.

    `rows` and `distances` are `(queries, 10)`, `hits` likewise, bool.
    """

    row: Row
    record: Record
    rows: NDArray[np.int64]
    distances: NDArray[np.int64]
    hits: NDArray[np.bool_]

    @property
    def precision(self) -> NDArray[np.float64]:
        """`(queries,)` P@10."""
        return self.hits.mean(axis=1)


def draw(request: FigureRequest) -> list[Drawing]:
    """Two methods one above the other for each query.

    Ranked by Hamming distance, equal distances in the order of the database.
    Queries are drawn at random with the request's seed, or with `worst` those
    of the lowest P@10 of the first method, equal ones in the order of the query
    set: nobody picks them.

    Raises:
        InputError: if codes, labels or images are missing.
    """
    return [
        _drawing(request, series, bits)
        for series in request.series
        for bits in request.lengths(series)
    ]


def _drawing(request: FigureRequest, series: Series, bits: int) -> Drawing:
    if request.store is None:
        raise InputError("retrieval strips need stored codes: run `hashbench run` first")
    chosen = pair(request, series, bits)
    first = series.places[chosen[0], bits][0]
    split = _images(request, first)
    labels = request.store.open_split(first)
    strips = [_strip(request, row, series.places[row, bits][0], labels) for row in chosen]
    queries = _choose(request, strips[0])
    names = line_styles(series)
    rule = (
        f"queries of the lowest P@{TOP} of {series.labels[chosen[0]]}"
        if request.worst
        else f"queries drawn at random, seed {request.seed}"
    )
    figure = new_figure(PAGE, 0.62 * len(queries) * len(strips) + 0.4)
    panels = figure.subplots(len(queries) * len(strips), TOP + 2, squeeze=False)
    lines = []
    for line, (query, strip) in enumerate((q, s) for q in queries for s in strips):
        _show(panels[line, 0], split.query.image(query), None)
        panels[line, 0].set_ylabel(names[strip.row]["label"], fontsize=7, rotation=0, ha="right",
                                   va="center")  # fmt: skip
        for place, row in enumerate(strip.rows[query]):
            hit = bool(strip.hits[query, place])
            _show(panels[line, place + 1], split.database.image(int(row)), hit)
            lines.append(
                {
                    **facts(series, strip.row, bits),
                    "seed": strip.record.cell.seed,
                    "rule": rule,
                    "query": ids_of(split.query)[query],
                    "rank": place + 1,
                    "id": ids_of(split.database)[int(row)],
                    "distance": int(strip.distances[query, place]),
                    "relevant": hit,
                    f"p@{TOP}": float(strip.precision[query]),
                }
            )
        for axes in panels[line, len(strip.rows[query]) + 1 :]:
            axes.axis("off")
        panels[line, -1].text(0, 0.5, f"P@{TOP}\n{strip.precision[query]:.1f}", fontsize=7,
                              va="center", transform=panels[line, -1].transAxes)  # fmt: skip
    figure.suptitle(
        f"{title(series, bits)}, {seed_of(series, chosen[0], bits)}: {for_figure(rule)}; "
        "solid green frames relevant, dashed red not",
        fontsize=7,
    )
    kind = "topk-worst" if request.worst else "topk"
    return Drawing(request.name(kind, series, bits), figure, pd.DataFrame(lines))


def _images(request: FigureRequest, record: Record) -> Split:
    """The record's split, with its images."""
    bench = record.cell.bench
    typed = str(record.request.get("dataset") or bench.dataset)
    dataset = open_dataset(typed, request.data_root, **dict(bench.options))
    split = dataset.split(bench.protocol, bench.split_seed)
    if split.ids_sha256 != record.split.get("ids_sha256"):
        raise InputError(
            f"the images in {dataset.folder} give another split of {bench.dataset} than these "
            "results: name the data they came from with --data-root"
        )
    try:
        split.query.image(0)
    except RuntimeError as error:
        raise InputError(
            f"{bench.dataset} has no images to show: choose another with --datasets"
        ) from error
    return split


def _strip(
    request: FigureRequest, row: Row, record: Record, labels: dict[str, NDArray[np.generic]]
) -> _Strip:
    assert request.store is not None
    query, database = request.store.open_codes(record, relaxed=False)
    rows, distances = nearest(query, database, TOP)
    wanted = np.asarray(labels["query_labels"]).astype(bool)
    found = np.asarray(labels["database_labels"]).astype(bool)[rows]
    return _Strip(row, record, rows, distances, (found & wanted[:, None, :]).any(axis=2))


def _choose(request: FigureRequest, strip: _Strip) -> list[int]:
    count = min(request.queries, len(strip.rows))
    if request.worst:
        return [int(q) for q in np.argsort(strip.precision, kind="stable")[:count]]
    rng = np.random.default_rng(derive(request.seed, "topk"))
    return sorted(int(q) for q in rng.choice(len(strip.rows), count, replace=False))


def _show(axes: Axes, image: NDArray[np.uint8], hit: bool | None) -> None:
    from matplotlib.patches import Rectangle

    axes.imshow(image, aspect="auto", interpolation="antialiased")
    axes.set_box_aspect(1)
    axes.grid(False)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    if hit is not None:
        axes.add_patch(
            Rectangle(
                (0, 0), 1, 1, transform=axes.transAxes, fill=False, clip_on=False, linewidth=1.6,
                edgecolor=GREEN if hit else VERMILION, linestyle="-" if hit else (0, (2, 1)),
            )
        )  # fmt: skip


topk = Plot(name="topk", summary="the first ten images retrieved, framed by relevance", draw=draw)
