"""Data sets by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hashbench.data.dataset import Dataset, Status
from hashbench.data.folders import default_data_root
from hashbench.data.labelled import LabelledImages
from hashbench.data.lists import PREFIX, ImageLists, has_lists, imported, imported_names
from hashbench.data.protocols import Protocol
from hashbench.data.split import Split
from hashbench.data.unsplit import PREFIX as UNSPLIT
from hashbench.data.unsplit import Unsplit
from hashbench.errors import InputError, shown, unknown
from hashbench.parsing import parse_names
from hashbench.registries import datasets
from hashbench.spelling import composed, typed

__all__ = [
    "Dataset",
    "LabelledImages",
    "Protocol",
    "Split",
    "Status",
    "dataset_label",
    "dataset_names",
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
    root = typed(data_root or default_data_root())
    if name.startswith(PREFIX):
        return ImageLists(root, typed(name.removeprefix(PREFIX)), **options)
    if name.startswith(UNSPLIT):
        return Unsplit(root, typed(name.removeprefix(UNSPLIT)), **options)
    registry = datasets()
    known = {*registry.names(), *(broken.name for broken in registry.broken)}
    if name not in known:
        lists = imported(name, root, **options)
        if lists is None:
            known = {*registry.names(), *imported_names(root)}
            if own := _at_a_path(name):
                raise InputError(f"unknown data set '{shown(name)}': {own}")
            own = f"images of your own are {UNSPLIT}FOLDER, lists {PREFIX}FOLDER"
            raise unknown("data set", name, known, own=own)
        return lists
    dataset: Dataset = registry.get(name)(root, **options)
    return dataset


def _at_a_path(name: str) -> str:
    """How what lies at a path is named, if the name is one."""
    place = typed(name)
    if place.is_dir() and has_lists(place):
        return f"the lists there are {PREFIX}{shown(name)}"
    if place.is_dir() or (place.suffix in (".csv", ".txt") and place.is_file()):
        return f"the images there are {UNSPLIT}{shown(name)}, with --protocol 500-2000-rest"
    return ""


def dataset_label(name: str) -> str:
    """What results call a data set: `lists:DIR` is what its lists say, wherever DIR lies."""
    kind, colon, place = name.partition(":")
    return f"{kind}{colon}{composed(typed(place).resolve().name)}" if colon else composed(name)


def dataset_place(name: str) -> str:
    """The name of a data set with an absolute path, where it has a path."""
    kind, colon, place = name.partition(":")
    return f"{kind}{colon}{typed(place).resolve()}" if colon else name


def dataset_names(text: str | Sequence[str], base: Path = Path()) -> tuple[str, ...]:
    """The names in `cifar10,lists:DIR`; a DIR or PATH that is there is one, commas and all.

    Args:
        text: as typed; of a sequence each one is a name.
        base: what folders are relative to.
    """

    def there(name: str) -> bool:
        prefix = next((known for known in (PREFIX, UNSPLIT) if name.startswith(known)), None)
        try:
            return prefix is not None and (base / typed(name.removeprefix(prefix))).exists()
        except InputError:  # several names, which together are longer than one can be
            return False

    return parse_names(text, there)
