"""FAISS's binary indexes in a file: flat, hash and multi-hash."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.errors import InputError, shown, unknown
from hashbench.evaluation.backends import threads
from hashbench.evaluation.structures import (
    BATCH,
    Structure,
    faiss_threads,
    flat,
    hashed,
    multihashed,
)
from hashbench.search.engine import Near

FILE = "codes.faiss"
STRUCTURES = ("flat", "hash", "multihash")


def build(codes: Codes, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Write the index of codes as `codes.faiss`.

    Args:
        codes: what to index.
        folder: where to.
        settings: "structure", one of `STRUCTURES`, and "radius", which hash tables are made for.

    Raises:
        InputError: for a structure there is not.
        OSError: if it cannot be written.
    """
    structure, radius = (
        settings.get("structure", "flat"),
        int(settings.get("radius", min(2, codes.bits))),
    )
    index = _structure(structure, codes.bits, len(codes), radius).make()
    index.add(np.ascontiguousarray(codes.packed))
    data = faiss.serialize_index_binary(index)
    (folder / FILE).write_bytes(data.tobytes())
    return {"structure": structure, "radius": radius}


def open(folder: Path, settings: dict[str, Any], bits: int, count: int) -> FaissIndex:
    """The index that `build` wrote.

    Raises:
        InputError: if FAISS cannot read it, or it is of other codes.
    """
    structure, radius = str(settings["structure"]), int(settings["radius"])
    wanted = _structure(structure, bits, count, radius).make()
    data = np.fromfile(folder / FILE, np.uint8)
    try:
        index = faiss.deserialize_index_binary(data)
    except RuntimeError as error:
        raise InputError(
            f"FAISS cannot read {shown(str(folder / FILE), 200)}: build the index again"
        ) from error
    if type(index) is not type(wanted) or (index.d, index.ntotal) != (wanted.d, count):
        raise InputError(
            f"{shown(str(folder / FILE), 200)} is an index of other codes: build it again"
        )
    return FaissIndex(index, structure, radius)


def in_memory(codes: Codes) -> FaissIndex:
    """An index of codes that compares with every one of them, in no file."""
    index = flat(8 * codes.packed.shape[1]).make()
    index.add(np.ascontiguousarray(codes.packed))
    return FaissIndex(index, "flat", codes.bits)


class FaissIndex:
    """An open index.

    Args:
        index: FAISS's.
        structure: which of `STRUCTURES`.
        radius: what hash tables were made for.
    """

    def __init__(self, index: Any, structure: str, radius: int) -> None:
        self.index = index
        self.structure = structure
        self.radius = radius

    def within(self, query: NDArray[np.uint8], radius: int) -> list[Near]:
        """All codes within a Hamming radius of each query.

        Raises:
            InputError: if the hash tables were made for a smaller radius.
        """
        if self.structure != "flat" and radius > self.radius:
            raise InputError(
                f"this {self.structure} index finds all within radius {self.radius} and not "
                f"{radius}: build it with --radius {radius} or --structure flat"
            )
        found = []
        # To wake threads takes longer than to look one query up.
        with faiss_threads(1 if len(query) == 1 else threads()):
            for start in range(0, len(query), BATCH):
                batch = np.ascontiguousarray(query[start : start + BATCH])
                # FAISS leaves the radius itself out.
                limits, distances, rows = self.index.range_search(batch, radius + 1)
                found += [
                    Near.ordered(rows[left:right], distances[left:right])
                    for left, right in pairwise(limits)
                ]
        return found

    def nearest(self, query: NDArray[np.uint8], k: int) -> list[Near]:
        """The k nearest codes of each query.

        Raises:
            InputError: if the index is of hash tables, which see one ball only.
        """
        if self.structure != "flat":
            raise InputError(
                f"a {self.structure} index sees the ball it was made for and nothing beyond: "
                "search it with --radius, or build one with --structure flat"
            )
        distances, rows = self.index.search(
            np.ascontiguousarray(query), min(k, max(1, self.index.ntotal))
        )
        return [
            Near.ordered(row[row >= 0], distance[row >= 0])
            for row, distance in zip(rows, distances, strict=True)
        ]


def _structure(name: str, bits: int, count: int, radius: int) -> Structure:
    width = 8 * ((bits + 7) // 8)
    if name not in STRUCTURES:
        raise unknown("structure", name, STRUCTURES)
    if not 0 <= radius <= bits:
        raise InputError(f"the radius {radius} is none of a {bits}-bit code: 0 to {bits} are")
    if name == "hash":
        return hashed(width, bits, count, radius)
    return multihashed(width, bits, radius) if name == "multihash" else flat(width)
