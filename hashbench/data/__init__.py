"""Data sets by name."""

from __future__ import annotations

import os
from pathlib import Path

from hashbench.data.dataset import Dataset, LabelledImages, Status
from hashbench.data.protocols import Protocol
from hashbench.data.split import Split
from hashbench.registry import datasets

__all__ = [
    "Dataset",
    "LabelledImages",
    "Protocol",
    "Split",
    "Status",
    "default_data_root",
    "open_dataset",
]


def default_data_root() -> Path:
    """The folder named by HASHBENCH_DATA, or `data` in the working folder."""
    return Path(os.environ.get("HASHBENCH_DATA") or "data").expanduser()


def open_dataset(name: str, data_root: Path | None = None, **allow: bool) -> Dataset:
    """The data set called `name`, not yet loaded.

    Args:
        name: a registered name.
        data_root: where data sets are kept; None for `default_data_root()`.
        allow: faults to accept rather than refuse, see `Dataset`.

    Raises:
        InputError: if no data set has that name; the message has the nearest.
    """
    root = (data_root or default_data_root()).expanduser()
    dataset: Dataset = datasets().get(name)(root, **allow)
    return dataset
