"""Looking a data set over without refusing it: what `hashbench data verify` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from hashbench.data.dataset import Dataset, drawn, present, verify_pins
from hashbench.data.images import FileSource
from hashbench.errors import InputError
from hashbench.items import ImageSource, rows_of


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        dataset: its name.
        protocol: id of the protocol that was drawn.
        images: images the files list for this protocol.
        counts: query, training and database images.
        sha256: of the three id lists; empty if no split could be drawn.
        missing: ids of images whose file is not there.
        damaged: a sentence for each image that cannot be decoded, if that was asked for.
        unlabelled: number of images without a label, by part.
        overlap: images two parts share, by pair of parts.
        histogram: database images by class.
        problems: one sentence for each thing that keeps the data from being used.
    """

    dataset: str
    protocol: str
    images: int
    counts: dict[str, int] = field(default_factory=dict)
    sha256: str = ""
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unlabelled: dict[str, int] = field(default_factory=dict)
    overlap: dict[str, int] = field(default_factory=dict)
    histogram: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def inspect(
    dataset: Dataset,
    name: str,
    protocol: str | None = None,
    seed: int = 0,
    *,
    decode: bool = False,
    progress: Callable[[float], None] = lambda _share: None,
) -> Inspection:
    """Load a data set, draw a protocol and report what is wrong, all of it.

    Args:
        dataset: what to look at.
        name: what the user calls it.
        protocol: a protocol id, or None for the default.
        seed: split seed.
        decode: decode every image too.
        progress: called with the share of images decoded.

    Raises:
        InputError: if the files cannot be read at all.
    """
    chosen = dataset.protocol(protocol)
    every = dataset.load(chosen)
    source = every.source
    found = Inspection(name, chosen.id, len(source))
    if isinstance(source, FileSource):
        found.missing.extend(source.ids[row] for row in source.missing())
    if found.missing:
        found.problems.append(f"{len(found.missing):,} of {len(source):,} images are missing")
    # Lists can be judged without their images, as far as labels and overlaps go.
    images = every
    if found.missing and every.parts is None and len(found.missing) < len(source):
        images = present(every, True)
    if decode:
        found.damaged.extend(_damaged(present(every, True).source, progress))
        if found.damaged:
            found.problems.append(f"{len(found.damaged):,} images cannot be decoded")
    try:
        split = drawn(images, chosen, seed)
        if images is every:
            verify_pins(chosen, split, seed)
    except InputError as error:
        found.problems.append(str(error))
        return found
    found.counts.update(split.counts)
    parts = {
        "query": (split.query, split.query_labels),
        "train": (split.train, split.train.labels),
        "database": (split.database, split.database_labels),
    }
    for part, (_items, labels) in parts.items():
        found.unlabelled[part] = int(np.count_nonzero(~labels.any(axis=1)))
        if found.unlabelled[part]:
            found.problems.append(f"{found.unlabelled[part]:,} {part} images have no label")
    rows = {part: rows_of(items) for part, (items, _labels) in parts.items()}
    for one, other in (("query", "train"), ("query", "database"), ("train", "database")):
        shared = len(np.intersect1d(rows[one], rows[other]))
        found.overlap[f"{one}/{other}"] = shared
        if shared and one == "query":
            found.problems.append(f"{shared:,} query images are in the {other} list too")
    totals = split.database_labels.sum(axis=0, dtype=np.int64)
    found.histogram.update(zip(split.classes, totals.tolist(), strict=True))
    return Inspection(**{**vars(found), "sha256": split.ids_sha256})


def _damaged(source: ImageSource, progress: Callable[[float], None]) -> Iterator[str]:
    def complaint(row: int) -> str | None:
        try:
            source.read(row)
        except InputError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(4, "decode") as pool:
        for row, found in enumerate(pool.map(complaint, range(len(source)))):
            progress((row + 1) / len(source))
            if found:
                yield found
