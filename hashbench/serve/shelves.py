"""What is served: the indexes of a folder, one for each method and code length."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.data.images import decode
from hashbench.errors import InputError, shown
from hashbench.search import Index, open_index
from hashbench.search.index import DESCRIPTION

#: Items looked at for failures, evenly over the index.
SAMPLE = 200

#: Lookups timed after one that is not.
REPEATS = 3


@dataclass(frozen=True)
class Hit:
    """One picture in a ball.

    Attributes:
        row: its position in the index.
        name: its id.
        distance: Hamming distance from the query.
        classes: its labels.
        relevant: whether it shares a label with the query; None where that is not known.
    """

    row: int
    name: str
    distance: int
    classes: tuple[str, ...]
    relevant: bool | None


@dataclass(frozen=True)
class Ball:
    """What a lookup found.

    Attributes:
        hits: nearest first.
        radius: of the ball.
        seconds: median time of the lookup.
        count: codes in the index.
    """

    hits: list[Hit]
    radius: int
    seconds: float
    count: int

    @property
    def steps(self) -> list[tuple[int, list[Hit]]]:
        """The hits by distance, every distance up to the radius."""
        return [
            (distance, [hit for hit in self.hits if hit.distance == distance])
            for distance in range(self.radius + 1)
        ]

    @property
    def relevant(self) -> int | None:
        """How many are relevant; None where that is not known."""
        known = [hit.relevant for hit in self.hits if hit.relevant is not None]
        return sum(known) if known else None


@dataclass(frozen=True)
class Failure:
    """A query of the index that went wrong.

    Attributes:
        name: its id.
        found: size of its ball.
        relevant: relevant pictures in it.
    """

    name: str
    found: int
    relevant: int


@dataclass(eq=False)
class Shelf:
    """One index.

    Attributes:
        index: the index.
        method: name of its hasher.
    """

    index: Index
    method: str
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def bits(self) -> int:
        """Code length."""
        return self.index.bits

    @property
    def labelled(self) -> bool:
        """Whether relevance is known."""
        return self.index.entries.labels is not None

    @cached_property
    def rows(self) -> dict[str, int]:
        """Positions by id."""
        return {name: row for row, name in enumerate(self.index.entries.ids)}

    def picture(self, name: str) -> NDArray[np.uint8]:
        """An indexed picture.

        Raises:
            InputError: if it is not in the index, or cannot be read.
        """
        if name not in self.rows:
            raise InputError(f"'{shown(name)}' is not in this index: choose a picture that is")
        return decode(Path(self.index.entries.path(self.rows[name])))

    def look(self, image: NDArray[np.uint8], radius: int, name: str = "") -> Ball:
        """The ball around a picture; without the picture itself, if it is an indexed one.

        Raises:
            InputError: if the index cannot be searched so far.
        """
        with self.lock:
            code = self.index.encoder.encode(image).packed
            (near,) = self.index.engine.within(code, radius)
            times = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                self.index.engine.within(code, radius)
                times.append(time.perf_counter() - start)
        own = self.rows.get(name, -1)
        hits = [
            self._hit(int(row), int(distance), own)
            for row, distance in zip(near.rows, near.distances, strict=True)
            if row != own
        ]
        return Ball(hits, radius, statistics.median(times), len(self.index))

    def failures(self, radius: int) -> list[Failure]:
        """Queries of the index by how wrong their balls are: the worst first.

        First balls without a relevant picture, the fullest of them first; then empty
        ones; then those of low precision. Of large indexes, a sample.

        Raises:
            InputError: if there are no labels, or pictures cannot be read.
        """
        labels = self.index.entries.labels
        if labels is None:
            raise InputError(
                "no labels are known of these pictures, so that nothing can be called a failure: "
                "build the index with --labels folders"
            )
        rows = np.unique(np.linspace(0, len(self.index) - 1, SAMPLE).astype(int))
        paths = [Path(self.index.entries.path(row)) for row in rows]
        with self.lock:
            codes = self.index.encoder.encode(paths)
            found = self.index.engine.within(codes.packed, radius)
        judged = []
        for row, near in zip(rows, found, strict=True):
            others = near.rows[near.rows != row]
            relevant = int((labels[others] & labels[row]).any(axis=1).sum())
            judged.append(Failure(self.index.entries.ids[row], len(others), relevant))
        wrong = [item for item in judged if item.relevant < item.found or not item.found]
        return sorted(wrong, key=_badness)

    def _hit(self, row: int, distance: int, own: int) -> Hit:
        entries = self.index.entries
        relevant = None
        if entries.labels is not None and own >= 0:
            relevant = bool((entries.labels[row] & entries.labels[own]).any())
        return Hit(row, entries.ids[row], distance, tuple(entries.classes_of(row)), relevant)


def _badness(item: Failure) -> tuple[Any, ...]:
    if item.found and not item.relevant:
        return (0, -item.found, item.name)
    if not item.found:
        return (1, 0, item.name)
    return (2, item.relevant / item.found, item.name)


def open_shelves(folder: Path) -> dict[tuple[str, int], Shelf]:
    """Every index in a folder, or the one that the folder is, by method and bits.

    Raises:
        InputError: if there is none, one is damaged, or two are of one method and length.
    """
    try:
        inner = sorted(path for path in folder.iterdir() if (path / DESCRIPTION).is_file())
    except OSError as error:
        raise InputError(
            f"{folder} cannot be listed ({shown(error)}): name a folder of indexes"
        ) from error
    folders = [folder] if (folder / DESCRIPTION).is_file() else inner
    if not folders:
        raise InputError(
            f"there is no index in {folder}: build some with `hashbench index HASHER --images DIR "
            f"--out {folder}/NAME`"
        )
    shelves: dict[tuple[str, int], Shelf] = {}
    for path in folders:
        index = open_index(path)
        key = (index.encoder.hasher.name, index.bits)
        if key in shelves:
            raise InputError(
                f"{shelves[key].index.folder} and {path} are both of {key[0]} at {key[1]} bits: "
                "move one of them elsewhere"
            )
        shelves[key] = Shelf(index, key[0])
    return shelves
