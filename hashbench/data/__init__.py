"""Data sets by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hashbench.data.dataset import Dataset, LabelledImages, Status
from hashbench.data.folders import default_data_root
from hashbench.data.lists import PREFIX, ImageLists, imported, imported_names
from hashbench.data.protocols import Protocol
from hashbench.data.split import Split
from hashbench.data.unsplit import PREFIX as UNSPLIT
from hashbench.data.unsplit import Unsplit
from hashbench.errors import unknown
from hashbench.registries import datasets

__all__ = [
    "Dataset",
    "LabelledImages",
    "Protocol",
    "Split",
    "Status",
    "dataset_label",
    "dataset_place",
    "default_data_root",
    "imported_names",
    "open_dataset",
]


def open_dataset(name: str, data_root: Path | None = None, **options: Any) -> Dataset:
    """The data set called `name`, not yet loaded.

    Args:
        name: a registered name, the name of imported lists, `lists:DIR` or `images:PATH`.
        data_root: where data sets are kept; None for `default_data_root()`.
        options: faults to accept rather than refuse, and more, see `Dataset`.

    Raises:
        InputError: if no data set has that name; the message has the nearest.
    """
    root = (data_root or default_data_root()).expanduser()
    if name.startswith(PREFIX):
        return ImageLists(root, Path(name.removeprefix(PREFIX)).expanduser(), **options)
    if name.startswith(UNSPLIT):
        return Unsplit(root, Path(name.removeprefix(UNSPLIT)).expanduser(), **options)
    registry = datasets()
    known = {*registry.names(), *(broken.name for broken in registry.broken)}
    if name not in known:
        lists = imported(name, root, **options)
        if lists is None:
            raise unknown("data set", name, [*registry.names(), *imported_names(root)])
        return lists
    dataset: Dataset = registry.get(name)(root, **options)
    return dataset


def dataset_label(name: str) -> str:
    """What results call a data set: `lists:DIR` is what its lists say, wherever DIR lies."""
    kind, colon, place = name.partition(":")
    return f"{kind}{colon}{Path(place).expanduser().resolve().name}" if colon else name


def dataset_place(name: str) -> str:
    """The name of a data set with an absolute path, where it has a path."""
    kind, colon, place = name.partition(":")
    return f"{kind}{colon}{Path(place).expanduser().resolve()}" if colon else name
