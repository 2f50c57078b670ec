"""Retrieval strips: a query, the ten images nearest to it, and whether they are relevant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.data import Split, open_dataset
from hashbench.errors import InputError
from hashbench.items import ids_of
from hashbench.results.names import method_name
from hashbench.results.plots.request import Group, Request, groups, lengths_of
from hashbench.results.plots.style import GREEN, PAGE, VERMILION, Plot, new_figure
from hashbench.results.record import Record
from hashbench.seeds import derive

TOP = 10
PAIR = ("dch", "hashnet")


@dataclass(frozen=True)
class _Strip:
    """The ten nearest of every query under one method.

    `rows` and `distances` are `(queries, 10)`, `hits` likewise, bool.
    """

    label: str
    rows: NDArray[np.int64]
    distances: NDArray[np.int64]
    hits: NDArray[np.bool_]

    @property
    def precision(self) -> NDArray[np.float64]:
        """`(queries,)` P@10."""
        return self.hits.mean(axis=1)


def draw(request: Request) -> list[Plot]:
    """Two methods one above the other for each query.

    Ranked by Hamming distance, equal distances in the order of the database.
    Queries are drawn at random with the request's seed, or with `worst` those
    of the lowest P@10 of the first method, equal ones in the order of the query
    set: nobody picks them.

    Raises:
        InputError: if codes, labels or images are missing.
    """
    return [
        _plot(request, group, bits)
        for group in groups(request)
        for bits in lengths_of(request, group)
    ]


def nearest(query: Codes, database: Codes, top: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`(queries, top)` database rows and Hamming distances, nearest first, ties as stored."""
    rows, distances = [], []
    for code in query.packed:
        distance = np.bitwise_count(database.packed ^ code).sum(axis=1, dtype=np.int64)
        order = np.argsort(distance, kind="stable")[:top]
        rows.append(order)
        distances.append(distance[order])
    return np.array(rows), np.array(distances)


def _plot(request: Request, group: Group, bits: int) -> Plot:
    if request.store is None:
        raise InputError("retrieval strips need stored codes: run `hashbench run` first")
    methods = group.at(bits)
    chosen = list(methods)
    if not request.methods:
        chosen = [label for label in PAIR if label in methods] or chosen
    records = {label: methods[label][0] for label in chosen[:2]}
    first = next(iter(records.values()))
    split = _images(request, group, first)
    labels = request.store.open_split(first)
    strips = [_strip(request, label, record, labels) for label, record in records.items()]
    queries = _choose(request, strips[0])
    rule = (
        f"queries of the lowest P@{TOP} of {method_name(strips[0].label)}"
        if request.worst
        else f"queries drawn at random, seed {request.seed}"
    )
    height = 0.62
    figure = new_figure(PAGE, height * len(queries) * len(strips) + 0.4)
    panels = figure.subplots(len(queries) * len(strips), TOP + 2, squeeze=False)
    rows = []
    for line, (query, strip) in enumerate((q, s) for q in queries for s in strips):
        _show(panels[line, 0], split.query.image(query), None)
        panels[line, 0].set_ylabel(method_name(strip.label), fontsize=7, rotation=0, ha="right",
                                   va="center")  # fmt: skip
        for place, row in enumerate(strip.rows[query]):
            hit = bool(strip.hits[query, place])
            _show(panels[line, place + 1], split.database.image(int(row)), hit)
            rows.append(
                {
                    "dataset": group.setting.dataset,
                    "method": strip.label,
                    "bits": bits,
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
        f"{group.title}, {bits} bits: {rule}; solid green frames relevant, dashed red not",
        fontsize=7,
    )
    worst = "-worst" if request.worst else ""
    return Plot(f"topk{worst}-{group.name}-{bits}", figure, pd.DataFrame(rows))


def _images(request: Request, group: Group, record: Record) -> Split:
    """The record's split, with its images."""
    setting = group.setting
    dataset = open_dataset(setting.dataset, request.data_root, **record.cell.get("options", {}))
    split = dataset.split(setting.protocol, setting.split_seed)
    if split.ids_sha256 != record.split["sha256"]:
        raise InputError(
            f"the images in {dataset.folder} give another split of {setting.dataset} than these "
            "results: name the data they came from with --data-root"
        )
    try:
        split.query.image(0)
    except RuntimeError as error:
        raise InputError(
            f"{setting.dataset} has no images to show: choose another with --datasets"
        ) from error
    return split


def _strip(
    request: Request, label: str, record: Record, labels: dict[str, NDArray[np.generic]]
) -> _Strip:
    assert request.store is not None
    query, database = request.store.open_codes(record)
    rows, distances = nearest(query, database, TOP)
    wanted = np.asarray(labels["query_labels"]).astype(bool)
    found = np.asarray(labels["database_labels"]).astype(bool)[rows]
    return _Strip(label, rows, distances, (found & wanted[:, None, :]).any(axis=2))


def _choose(request: Request, strip: _Strip) -> list[int]:
    count = min(request.queries, len(strip.rows))
    if request.worst:
        return [int(q) for q in np.argsort(strip.precision, kind="stable")[:count]]
    rng = np.random.default_rng(derive(request.seed, "topk"))
    return sorted(int(q) for q in rng.choice(len(strip.rows), count, replace=False))


def _show(axes: Axes, image: NDArray[np.uint8], hit: bool | None) -> None:
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
