"""Looking a data set over without refusing it: what `hashbench data verify` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.data.dataset import Dataset, drawn, present, verify_pins
from hashbench.data.duplicates import (
    Duplicate,
    by_bytes,
    by_pixels,
    conflicting,
    copies,
    near,
    shared,
)
from hashbench.data.images import FileSource
from hashbench.data.split import Split
from hashbench.errors import InputError
from hashbench.items import ImageSource, rows_of, source_of
from hashbench.parsing import in_number

#: From images to their `(n, dim)` features.
Features = Callable[[ImageSource], NDArray[np.float32]]


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        dataset: its name.
        protocol: id of the protocol that was drawn.
        images: images the files list for this protocol.
        counts: query, training and database images.
        sha256: of the three id lists; empty if no split could be drawn.
        digest: of the split, its labels and class names included; likewise.
        missing: ids of images whose file is not there.
        damaged: a sentence for each image that cannot be decoded, if that was asked for.
        unlabelled: number of images without a label, by part.
        overlap: images two parts share, by pair of parts.
        copies: images that share their bytes (or pixels, in memory) with another.
        links: those of them that are one file under several names.
        duplicates: number of queries that are in another part under another name, by
            how they are the same ("bytes", "pixels" or "features") and by part.
        pairs: those queries and what they are the same as.
        histogram: database images by class.
        problems: one sentence for each thing that keeps the data from being used.
    """

    dataset: str
    protocol: str
    images: int
    counts: dict[str, int] = field(default_factory=dict)
    sha256: str = ""
    digest: str = ""
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unlabelled: dict[str, int] = field(default_factory=dict)
    overlap: dict[str, int] = field(default_factory=dict)
    copies: int = 0
    links: int = 0
    duplicates: dict[str, dict[str, int]] = field(default_factory=dict)
    pairs: list[dict[str, Any]] = field(default_factory=list)
    histogram: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def inspect(
    dataset: Dataset,
    name: str,
    protocol: str | None = None,
    seed: int = 0,
    *,
    decode: bool = False,
    look_alikes: Features | None = None,
    progress: Callable[[float], None] = lambda _share: None,
) -> Inspection:
    """Load a data set, draw a protocol and report what is wrong, all of it.

    Args:
        dataset: what to look at.
        name: what the user calls it.
        protocol: a protocol id, or None for the default.
        seed: split seed.
        decode: decode every image too.
        look_alikes: gives features in which near-duplicates are looked for, after those
            of equal pixels; None to compare bytes alone.
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
        found.problems.append(
            f"{len(found.missing):,} of {in_number(len(source), 'image', 'images')} "
            f"{'is' if len(found.missing) == 1 else 'are'} missing"
        )
    # Lists can be judged without their images, as far as labels and overlaps go.
    images = every
    if found.missing and every.parts is None and len(found.missing) < len(source):
        images = present(every, True)
    if decode:
        found.damaged.extend(_damaged(present(every, True).source, progress))
        if found.damaged:
            found.problems.append(
                f"{in_number(len(found.damaged), 'image', 'images')} cannot be decoded"
            )
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
            found.problems.append(
                f"{in_number(found.unlabelled[part], f'{part} image has', f'{part} images have')} "
                "no label"
            )
    rows = {part: rows_of(items) for part, (items, _labels) in parts.items()}
    for one, other in (("query", "train"), ("query", "database"), ("train", "database")):
        shared = len(np.intersect1d(rows[one], rows[other]))
        found.overlap[f"{one}/{other}"] = shared
        if shared and one == "query":
            found.problems.append(
                f"{in_number(shared, 'query image is', 'query images are')} in the {other} list too"
            )
    totals = split.database_labels.sum(axis=0, dtype=np.int64)
    alike = Counter(split.classes)
    found.histogram.update(
        (name if alike[name] == 1 else f"{name} (class {number})", total)
        for number, (name, total) in enumerate(zip(split.classes, totals.tolist(), strict=True))
    )
    copied, linked = _duplicates(found, split, dataset, look_alikes, progress)
    return replace(found, sha256=split.ids_sha256, digest=split.digest, copies=copied, links=linked)


def _duplicates(
    found: Inspection,
    split: Split,
    dataset: Dataset,
    look_alikes: Features | None,
    progress: Callable[[float], None],
) -> tuple[int, int]:
    """Write down the same pictures under several names; how many copies and links there are."""
    source = source_of(split.query)
    if look_alikes is None and not isinstance(source, FileSource):
        return 0, 0  # nobody puts two images of the same pixels into a published array unawares
    contents = by_bytes(source)
    known: set[tuple[str, str]] = set()

    def write(kind: str, pairs: list[Duplicate]) -> None:
        counts: Counter[str] = Counter()
        for pair in pairs:
            if (pair.query, pair.part) not in known:
                known.add((pair.query, pair.part))
                counts[pair.part] += 1
                found.pairs.append({"same": kind, **vars(pair)})
        found.duplicates[kind] = dict(counts)
        if kind != "features" and not dataset.published:
            found.problems.extend(
                f"{in_number(count, 'query image is', 'query images are')} identical ({kind}) to "
                f"{part} images of another name"
                for part, count in counts.items()
            )

    write("bytes", shared(split, contents))
    if not dataset.published and (doubt := conflicting(split, contents)):
        found.problems.append(doubt)
    if look_alikes is not None and not found.missing:
        write("pixels", shared(split, list(by_pixels(source, progress))))
        write("features", near(split, look_alikes(source)))
    return copies(source, contents)


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
