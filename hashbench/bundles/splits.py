"""The split an entry is of: drawn again, or from the file of it that the board keeps.

Such a file, `splits/<digest>.json.xz` beside the entries, is for data sets whose labels
cannot be had without their files. It is named by the digest of what it holds, which is the
digest the entries state: it cannot say other labels under the same name.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.bundles.folder import LARGEST, read_bytes, unpacked
from hashbench.cell import Bench
from hashbench.data import Split, open_dataset
from hashbench.data.dataset import faults
from hashbench.data.named import NamedSource
from hashbench.data.redrawn import redrawn
from hashbench.errors import InputError, shown
from hashbench.files import write_atomically
from hashbench.items import Items, TrainItems, ids_of
from hashbench.parsing import printable

FOLDER = "splits"

PARTS = ("query", "train", "database")

#: Options of a data set that an entry may have been made with and that read nothing else.
_OPTIONS = (
    "allow_missing",
    "allow_overlap",
    "allow_unlabelled",
    "allow_duplicates",
    "mirrored",
)

#: Bytes a file of a split unpacks to, and values of its labels.
_MOST_BYTES, _MOST_LABELS = 1 << 28, 1 << 28


class Splits:
    """Splits by bench and digest, each drawn once.

    Args:
        data_root: where data sets are kept; None for the default.
        boards: folders that may hold `splits/`.
    """

    def __init__(self, data_root: Path | None = None, boards: Sequence[Path] = ()) -> None:
        self.data_root = data_root
        self.boards = tuple(boards)
        self._found: dict[str, Split | InputError] = {}

    def find(self, bench: Bench, digest: str) -> Split:
        """The split of a bench that has this digest.

        A file of a board stands in where the split cannot be drawn here, never for one that
        is drawn or pinned otherwise.

        Raises:
            WrongSplitError: if the protocol gives another one here, or is pinned to another.
            InputError: if its labels cannot be had, saying why.
        """
        drawn = self._drawn(bench)
        if isinstance(drawn, Split) and drawn.digest == digest:
            return drawn
        pin = _pin(bench, self.data_root)
        if pin and pin != digest:
            raise WrongSplitError(
                f"its protocol is pinned to the split {pin[:12]} and the entry's is {digest[:12]}"
            )
        given = self._given(digest) if isinstance(drawn, InputError) or _local(bench) else None
        if given is not None:
            try:
                faults(given, bool(bench.options.get("allow_overlap")), True)
            except InputError as error:
                raise WrongSplitError(str(error)) from None
            return given
        if isinstance(drawn, InputError):
            raise drawn
        raise WrongSplitError(
            f"the split drawn here has the digest {drawn.digest[:12]} and the entry's is "
            f"{digest[:12]}"
        )

    def drawn(self, bench: Bench, digest: str) -> bool:
        """Whether the split of this digest is that of its protocol, on no word of a board."""
        found = self._drawn(bench)
        same = isinstance(found, Split) and found.digest == digest
        return same or _pin(bench, self.data_root) == digest

    def _drawn(self, bench: Bench) -> Split | InputError:
        name = json.dumps([bench.dataset, bench.protocol, bench.split_seed, dict(bench.options)])
        if name not in self._found:
            try:
                self._found[name] = _draw(bench, self.data_root)
            except InputError as error:
                self._found[name] = error
        return self._found[name]

    def _given(self, digest: str) -> Split | None:
        if digest not in self._found:
            for board in self.boards:
                path = board / FOLDER / f"{digest}.json.xz"
                if path.is_file():
                    self._found[digest] = read_split(path, digest)
                    break
        found = self._found.get(digest)
        return found if isinstance(found, Split) else None


class WrongSplitError(InputError):
    """The split of an entry is not the one its protocol gives."""


def _local(bench: Bench) -> bool:
    """Whether images of the same name here may well be others: everybody's own, or not all."""
    return ":" in bench.dataset or bool(bench.options.get("allow_missing"))


def _pin(bench: Bench, data_root: Path | None) -> str:
    """The digest that a bench's split must have wherever it is drawn; "" where none is pinned."""
    if _local(bench):
        return ""
    try:
        protocol = open_bench(bench, data_root).protocol(bench.protocol)
    except InputError:
        return ""
    return "" if protocol.variant else str(protocol.pins.get(bench.split_seed, ""))


def open_bench(bench: Bench, data_root: Path | None) -> Any:
    """The data set of a bench that a stranger's entry names.

    Raises:
        InputError: if there is none of that name, or it asks for more of the machine than a
            data set of its name.
    """
    unknown = set(bench.options) - set(_OPTIONS)
    if unknown:
        raise InputError(f"its option '{shown(min(unknown), 40)}' is not to be had from an entry")
    if "/" in bench.dataset or "\\" in bench.dataset or ".." in bench.dataset:
        raise InputError(f"'{shown(bench.dataset, 40)}' is no name of a data set")
    kind, colon, place = bench.dataset.partition(":")
    if colon:  # the lists or images of a folder, which must lie below the data root here
        if data_root is None:
            raise InputError(f"put {shown(place, 40)} below --data-root to draw its split")
        return open_dataset(f"{kind}:{data_root / place}", data_root, **bench.options)
    return open_dataset(bench.dataset, data_root, **bench.options)


def write_split(board: Path, split: Split) -> Path:
    """Write the file of a split below a board's folder; returns its path.

    Raises:
        InputError: if it cannot be written.
    """
    labels = (split.query_labels, split.train.labels, split.database_labels)
    items = (split.query, split.train, split.database)
    body: dict[str, Any] = {"format": "hashbench-split", "schema": 1, "classes": split.classes}
    for name, part, mine in zip(PARTS, items, labels, strict=True):
        body[name] = {
            "ids": ids_of(part),
            "labels": [np.flatnonzero(row).tolist() for row in mine],
            "columns": mine.shape[1],
        }
    body["views"] = {name: [rows.tolist() for rows in view] for name, view in split.views.items()}
    path = board / FOLDER / f"{split.digest}.json.xz"
    data = lzma.compress(json.dumps(body, ensure_ascii=False).encode(), preset=6)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda stream: stream.write(data))
    except OSError as error:
        raise InputError(f"cannot write {path}: {shown(error)}; choose another --out") from error
    return path


def read_split(path: Path, digest: str) -> Split:
    """The split in a file that `write_split` wrote; its images are known by name alone.

    Raises:
        InputError: if it is damaged, or not the split of that digest.
    """
    where = shown(str(path), 200)
    try:
        body = json.loads(unpacked(read_bytes(path, LARGEST), _MOST_BYTES))
        split = _split(body)
    except InputError:
        raise
    except Exception as error:  # JSON of any shape breaks in any way
        raise InputError(f"{where} is no file of a split: take it from the board again") from error
    if split.digest != digest:
        raise InputError(f"{where} does not hold the split of its name: take it again")
    return split


def _draw(bench: Bench, data_root: Path | None) -> Split:
    dataset = open_bench(bench, data_root)
    try:
        split = None if bench.options else redrawn(dataset, bench.protocol, bench.split_seed)
    except InputError:
        split = None  # with the images there it may be had all the same
    if split is not None:
        return split
    found: Split = dataset.split(bench.protocol, bench.split_seed)
    return found


def _split(body: dict[str, Any]) -> Split:
    classes = tuple(body["classes"])
    if any(int(body[part]["columns"]) != len(classes) for part in PARTS):
        raise ValueError("its labels are of other classes")
    ids = {part: [str(name) for name in body[part]["ids"]] for part in PARTS}
    names = [name for mine in ids.values() for name in mine]
    if not all(map(printable, (*classes, *names))):
        raise ValueError("names hold control characters")
    rows = {name: row for row, name in enumerate(dict.fromkeys(names))}
    source = NamedSource(list(rows))
    labels = {part: _labels(body[part], len(ids[part])) for part in PARTS}
    where = {part: np.array([rows[name] for name in ids[part]], np.int64) for part in PARTS}
    return Split(
        train=TrainItems(source, where["train"], labels=labels["train"]),
        query=Items(source, where["query"]),
        database=Items(source, where["database"]),
        query_labels=labels["query"],
        database_labels=labels["database"],
        classes=classes,
        views={
            str(name): (np.array(asked, np.int64), np.array(searched, np.int64))
            for name, (asked, searched) in body["views"].items()
        },
    )


def _labels(part: dict[str, Any], count: int) -> NDArray[np.uint8]:
    columns = int(part["columns"])
    if len(part["labels"]) != count or not 0 < columns * max(count, 1) <= _MOST_LABELS:
        raise ValueError("its labels are of another number")
    found = np.zeros((count, columns), np.uint8)
    lengths = [len(row) for row in part["labels"]]
    places = np.array([label for row in part["labels"] for label in row], np.int64)
    if len(places) and not 0 <= places.min() <= places.max() < columns:
        raise ValueError("a label has no class")
    found[np.repeat(np.arange(count), lengths), places] = 1
    return found
