"""The same picture under several names: by bytes, by pixels, by features."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hashbench.data.digests import UNREADABLE
from hashbench.data.images import FileSource
from hashbench.data.split import Split
from hashbench.errors import InputError, shown
from hashbench.items import ImageSource, Items, rows_of, source_of
from hashbench.parsing import in_number

#: Cosine of two images' features from which they are called near-duplicates. In the features of
#: EfficientNet-Lite0 333 of CIFAR-10's 10,000 test images have such a one in its training set;
#: looking at all, Barz and Denzler ("Do We Train on Test Data?", J. Imaging 2020) found 325.
NEAR = 0.9

#: Queries whose similarities to everything are held at once.
BLOCK = 256


@dataclass(frozen=True)
class Duplicate:
    """A query, and an image of another part that shows the same.

    Attributes:
        query: its id.
        other: the other's id.
        part: "database" or "train", where the other is.
        similarity: cosine of their features, 1 for the same bytes or pixels.
    """

    query: str
    other: str
    part: str
    similarity: float = 1.0


def by_bytes(source: ImageSource) -> list[str]:
    """What each image is, as text: equal for files of the same bytes, or pixels in memory."""
    if isinstance(source, FileSource):
        return source.digests
    return list(by_pixels(source))


def by_pixels(
    source: ImageSource, progress: Callable[[float], None] = lambda _share: None
) -> Iterator[str]:
    """Digest of each image's pixels; `UNREADABLE` for one that cannot be decoded."""

    def digest(row: int) -> str:
        try:
            image = source.read(row)
        except InputError:
            return UNREADABLE
        head = f"{image.shape}\n".encode()
        return hashlib.sha256(head + np.ascontiguousarray(image).tobytes()).hexdigest()

    with ThreadPoolExecutor(4, "pixels") as pool:
        for row, found in enumerate(pool.map(digest, range(len(source)))):
            progress((row + 1) / len(source))
            yield found


def shared(split: Split, contents: Sequence[str]) -> list[Duplicate]:
    """The queries whose content is also in the database or in the training set.

    One pair for a query and a part, the first in order; images with themselves are
    an overlap of the lists and not counted here.

    Args:
        split: of the images.
        contents: of every image of the split's source.
    """
    ids = source_of(split.query).ids
    pairs = []
    for part, items in _others(split):
        rows: dict[str, list[int]] = {}
        for row in rows_of(items).tolist():
            rows.setdefault(contents[row], []).append(row)
        rows.pop(UNREADABLE, None)
        for row in rows_of(split.query).tolist():
            same = next((other for other in rows.get(contents[row], ()) if other != row), None)
            if same is not None:
                pairs.append(Duplicate(ids[row], ids[same], part))
    return pairs


def conflicting(split: Split, contents: Sequence[str]) -> str:
    """A sentence on images whose very content has other labels under another name, or none.

    Args:
        split: of the images.
        contents: of every image of the split's source.
    """
    labels: dict[int, bytes] = {}
    for items, given in (
        (split.query, split.query_labels),
        (split.train, split.train.labels),
        (split.database, split.database_labels),
    ):
        marks = np.packbits(given > 0, axis=1)
        for row, mark in zip(rows_of(items).tolist(), marks, strict=True):
            labels[row] = mark.tobytes()
    first: dict[str, int] = {}
    pairs = []
    for row, mark in labels.items():
        if contents[row] == UNREADABLE:
            continue
        other = first.setdefault(contents[row], row)
        if mark != labels[other]:
            pairs.append((other, row))
    if not pairs:
        return ""
    names = " and ".join(shown(source_of(split.query).ids[row]) for row in pairs[0])
    verb = in_number(len(pairs), "image has", "images have")
    return f"{verb} other labels than identical ones of another name (first {names})"


def near(split: Split, features: NDArray[np.float32], least: float = NEAR) -> list[Duplicate]:
    """The queries of which the database or the training set holds one that looks the same.

    Args:
        split: of the images.
        features: `(n, dim)` of every image of the split's source.
        least: cosine from which two images count as near-duplicates.

    Returns:
        For a query and a part the pair most alike, the most alike first.
    """
    ids = source_of(split.query).ids
    query = rows_of(split.query)
    pairs = []
    for part, items in _others(split):
        rows = rows_of(items)
        others = _unit(features[rows])
        for start in range(0, len(query), BLOCK):
            mine = query[start : start + BLOCK]
            cosines = _unit(features[mine]) @ others.T
            cosines[mine[:, None] == rows[None, :]] = -1  # an image with itself
            best = cosines.argmax(axis=1)
            for row, column, cosine in zip(mine, best, cosines.max(axis=1), strict=True):
                if cosine >= least:
                    pair = Duplicate(ids[row], ids[rows[column]], part, min(float(cosine), 1.0))
                    pairs.append(pair)
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.query, pair.part))


def copies(source: ImageSource, contents: Sequence[str]) -> tuple[int, int]:
    """How many images share their content with another; how many of them are links to one file."""
    rows: dict[str, list[int]] = {}
    for row, content in enumerate(contents):
        if content != UNREADABLE:
            rows.setdefault(content, []).append(row)
    groups = [group for group in rows.values() if len(group) > 1]
    linked = 0
    if isinstance(source, FileSource):
        for group in groups:
            files = [_file(str(source.paths[row])) for row in group]
            linked += sum(files.count(file) > 1 for file in files)
    return sum(map(len, groups)), linked


def _file(path: str) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116 - a text
    return status.st_dev, status.st_ino


def _others(split: Split) -> tuple[tuple[str, Items], ...]:
    return ("database", split.database), ("train", split.train)


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(norms, np.finfo(np.float32).tiny)
