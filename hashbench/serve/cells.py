"""Cells of a folder of results as shelves: stored codes and labels, images from the data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.data import Split
from hashbench.encoder import Encoder
from hashbench.errors import InputError
from hashbench.items import Items, ids_of
from hashbench.results.choose import ground_key
from hashbench.results.hashers import encoder_of
from hashbench.results.images import images_of
from hashbench.search.engine import Engine
from hashbench.search.index import Entries
from hashbench.search.on_faiss import in_memory
from hashbench.serve.shelves import Shelf
from hashbench.store import Record, Store


class CellShelf(Shelf):
    """A cell: the data set's queries, looked up among its database.

    Args:
        store: the folder of results.
        record: a record with codes.
        method: what the page calls it.
        split: the record's split, with its images.
    """

    def __init__(self, store: Store, record: Record, method: str, split: Split) -> None:
        super().__init__()
        self.store, self.record, self.split = store, record, split
        self.method, self.bits = method, record.cell.bits
        self.floor = record.parts.get("method", {}).get("role") == "floor"
        classes = split.classes
        self.queries = Entries(ids_of(split.query), split.query_labels, classes)
        self.entries = Entries(ids_of(split.database), split.database_labels, classes)

    @cached_property
    def engine(self) -> Engine:
        """The stored codes of the database."""
        return in_memory(self._sides[1])

    @cached_property
    def encoder(self) -> Encoder:
        """The cell's own hasher."""
        return encoder_of(self.store, self.record)

    def picture(self, name: str) -> NDArray[np.uint8]:
        """An image of the data set."""
        entries, row = self.place(name)
        items: Items = self.split.query if entries is self.queries else self.split.database
        return items.image(row)

    def codes(self, entries: Entries, rows: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Stored codes."""
        return self._sides[0 if entries is self.queries else 1].packed[rows]

    @cached_property
    def _sides(self) -> tuple[Codes, Codes]:
        return self.store.open_codes(self.record, relaxed=False)


def cell_shelves(
    folder: Path, records: Sequence[Record], data_root: Path | None = None
) -> dict[tuple[str, int], Shelf]:
    """The cells of a folder of results, by what the page calls them and by bits.

    Args:
        folder: of results.
        records: those of them to show.
        data_root: where data sets are kept.

    Raises:
        InputError: if there are no codes, the cells are of several benches, or the images
            are not those that the results are of.
    """
    store = Store(folder)
    chosen = [record for record in {record.key: record for record in records}.values() if record.ok]
    if not chosen:
        raise InputError(f"there are no codes in {folder} to show: run `hashbench run` first")
    grounds = {ground_key(record): record for record in chosen}
    if len(grounds) > 1:
        benches = sorted({str(record.cell.bench) for record in grounds.values()})
        raise InputError(
            f"{folder} holds results on {len(grounds)} benches ({'; '.join(benches[:5])}), whose "
            "balls are of different pictures: choose with --datasets, or with --cells"
        )
    split = images_of(chosen[0], data_root)
    name = _naming(chosen)
    return {
        (name(record), record.cell.bits): CellShelf(store, record, name(record), split)
        for record in chosen
    }


def _naming(records: Sequence[Record]) -> Callable[[Record], str]:
    """Names of rows of the page, as short as tells them apart at every code length."""
    ways: tuple[Callable[[Record], str], ...] = (
        lambda record: record.cell.method,
        lambda record: f"{record.cell.method} seed {record.cell.seed}",
        lambda record: f"{record.cell.method} {record.key[:8]}",
        lambda record: f"{record.cell.method} {record.key}",
    )
    of_method = {}
    for method in {record.cell.method for record in records}:
        own = [record for record in records if record.cell.method == method]
        of_method[method] = next(
            way for way in ways if len({(way(r), r.cell.bits) for r in own}) == len(own)
        )
    return lambda record: of_method[record.cell.method](record)
