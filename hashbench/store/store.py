"""The store: one folder for a benchmark; what is expensive once, what is cheap whenever.

Layout::

    records/<key>.json         the commit mark of a cell: written last, renamed into place
    codes/<key>.npz            query and database codes (packed), where outputs were zero
    relaxed/<key>.npz          real-valued outputs, where they were asked for
    hashers/<key>.safetensors  the fitted hasher
    origins/<key>/*.json       where its hyper-parameters came from, a file a way of asking
    origins/<key>/found        when a run last found its data and code again after others
    scores/<key>/*.npz         metrics, curves and per-query values, a file a convention
    splits/<digest>.npz        labels, ids and class names of queries and database
    claims/<name>.lock         locks: who holds one is the only writer of that name
    sweeps/                    the sweep files that were run

Every file carries a digest of its content; what does not fit is not used. Only
what holds the claim of a cell replaces its files; reading changes nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.errors import InputError, shown, unless_scarce
from hashbench.files import write_atomically
from hashbench.origin import Origin
from hashbench.store.arrays import Arrays, read_sealed, write_sealed
from hashbench.store.beside import Beside
from hashbench.store.checks import BadRecordError, NewerRecordError
from hashbench.store.layout import code_arrays, codes_of
from hashbench.store.record import Record, read_small

_FOLDERS = ("records", "codes", "relaxed", "hashers", "origins", "scores", "splits", "claims")

#: Folder and suffix of each kind of file.
FILES = {
    "record": ("records", ".json"),
    "codes": ("codes", ".npz"),
    "relaxed": ("relaxed", ".npz"),
    "hasher": ("hashers", ".safetensors"),
    "split": ("splits", ".npz"),
}


class StoreError(InputError):
    """The store cannot be written to: the run must stop, for nothing could be kept."""


class Store:
    """Records and what belongs to them, under one folder.

    Args:
        root: the folder.
        create: make it if it does not exist, and check that it can be written to.

    Raises:
        InputError: if the folder does not exist (without `create`), or an earlier
            hashbench, whose results do not say what data they are of, wrote it.
        StoreError: if it cannot be written to (with `create`).
    """

    def __init__(self, root: Path, *, create: bool = False) -> None:
        self.root = root
        self._splits: dict[str, dict[str, NDArray[Any]]] = {}
        self._beside = Beside(root / "origins")
        if (root / "per-query").is_dir() and not (root / "scores").is_dir():
            raise InputError(
                f"{root} holds results of hashbench 0.1, whose scores do not say what data they "
                "are of: name another folder with --results and run again (nothing was changed "
                "there; hashbench 0.1 still reads it)"
            )
        if create:
            with self._writing():
                for part in _FOLDERS:
                    (root / part).mkdir(parents=True, exist_ok=True)
                if not (root / "README.txt").exists():
                    (root / "README.txt").write_bytes(_README)
                TemporaryFile(dir=root / "records").close()
        elif not (root / "records").is_dir():
            raise InputError(
                f"no results in {root}: run `hashbench run` first, or name another "
                "folder of results"
            )

    def path(self, kind: str, key: str) -> Path:
        """Where the file of a kind ("record", "codes", "relaxed", "hasher", "split") lies."""
        folder, suffix = FILES[kind]
        return self.root / folder / f"{key}{suffix}"

    def scores_folder(self, key: str) -> Path:
        """Where the scores of a key lie."""
        return self.root / "scores" / key

    @contextmanager
    def claim(self, name: str, timeout: float = 0) -> Iterator[bool]:
        """Hold the lock of `name` (a cell's key, a split) within the block, if it is free.

        The operating system drops the lock when its holder dies, however it
        dies. Who holds it is the only writer of the files of that name, so what
        an earlier writer left half done is removed here.

        Args:
            name: what to claim.
            timeout: seconds to wait for it.

        Yields:
            Whether the lock is held.

        Raises:
            StoreError: if the lock file cannot be made.
        """
        lock = FileLock(self.root / "claims" / f"{name}.lock")
        with self._writing(), suppress(Timeout):
            lock.acquire(timeout=timeout, poll_interval=0.02)
        try:
            if lock.is_locked:
                for folder in _FOLDERS:
                    for place, pattern in (
                        (folder, f".{name}.*.tmp"),
                        (f"{folder}/{name}", ".*.tmp"),
                    ):
                        for stale in (self.root / place).glob(pattern):
                            stale.unlink(missing_ok=True)
            yield lock.is_locked
        finally:
            lock.release()

    def get(self, key: str) -> Record | None:
        """The record of a key; None if there is none that can be used, with a warning if damaged.

        Raises:
            InputError: if the record cannot be read at all.
        """
        path = self.path("record", key)
        try:
            data = read_small(path)
            record = Record.from_json(data)
            if record.key != key:
                raise BadRecordError(f"its key is {shown(record.key, 40)}")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"cannot read the record {path}: {error.strerror}") from error
        except NewerRecordError as error:
            _warn(f"{path} is left alone: {error}; update hashbench to read it")
            return None
        except BadRecordError as error:
            _warn(f"{path} is damaged ({error}): it is not counted, running the cell mends it")
            return None
        origins, found = self._beside.read(key)
        return replace(record, origins=origins, found=found)

    def keys(self) -> list[str]:
        """The keys that have a record, readable or not, sorted."""
        return sorted(path.stem for path in (self.root / "records").glob("*.json"))

    def records(self) -> list[Record]:
        """Every readable record, ordered by key."""
        return [record for key in self.keys() if (record := self.get(key)) is not None]

    def there(self, record: Record) -> bool:
        """Whether the files of a record's codes and split are there; their content is not read."""
        paths = self.path("codes", record.key), self.path("split", record.evidence.split)
        return all(path.is_file() for path in paths)

    def whole(self, record: Record) -> bool:
        """Whether the codes and the split of a record are there and are its own."""
        try:
            self.open_codes(record)
            self.open_split(record)
        except InputError as error:
            _warn(f"{error}")
            return False
        return True

    def newer(self, key: str) -> bool:
        """Whether the record of a key is one that only a newer hashbench reads."""
        try:
            Record.from_json(read_small(self.path("record", key)))
        except NewerRecordError:
            return True
        except (OSError, BadRecordError):
            return False
        return False

    def mark(self, key: str) -> str:
        """A digest of the record file of a key, "" without one: has it been written since?"""
        try:
            return hashlib.sha256(read_small(self.path("record", key))).hexdigest()
        except (OSError, BadRecordError):
            return ""

    def put(
        self,
        record: Record,
        codes: tuple[Codes, Codes] | None = None,
        hasher: bytes | None = None,
    ) -> Record:
        """Store a cell: its (query, database) codes and hasher first, its record last.

        Args:
            record: the record; the digests of the files are added here.
            codes: what it encoded, if it did.
            hasher: the file of the fitted hasher.

        Returns:
            The record as it is read back from disk.

        Raises:
            StoreError: if the disk is full or the folder cannot be written to;
                the cell then counts as not done.
            BadRecordError: if what was written could not be read back.
        """
        with self._writing():
            files = dict(record.files)
            if codes is not None:
                files["codes"] = write_sealed(self.path("codes", record.key), code_arrays(*codes))
            if hasher is not None:
                path = self.path("hasher", record.key)
                write_atomically(path, lambda stream: stream.write(hasher))
                files["hasher"] = hashlib.sha256(hasher).hexdigest()
            data = replace(record, files=files).to_json()
            read = Record.from_json(data)  # what could not be read back must not count as done
            for origin in record.origins:
                self.put_origin(record.key, origin)
            write_atomically(self.path("record", record.key), lambda stream: stream.write(data))
        return read.with_origins(record.origins)

    def forget(self, key: str) -> None:
        """Remove a result: its record first, then its codes, hasher and scores.

        Raises:
            InputError: while a run works on it.
            StoreError: if it cannot be removed.
        """
        with self.claim(key, timeout=1) as held, self._writing():
            if not held:
                raise InputError(f"a run is working on {key}: stop it first")
            for kind in ("record", "codes", "relaxed", "hasher"):
                self.path(kind, key).unlink(missing_ok=True)
            for folder in (self._beside.folder(key), self.scores_folder(key)):
                if folder.is_dir():
                    shutil.rmtree(folder)

    def put_relaxed(self, record: Record, codes: tuple[Codes, Codes]) -> None:
        """Keep the real-valued outputs of a record's codes.

        Raises:
            StoreError: if they cannot be written.
        """
        query, database = codes
        if query.relaxed is None or database.relaxed is None:
            return
        arrays: Arrays = {
            "query_relaxed": query.relaxed,
            "database_relaxed": database.relaxed,
            "codes": np.array(record.files.get("codes", "")),
        }
        with self._writing():
            write_sealed(self.path("relaxed", record.key), arrays)

    def drop_relaxed(self, record: Record) -> None:
        """Remove the real-valued outputs of a record."""
        with self._writing():
            self.path("relaxed", record.key).unlink(missing_ok=True)

    def put_origin(self, key: str, origin: Origin) -> None:
        """Keep a way in which a cell was asked for.

        Raises:
            StoreError: if it cannot be written.
        """
        with self._writing():
            self._beside.put_origin(key, origin)

    def put_found(self, key: str, when: str) -> None:
        """Keep that a run found data and code to be what they were for a result.

        Args:
            key: of the result.
            when: the time, as ISO 8601 in UTC.

        Raises:
            StoreError: if it cannot be written.
        """
        with self._writing():
            self._beside.put_found(key, when)

    def put_split(self, digest: str, arrays: Callable[[], Arrays]) -> None:
        """Store what the evaluator needs of a split, once.

        Raises:
            StoreError: if the disk is full or the folder cannot be written to.
        """
        path = self.path("split", digest)
        if digest in self._splits:
            return
        with self.claim(digest, timeout=60), self._writing():
            with suppress(OSError, ValueError):
                self._splits[digest] = read_sealed(path)
                return
            write_sealed(path, arrays())

    def open_codes(self, record: Record, *, relaxed: bool = True) -> tuple[Codes, Codes]:
        """The (query, database) codes of a record, with real-valued outputs where kept.

        Raises:
            InputError: if they are missing, damaged or those of another cell.
        """
        arrays = self._open("codes", record.key, record.files.get("codes", ""))
        outputs = self._open_relaxed(record) if relaxed else {}
        try:
            return codes_of(arrays, outputs)
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged("codes", record.key, error) from error

    def has_relaxed(self, record: Record) -> bool:
        """Whether real-valued outputs were kept."""
        return self.path("relaxed", record.key).is_file()

    def open_split(self, record: Record) -> dict[str, NDArray[Any]]:
        """The arrays of a record's split: query_labels, database_labels, ids and classes.

        Raises:
            InputError: if they are missing or damaged.
        """
        digest = record.evidence.split
        if digest not in self._splits:
            self._splits[digest] = self._open("split", digest, record.files.get("split"))
        return self._splits[digest]

    def _open_relaxed(self, record: Record) -> dict[str, NDArray[Any]]:
        if not self.has_relaxed(record):
            return {}
        arrays = self._open("relaxed", record.key, None)
        if str(arrays.pop("codes", "")) != record.files.get("codes"):
            raise self._damaged("relaxed", record.key, ValueError("they are of other codes"))
        return arrays

    def _open(self, kind: str, key: str, digest: str | None) -> dict[str, NDArray[Any]]:
        path = self.path(kind, key)
        try:
            return read_sealed(path, digest)
        except FileNotFoundError as error:
            raise InputError(f"{path} is missing: run the cell again") from error
        except (OSError, ValueError) as error:
            unless_scarce(error)
            raise self._damaged(kind, key, error) from error

    def _damaged(self, kind: str, key: str, error: Exception) -> InputError:
        return InputError(
            f"{self.path(kind, key)} is damaged ({shown(error)}): running the cell again mends it"
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"cannot write results to {self.root}: {error.strerror or error}; what was "
                "finished is kept, make room or choose another folder with --results"
            ) from error


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=4)


_README = b"hashbench results: one record per cell. Read them with `hashbench export`.\n"
