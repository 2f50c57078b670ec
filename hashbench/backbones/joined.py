"""Tables of features of joined sources, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class JoinedTable:
    """Several `(n, dim)` tables as one, without a copy of them.

    Args:
        tables: of the parts, in order; memory-mapped or not.
    """

    def __init__(self, tables: Sequence[NDArray[np.float32]]) -> None:
        self.tables = tuple(tables)
        self.starts = np.cumsum([0, *map(len, self.tables)])
        self.shape = (int(self.starts[-1]), self.tables[0].shape[1])
        self.dtype = self.tables[0].dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: NDArray[np.integer] | slice) -> NDArray[np.float32]:
        """The rows at these positions (or a slice of them), a copy."""
        index = np.arange(len(self))[rows]
        found = np.empty((*index.shape, self.shape[1]), self.dtype)
        part = np.searchsorted(self.starts, index, side="right") - 1
        for number, table in enumerate(self.tables):
            mine = part == number
            found[mine] = table[index[mine] - self.starts[number]]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows."""
        return np.asarray(np.concatenate(self.tables), dtype=dtype)
