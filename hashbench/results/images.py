"""The images behind a record: its split drawn again, and held against what was found then."""

from __future__ import annotations

from pathlib import Path

from hashbench.data import Dataset, Split, default_data_root, open_dataset
from hashbench.errors import InputError
from hashbench.items import source_of
from hashbench.results.explain import cell_name
from hashbench.store import Record


def images_of(record: Record, data_root: Path | None) -> Split:
    """The split of a record, with its images.

    Raises:
        InputError: if they cannot be had, or are others than the record found.
    """
    bench = record.cell.bench
    split = dataset_of(record, data_root).split(bench.protocol, bench.split_seed)
    found = (split.digest, source_of(split.query).fingerprint)
    content = record.evidence.images or found[1]  # who made codes elsewhere may not say it
    if found != (record.evidence.split, content):
        raise InputError(
            f"the images of {bench.dataset} here are not those that {cell_name(record)} was scored "
            "on: name the data it came from with --data-root"
        )
    return split


def dataset_of(record: Record, data_root: Path | None) -> Dataset:
    """The data set of a record, not yet loaded.

    Raises:
        InputError: if no data set has its name here.
    """
    bench = record.cell.bench
    typed = str(record.request.get("dataset") or bench.dataset)
    return open_dataset(typed, data_root or default_data_root(), **dict(bench.options))
