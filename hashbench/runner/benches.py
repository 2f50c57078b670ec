"""The data of cells: splits, what is found of them, and their features."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.backbones import feature_table, get_backbone
from hashbench.cell import FROM_PIXELS, Bench
from hashbench.data import Split, open_dataset
from hashbench.evidence import Evidence
from hashbench.items import source_of
from hashbench.kept import printed_aside
from hashbench.runner.settings import Ask, Progress

Options = tuple[tuple[str, Any], ...]


@lru_cache(maxsize=4)
def _split(opens: str, protocol: str, seed: int, data_root: Path, options: Options) -> Split:
    with printed_aside():
        return open_dataset(opens, data_root, **dict(options)).split(protocol, seed)


def load_split(ask: Ask, data_root: Path) -> Split:
    """The split of a cell, drawn once a process, without features.

    Raises:
        InputError: if the data cannot be had, or not as the protocol wants it.
    """
    return draw_split(ask.opens, ask.cell.bench, data_root)


def draw_split(opens: str, bench: Bench, data_root: Path) -> Split:
    """The split of a bench, drawn once a process, without features.

    Args:
        opens: what opens its data set.
        bench: the bench.
        data_root: folder of the data sets.

    Raises:
        InputError: if the data cannot be had, or not as the protocol wants it.
    """
    options = tuple(sorted(bench.options.items()))
    return _split(opens, bench.protocol, bench.split_seed, data_root, options)


def forget_splits() -> None:
    """Drop the splits this process has drawn: what is found of them is found anew."""
    _split.cache_clear()


def bound_split(ask: Ask, data_root: Path, progress: Progress | None = None) -> Split:
    """The split of a cell with the features of its backbone.

    They are extracted here, unless the cell trains from pixels.
    """
    split = load_split(ask, data_root)
    backbone = ask.cell.bench.backbone

    def table() -> NDArray[np.float32]:
        return feature_table(source_of(split.train), backbone, progress=progress)

    if ask.cell.mode not in FROM_PIXELS:
        table()
    return split.with_features(table, backbone)


def evidence_of(split: Split, bench: Bench) -> Evidence:
    """What the data and the backbone of a bench are."""
    found = {"split": split.digest, "images": source_of(split.train).fingerprint}
    if bench.backbone != "pixels":
        network = get_backbone(bench.backbone.partition(":")[0])
        found["weights"] = network.weights()
        found["preprocessing"] = network.preprocessing.sha256
    return Evidence(**found)
