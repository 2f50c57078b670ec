"""LanceDB: a table of binary vectors in a folder, or on object storage by its address.

For codes that outgrow a memory or a machine: the table is read from where it
lies, a part at a time. Distances are exact: every partition of the index is
looked into.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import IvfFlat
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.errors import InputError, shown
from hashbench.search.engine import Near

TABLE, FOLDER = "codes", "lance"

#: Fewer codes are scanned faster than partitioned, and a partition holds about this many.
PARTITION = 4096

#: Rows handed over at once.
CHUNK = 1 << 20


def build(codes: Codes, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Write the table of codes.

    Args:
        codes: what to index.
        folder: where to, unless
        settings: name an "address", such as s3://bucket/path, or another folder.

    Raises:
        InputError: if it cannot be written, or a table is there already.
    """
    address = str(settings.get("address") or "")
    width = codes.packed.shape[1]
    schema = pa.schema([("row", pa.int64()), ("code", pa.list_(pa.uint8(), width))])

    def batches() -> Any:
        for start in range(0, len(codes), CHUNK):
            part = np.ascontiguousarray(codes.packed[start : start + CHUNK])
            rows = pa.array(np.arange(start, start + len(part)))
            values = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), width)
            yield pa.RecordBatch.from_arrays([rows, values], schema=schema)

    partitions = len(codes) // PARTITION
    try:
        table = _connect(address, folder).create_table(TABLE, batches(), schema=schema)
        if partitions > 1:
            config = IvfFlat(distance_type="hamming", num_partitions=partitions)
            table.create_index("code", config=config)
    except (ValueError, OSError, RuntimeError) as error:
        raise InputError(
            f"LanceDB cannot write to {shown(address or str(folder), 200)} ({shown(error)}): "
            "name another place"
        ) from error
    return {"address": address, "partitions": partitions}


def open(folder: Path, settings: dict[str, Any], bits: int, count: int) -> LanceIndex:
    """The table that `build` wrote.

    Raises:
        InputError: if it is not there, or is of other codes.
    """
    address = str(settings["address"])
    where = shown(address or str(folder / FOLDER), 200)
    try:
        table = _connect(address, folder).open_table(TABLE)
        kind, rows = table.schema.field("code").type, table.count_rows()
    except (ValueError, OSError, RuntimeError, KeyError) as error:
        raise InputError(
            f"LanceDB cannot open {where} ({shown(error)}): build the index again"
        ) from error
    if rows != count or kind != pa.list_(pa.uint8(), (bits + 7) // 8):
        raise InputError(f"{where} is a table of other codes: build the index again")
    return LanceIndex(table, int(settings["partitions"]), count)


class LanceIndex:
    """An open table.

    Args:
        table: LanceDB's.
        partitions: how many the index has, all of which are looked into.
        count: how many codes there are.
    """

    def __init__(self, table: Any, partitions: int, count: int) -> None:
        self.table = table
        self.partitions = partitions
        self.count = count

    def within(self, query: NDArray[np.uint8], radius: int) -> list[Near]:
        """All codes within a Hamming radius of each query."""
        return [
            self._found(self._search(code).distance_range(0, radius + 1).limit(self.count))
            for code in query
        ]

    def nearest(self, query: NDArray[np.uint8], k: int) -> list[Near]:
        """The k nearest codes of each query."""
        return [self._found(self._search(code).limit(min(k, self.count))) for code in query]

    def _search(self, code: NDArray[np.uint8]) -> Any:
        search = self.table.search(code, vector_column_name="code").distance_type("hamming")
        search = search.select(["row", "_distance"])
        return search.nprobes(self.partitions) if self.partitions > 1 else search

    @staticmethod
    def _found(search: Any) -> Near:
        found = search.to_arrow()
        return Near.ordered(found["row"].to_numpy(), found["_distance"].to_numpy())


def _connect(address: str, folder: Path) -> Any:
    return lancedb.connect(address or str(folder / FOLDER))
