"""Retrievals to look at: the same queries under every method, with thumbnails of bounded size."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hashbench.codes import Codes
from hashbench.data import Split
from hashbench.errors import InputError
from hashbench.results.plots.request import DEFAULT_BITS
from hashbench.results.retrieval import TOP, nearest
from hashbench.results.rows import Row
from hashbench.results.series import Series
from hashbench.seeds import derive
from hashbench.store import Record

#: Queries drawn at random, and the worst of each row that are taken while there is room.
RANDOM, WORST = 8, 4

#: Pixels of a thumbnail's longer side.
SIDE = 72

CodesOf = Callable[[Record], tuple[Codes, Codes]]


@dataclass
class Thumbnails:
    """Images as data URIs, each once; `room` bytes are left for more."""

    room: int
    uris: list[str] = field(default_factory=list)
    _places: dict[tuple[int, str, int], int] = field(default_factory=dict)

    def add(self, of: int, split: Split, wanted: Sequence[tuple[str, int]]) -> bool:
        """Take images in if there is room for all of them; returns whether there was.

        Args:
            of: what tells this split from another.
            split: with its images.
            wanted: ("query" or "database", row) of each.
        """
        absent = [(of, *one) for one in dict.fromkeys(wanted) if (of, *one) not in self._places]
        made = [_uri(getattr(split, side).image(row)) for _, side, row in absent]
        size = sum(map(len, made))
        if size > self.room:
            return False
        self.room -= size
        for key, uri in zip(absent, made, strict=True):
            self._places[key] = len(self.uris)
            self.uris.append(uri)
        return True

    def place(self, of: int, side: str, row: int) -> int:
        """Where an image that was taken in stands in `uris`."""
        return self._places[of, side, row]


def gallery(
    series: Series, codes: CodesOf, split: Split, thumbnails: Thumbnails, of: int
) -> dict[str, Any] | None:
    """Queries of a bench, and what the rows retrieve for each at one code length.

    Nobody picks them: some are drawn at random, the others are those for which the average
    precision of the whole ranking is lowest, the worst of each row first. They stop where
    the room for thumbnails ends.

    Args:
        series: of the house convention, whose values of single queries say what is worst.
        codes: gives the codes of a record.
        split: the series' own, with its images.
        thumbnails: take the images in.
        of: position of the bench.

    Returns:
        None where no row has codes, or there is no room for a single query.
    """
    bits = DEFAULT_BITS if DEFAULT_BITS in series.bits else series.bits[-1]
    rows: dict[Row, tuple[Codes, Codes]] = {}
    for row in series.rows:
        for record in series.places.get((row, bits), ()):
            try:
                rows[row] = codes(record)
                break
            except InputError:
                continue
    if not rows:
        return None
    worst = {row: _worst(series, row, bits) for row in rows if row.block != "floor"}
    queries: list[dict[str, Any]] = []
    order = {row: place for place, row in enumerate(series.rows)}
    for query, drawn in _asked(len(split.query), worst.values()):
        found = {
            row: nearest(side[0].subset(np.array([query])), side[1], TOP)
            for row, side in rows.items()
        }
        images = {int(item) for ranked, _ in found.values() for item in ranked[0]}
        wanted = [("query", query), *(("database", item) for item in sorted(images))]
        if not thumbnails.add(of, split, wanted):
            break
        queries.append(
            {
                "image": thumbnails.place(of, "query", query),
                "labels": _labels(split, split.query_labels[query]),
                "random": drawn,
                "worst_of": [order[row] for row, found in worst.items() if query in found],
                "found": {
                    str(order[row]): [
                        [
                            thumbnails.place(of, "database", int(item)),
                            int(distance),
                            bool((split.database_labels[item] & split.query_labels[query]).any()),
                            _labels(split, split.database_labels[item]),
                        ]
                        for item, distance in zip(ranked[0], distances[0], strict=True)
                    ]
                    for row, (ranked, distances) in found.items()
                },
            }
        )
    return (
        {"bits": bits, "radius": series.convention.radius, "queries": queries} if queries else None
    )


def _asked(count: int, worst: Iterable[list[int]]) -> Iterator[tuple[int, bool]]:
    """Each query once, and whether it was drawn at random; then the worst of each row in turn."""
    rng = np.random.default_rng(derive(0, "gallery"))
    drawn = sorted(int(q) for q in rng.choice(count, min(RANDOM, count), replace=False))
    yield from ((query, True) for query in drawn)
    seen = set(drawn)
    for query in chain.from_iterable(zip_longest(*worst)):
        if query is not None and query not in seen:
            seen.add(query)
            yield query, False


def _worst(series: Series, row: Row, bits: int) -> list[int]:
    """The queries of the lowest average precision of a row's first seed, the worst first."""
    values = series.of("map").per_query(row, bits)
    if values is None:
        return []
    order = np.argsort(values[0], kind="stable")  # NaN, a query that is left out, comes last
    return [int(query) for query in order[:WORST]]


def _labels(split: Split, row: NDArray[np.uint8]) -> str:
    return ", ".join(str(split.classes[place]) for place in np.flatnonzero(row))


def _uri(image: NDArray[np.uint8]) -> str:
    """An image as the shorter of PNG, which keeps it, and WebP."""
    picture = Image.fromarray(image)
    if max(picture.size) > SIDE:
        picture.thumbnail((SIDE, SIDE))
    found = {}
    for kind, options in (("png", {"optimize": True}), ("webp", {"quality": 75})):
        stream = io.BytesIO()
        picture.save(stream, kind, **options)
        found[kind] = stream.getvalue()
    kind, data = min(found.items(), key=lambda item: len(item[1]))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
