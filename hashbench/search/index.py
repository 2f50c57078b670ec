"""An index as a folder: codes in an engine, their ids and labels, and the encoder of queries.

Layout::

    index.json      engine, bits, count, classes, and the sha256 of the files beside it
    entries.npz     ids and, where there are any, labels
    codes.faiss     FAISS's index, or
    lance/          LanceDB's table, unless it lies elsewhere
    encoder/        what makes a code of a picture (`hashbench/encoder/folder.py`), if known
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.encoder.encoder import Encoder
from hashbench.encoder.folder import load
from hashbench.errors import InputError, shown
from hashbench.files import open_regular
from hashbench.npy import read_arrays
from hashbench.saved import MOST_BITS
from hashbench.search.engine import Engine, maker

FORMAT = 1
DESCRIPTION, ENTRIES, ENCODER = "index.json", "entries.npz", "encoder"

#: Bytes of the longest description that is read.
LONGEST = 1_000_000


@dataclass(frozen=True, eq=False)
class Entries:
    """What is known of the indexed items.

    Attributes:
        ids: one for each, in order: paths below `root`, or what else they are called.
        labels: `(n, classes)` uint8 multi-hot, or None.
        classes: names of the labels' columns.
        root: folder the ids are paths in, "" if they are not.
    """

    ids: Sequence[str]
    labels: NDArray[np.uint8] | None = None
    classes: Sequence[str] = ()
    root: str = ""

    def path(self, row: int) -> str:
        """Where an item is, or its id."""
        return str(Path(self.root) / self.ids[row]) if self.root else self.ids[row]

    def classes_of(self, row: int) -> list[str]:
        """Names of an item's labels."""
        if self.labels is None:
            return []
        return [self.classes[int(column)] for column in np.flatnonzero(self.labels[row])]


class Index:
    """An open index.

    Args:
        folder: where it is.
        body: its description.
        entries: ids and labels.

    Attributes:
        bits: code length.
        engine_name: which engine keeps the codes.
    """

    def __init__(self, folder: Path, body: dict[str, Any], entries: Entries) -> None:
        self.folder = folder
        self.entries = entries
        self.bits = int(body["bits"])
        self.engine_name = str(body["engine"])
        self.settings: dict[str, Any] = body["settings"]

    def __len__(self) -> int:
        return len(self.entries.ids)

    @cached_property
    def engine(self) -> Engine:
        """The codes, opened when first asked for."""
        try:
            return maker(self.engine_name).open(self.folder, self.settings, self.bits, len(self))
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"{shown(str(self.folder), 200)} is no whole index ({type(error).__name__}: "
                f"{shown(error)}): build it again with `hashbench index`"
            ) from error

    @cached_property
    def encoder(self) -> Encoder:
        """What makes a code of a picture.

        Raises:
            InputError: if the index was built without one.
        """
        if not (self.folder / ENCODER).is_dir():
            raise InputError(
                f"{self.folder} holds codes and no encoder, so that no picture can be searched: "
                "name a hasher when building it, as in `hashbench index my-encoder --images ...`"
            )
        return load(self.folder / ENCODER)


def build_index(
    folder: Path,
    codes: Codes,
    entries: Entries,
    engine: str = "faiss",
    settings: dict[str, Any] | None = None,
    encoder: Encoder | None = None,
) -> Index:
    """Write an index; one that is there already is replaced.

    Args:
        folder: where to.
        codes: what to index.
        entries: what is known of them, as many as there are codes.
        engine: "faiss" or "lancedb".
        settings: see the engines' `build`.
        encoder: kept with it, to search by picture.

    Raises:
        InputError: if there are no codes, something else is in the folder, or it cannot
            be written.
    """
    if not len(codes):
        raise InputError("there is no code to index: name pictures that can be read")
    if folder.exists() and not (folder / DESCRIPTION).is_file():
        raise InputError(f"{folder} is there already and is no index: name another folder")
    made = maker(engine)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            arrays = {"ids": _joined(entries.ids)}
            if entries.labels is not None:
                arrays["labels"] = np.asarray(entries.labels, np.uint8)
            np.savez(aside / ENTRIES, **arrays)  # type: ignore[arg-type]
            kept = made.build(codes, aside, dict(settings or {}))
            if encoder is not None:
                encoder.save(aside / ENCODER)
            body = {
                "format": FORMAT,
                "kind": "hashbench index",
                "engine": engine,
                "settings": kept,
                "bits": codes.bits,
                "count": len(codes),
                "classes": list(entries.classes),
                "root": entries.root,
                "files": {
                    path.name: _digest(path) for path in sorted(aside.iterdir()) if path.is_file()
                },
            }
            (aside / DESCRIPTION).write_text(json.dumps(body, indent=1), "utf-8")
            aside.chmod(0o755)
            if folder.exists():
                shutil.rmtree(folder)
            aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise InputError(
            f"the index {folder} cannot be written ({shown(error)}): name another folder"
        ) from error
    return open_index(folder)


def open_index(folder: Path) -> Index:
    """The index in a folder, its files checked against their digests.

    Raises:
        InputError: if it is none, or damaged.
    """
    where = shown(str(folder), 200)
    try:
        with open_regular(folder / DESCRIPTION) as stream:
            text = stream.read(LONGEST + 1)
    except (OSError, ValueError) as error:
        raise InputError(_no_index(folder, where, error)) from error
    try:
        if len(text) > LONGEST:
            raise ValueError("its description is too large")
        body = json.loads(text)
        _check(body)
        for name, digest in body["files"].items():
            if _digest(folder / name) != digest:
                raise ValueError(f"{shown(name, 40)} is damaged")
        entries = _entries(body, read_arrays(folder / ENTRIES, ("ids", "labels")))
    except Exception as error:  # a forged description may raise anything
        raise InputError(
            f"{where} is no whole index ({shown(error)}): build it again with `hashbench index`"
        ) from error
    return Index(folder, body, entries)


def _no_index(folder: Path, where: str, error: Exception) -> str:
    """Why a folder is no index, with those in it, if it holds some."""
    inner = sorted(path.parent for path in folder.glob(f"*/{DESCRIPTION}"))[:3]
    if inner:
        names = " or ".join(shown(str(path), 100) for path in inner)
        return f"{where} is no index but a folder of some: name one, such as {names}"
    return f"{where} is no index ({shown(error)}): build one with `hashbench index`"


def _check(body: Any) -> None:
    whole = [body["bits"], body["count"]]
    texts = [body["engine"], body["root"], *body["classes"], *body["files"].values()]
    if body["format"] != FORMAT or not isinstance(body["settings"], dict):
        raise ValueError(f"it has the format {shown(body['format'], 20)}")
    if not all(type(number) is int and number > 0 for number in whole) or whole[0] > MOST_BITS:
        raise ValueError("its numbers are none")
    if not all(isinstance(text, str) for text in texts) or ENTRIES not in body["files"]:
        raise ValueError("its names are none")
    if any(Path(name).name != name or name in (".", "..") for name in body["files"]):
        raise ValueError("it names files elsewhere")


def _entries(body: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Entries:
    ids = arrays["ids"].astype(np.uint8, casting="no").tobytes()
    names = ids.decode("utf-8", "surrogateescape").split("\0")
    labels = arrays.get("labels")
    shape = (body["count"], len(body["classes"]))
    if len(names) != body["count"]:
        raise ValueError("it has another number of ids than of codes")
    if labels is not None and (labels.shape != shape or labels.dtype != np.uint8):
        raise ValueError("it has another number of labels than of codes and classes")
    return Entries(names, labels, tuple(body["classes"]), body["root"])


def _joined(ids: Sequence[str]) -> NDArray[np.uint8]:
    """Ids as bytes, apart by what no path and no id holds."""
    if any("\0" in name for name in ids):
        raise InputError("an id holds a NUL byte: mend it")
    return np.frombuffer("\0".join(ids).encode("utf-8", "surrogateescape"), np.uint8)


def _digest(path: Path) -> str:
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
