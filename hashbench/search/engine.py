"""What an engine does: keep codes, and find those near a code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.errors import InputError, installs, unknown


class Near(NamedTuple):
    """What is near one code, nearest first; equal distances in the order of rows.

    Attributes:
        rows: `(n,)` int64 positions within the index.
        distances: `(n,)` int64 Hamming distances.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.int64]

    @classmethod
    def ordered(cls, rows: NDArray[Any], distances: NDArray[Any]) -> Self:
        """Both as int64, in order."""
        rows, distances = rows.astype(np.int64), distances.astype(np.int64)
        order = np.lexsort((rows, distances))
        return cls(rows[order], distances[order])


class Engine(Protocol):
    """An index of codes that is open."""

    def within(self, query: NDArray[np.uint8], radius: int) -> list[Near]:
        """All codes within a Hamming radius of each of `(n, width)` packed queries."""

    def nearest(self, query: NDArray[np.uint8], k: int) -> list[Near]:
        """The k nearest codes of each of `(n, width)` packed queries; of equals, any."""


class Maker(Protocol):
    """Builds and opens the indexes of one engine; a module of this folder is one."""

    def build(self, codes: Codes, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
        """Write an index into a folder; returns what `open` must be told."""

    def open(self, folder: Path, settings: dict[str, Any], bits: int, count: int) -> Engine:
        """The index in a folder, of `count` codes of `bits` bits."""


#: Engine -> its module here.
ENGINES = {"faiss": "on_faiss", "lancedb": "on_lancedb"}


def maker(name: str) -> Maker:
    """The maker of an engine's indexes.

    Raises:
        InputError: if there is no such engine, or its library is not installed.
    """
    import importlib

    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)
    try:
        module: Any = importlib.import_module(f"hashbench.search.{ENGINES[name]}")
    except ImportError as error:
        raise InputError(f"the engine {name} is not installed: {installs(name)}") from error
    made: Maker = module
    return made
