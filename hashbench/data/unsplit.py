"""Any images with labels as a data set: `--datasets images:PATH --protocol 500-2000-rest`."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from hashbench.data.dataset import Dataset, Status
from hashbench.data.gathered import gather
from hashbench.data.images import FileSource
from hashbench.data.labelled import LabelledImages
from hashbench.data.lists import import_lists
from hashbench.data.places import base_of, without
from hashbench.data.protocols import Protocol
from hashbench.data.variants import variant_of
from hashbench.errors import InputError, shown
from hashbench.items import ids_of
from hashbench.parsing import in_number
from hashbench.spelling import Spelling, composed

PREFIX = "images:"

#: Queries, training images, and what is searched: the rest, with the training images or without.
_SPLIT = re.compile(r"(\d{1,9})[-/](\d{1,9}|all)[-/](rest|rest\+train)")


def drawing(text: str) -> Protocol | None:
    """The protocol `500-2000-rest`: 500 queries, 2,000 training images, the rest to search.

    `500-2000-rest+train` searches the training images too; `500-all-rest` trains on all
    that is searched. Slashes serve as well. None for any other text.
    """
    match = _SPLIT.fullmatch(text)
    if match is None:
        return None
    queries, train, rest = int(match[1]), match[2], match[3]
    name = "-".join(match.groups())
    inside = train == "all" or rest == "rest+train"
    count = None if train == "all" else int(train)
    summary = (
        f"{in_number(queries, 'query', 'queries')}, {train} training images, drawn by the "
        "split seed"
    )
    return Protocol(name, queries, count, inside, summary)


class Unsplit(Dataset):
    """A folder of class folders, a CSV of paths and labels, or one image list.

    Images are sorted by their names, so that a table's order of lines draws no other split.

    Args:
        root: the data root.
        path: the folder or file.
        images: the folder names start from, if it is not the folder itself or the file's own.
        **options: as for `Dataset`.
    """

    name: ClassVar[str] = "images"
    summary = "your own images: a folder of class folders, a CSV, a list"
    protocols: ClassVar[dict[str, Protocol]] = {}
    default_protocol = ""
    published = False

    def __init__(
        self, root: Path, path: Path, images: Path | None = None, /, **options: Any
    ) -> None:
        super().__init__(root, **options)
        self._path = path
        self._images = images

    @property
    def folder(self) -> Path:
        """Where the images are said to be."""
        return self._path

    def protocol(self, name: str | None = None) -> Protocol:
        """The protocol that draws these numbers.

        Raises:
            InputError: if the numbers are not said.
        """
        found = drawing(name or "")
        if found is None and name:
            base, _, _variant = name.rpartition("-")
            bases = drawing(base)
            found = variant_of({base: bases}, name) if bases else None
        if found is None:
            told = f"'{shown(name)}' is no split" if name else "nobody has split these images"
            raise InputError(
                f"{told}: say how many queries and training images to draw, as 500-2000-rest "
                "(--protocol of run and verify, --split of data import)"
            )
        return found

    def status(self) -> Status:
        """Whether there is such a folder or file."""
        if self._path.exists():
            return Status(True, str(self._path))
        return Status(False, str(self._path), "name a folder of class folders, a CSV or a list")

    def load(self, protocol: Protocol) -> LabelledImages:
        """All images, sorted by name.

        Raises:
            InputError: if there is no such file, or it is malformed.
        """
        status = self.status()
        if not status.prepared:
            raise InputError(f"there is no {status.where}: {status.hint}")
        every = gather(self._path)
        spelling, root = Spelling(), self._images or every.root
        root, depth = base_of(every.names, [root], spelling)
        names = [without(name, depth, str(self._path)) for name in every.names]
        ids = [composed(name) for name in names]
        twice, count = Counter(ids).most_common(1)[0]
        if count > 1:
            raise InputError(
                f"{self._path} holds {shown(twice)} twice, spelt in two ways: keep one"
            )
        order = sorted(range(len(ids)), key=ids.__getitem__)
        paths = [Path(spelling.path(root, names[row])) for row in order]
        queries = None
        if every.queries is not None:
            queries = np.flatnonzero(every.queries[order])
            if len(queries) != protocol.queries:
                raise InputError(
                    f"{in_number(len(queries), 'image asks', 'images ask')} in {self._path}, as "
                    "its folders say, and not "
                    f"{protocol.queries:,}: write the split as {len(queries)}-..."
                )
        return LabelledImages(
            FileSource(paths, [ids[row] for row in order]),
            np.ascontiguousarray(every.labels[order]),
            every.classes,
            queries=queries,
            looked=(root,),
        )


def import_images(
    path: Path,
    name: str,
    root: Path,
    images: Path | None = None,
    *,
    protocol: str | None = None,
    seed: int = 0,
    **options: Any,
) -> Path:
    """Draw a split and keep it in the data root as three lists, where `name` finds it.

    Args:
        path: a folder of class folders, a CSV or a list.
        name: what `--datasets` will call it.
        root: the data root.
        images: the folder names start from, if it is not the folder or the file's own.
        protocol: the numbers to draw, such as `500-2000-rest`.
        seed: of the draw.
        **options: faults to allow, see `Dataset`.

    Returns:
        The folder of the lists.

    Raises:
        InputError: if the images are not usable, or the name is taken.
    """
    dataset = Unsplit(root, path, images, **options)
    split = dataset.split(protocol, seed)
    parts = {
        "query": (split.query, split.query_labels),
        "train": (split.train, split.train.labels),
        "database": (split.database, split.database_labels),
    }
    with tempfile.TemporaryDirectory() as aside:
        for part, (items, labels) in parts.items():
            rows = (" ".join(row) for row in labels.astype("U1"))
            lines = (f"{file} {row}\n" for file, row in zip(ids_of(items), rows, strict=True))
            (Path(aside) / f"{part}.txt").write_text("".join(lines), encoding="utf-8")
        text = "".join(f"{kind}\n" for kind in split.classes)
        (Path(aside) / "classes.txt").write_text(text, encoding="utf-8")
        start = images or (path if path.is_dir() else path.parent)
        return import_lists(Path(aside), name, root, start)
