"""What is served: shelves, one for each method and code length; here those of indexes."""

from __future__ import annotations

import statistics
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.data.images import decode
from hashbench.encoder import Encoder
from hashbench.errors import InputError, shown
from hashbench.search import Index, open_index
from hashbench.search.engine import Engine, Near
from hashbench.search.index import DESCRIPTION, Entries

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


class Shelf(ABC):
    """One method at one code length: pictures to query with, and codes to look them up among.

    Attributes:
        method: name of the method.
        bits: code length.
        entries: what is looked up among.
        queries: what one may query with; `entries` itself, where they are the same pictures.
        floor: whether it is what methods are held against, which the page names last.
    """

    floor: bool = False
    method: str
    bits: int
    entries: Entries
    queries: Entries

    def __init__(self) -> None:
        self.lock = threading.Lock()

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """The codes of `entries`."""

    @property
    @abstractmethod
    def encoder(self) -> Encoder:
        """What makes codes of pictures from elsewhere.

        Raises:
            InputError: if it was not kept.
        """

    @abstractmethod
    def picture(self, name: str) -> NDArray[np.uint8]:
        """A picture of `entries` or `queries`.

        Raises:
            InputError: if there is none of that name, or it cannot be read.
        """

    @abstractmethod
    def codes(self, entries: Entries, rows: NDArray[np.integer]) -> NDArray[np.uint8]:
        """`(n, width)` packed codes of rows of `queries` or of `entries`."""

    @property
    def labelled(self) -> bool:
        """Whether relevance is known."""
        return self.entries.labels is not None and self.queries.labels is not None

    @cached_property
    def _places(self) -> dict[str, tuple[Entries, int]]:
        parts = [self.entries] if self.entries is self.queries else [self.entries, self.queries]
        return {name: (part, row) for part in parts for row, name in enumerate(part.ids)}

    def place(self, name: str) -> tuple[Entries, int]:
        """Where a picture is: among `queries` or `entries`, and its position there.

        Raises:
            InputError: if there is none of that name.
        """
        if name not in self._places:
            raise InputError(f"'{shown(name)}' is not in this index: choose a picture that is")
        return self._places[name]

    def look(self, name: str, radius: int) -> Ball:
        """The ball around a picture; without itself, where it is among those looked up.

        Raises:
            InputError: if there is no such picture, or the index cannot be searched so far.
        """
        asked, row = self.place(name)
        with self.lock:
            code = self.codes(asked, np.array([row]))
            near, seconds = self._timed(code, radius)
        own = row if asked is self.entries else -1
        labels = asked.labels
        return self._ball(near, radius, seconds, None if labels is None else labels[row], own)

    def look_at(self, image: NDArray[np.uint8], radius: int) -> Ball:
        """The ball around a picture from elsewhere.

        Raises:
            InputError: if no encoder was kept, or the index cannot be searched so far.
        """
        with self.lock:
            near, seconds = self._timed(self.encoder.encode(image).packed, radius)
        return self._ball(near, radius, seconds, None, -1)

    def failures(self, radius: int) -> list[Failure]:
        """Queries by how wrong their balls are: the worst first.

        First balls without a relevant picture, the fullest of them first; then empty
        ones; then those of low precision. Of many queries, a sample.

        Raises:
            InputError: if there are no labels, or pictures cannot be read.
        """
        labels, asked = self.entries.labels, self.queries.labels
        if labels is None or asked is None:
            raise InputError(
                "no labels are known of these pictures, so that nothing can be called a failure: "
                "build the index with --labels folders"
            )
        rows = np.unique(np.linspace(0, len(self.queries.ids) - 1, SAMPLE).astype(int))
        with self.lock:
            found = self.engine.within(self.codes(self.queries, rows), radius)
        judged = []
        for row, near in zip(rows.tolist(), found, strict=True):
            others = near.rows[near.rows != row] if self.queries is self.entries else near.rows
            relevant = int((labels[others] & asked[row]).any(axis=1).sum())
            judged.append(Failure(self.queries.ids[row], len(others), relevant))
        wrong = [item for item in judged if item.relevant < item.found or not item.found]
        return sorted(wrong, key=_badness)

    def _timed(self, code: NDArray[np.uint8], radius: int) -> tuple[Near, float]:
        (near,) = self.engine.within(code, radius)
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            self.engine.within(code, radius)
            times.append(time.perf_counter() - start)
        return near, statistics.median(times)

    def _ball(
        self,
        near: Near,
        radius: int,
        seconds: float,
        asked: NDArray[np.uint8] | None,
        own: int,
    ) -> Ball:
        labels = self.entries.labels
        hits = []
        for row, distance in zip(near.rows.tolist(), near.distances.tolist(), strict=True):
            if row == own:
                continue
            known = asked is not None and labels is not None
            relevant = bool((labels[row] & asked).any()) if known else None  # type: ignore[index]
            classes = tuple(self.entries.classes_of(row))
            hits.append(Hit(row, self.entries.ids[row], distance, classes, relevant))
        return Ball(hits, radius, seconds, len(self.entries.ids))


class IndexShelf(Shelf):
    """An index on disk, whose own pictures are the queries.

    Args:
        index: the index.
    """

    def __init__(self, index: Index) -> None:
        super().__init__()
        self.index = index
        self.entries = self.queries = index.entries
        self.method, self.bits = index.encoder.hasher.name, index.bits

    @property
    def engine(self) -> Engine:
        """The index's."""
        return self.index.engine

    @property
    def encoder(self) -> Encoder:
        """The index's."""
        return self.index.encoder

    def picture(self, name: str) -> NDArray[np.uint8]:
        """An indexed picture, from its file."""
        entries, row = self.place(name)
        return decode(Path(entries.path(row)))

    def codes(self, entries: Entries, rows: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Codes of indexed pictures, encoded again: hash tables give none back."""
        return self.encoder.encode([Path(entries.path(int(row))) for row in rows]).packed


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
    places: dict[tuple[str, int], Path] = {}
    for path in folders:
        shelf = IndexShelf(open_index(path))
        key = (shelf.method, shelf.bits)
        if key in shelves:
            raise InputError(
                f"{places[key]} and {path} are both of {key[0]} at {key[1]} bits: "
                "move one of them elsewhere"
            )
        shelves[key], places[key] = shelf, path
    return shelves
