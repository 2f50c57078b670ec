"""The store: one folder for a benchmark, one small file per finished cell.

Layout::

    records/<key>.json      the commit mark of a cell: written last, renamed into place
    codes/<key>.npz         query_codes, database_codes (packed), bits; relaxed outputs if kept
    per-query/<key>.npz     per-query scores, for confidence intervals and paired tests
    splits/<sha256>.npz     query_labels, database_labels, query_ids, database_ids, classes
    claims/<name>.lock      locks: who holds one is the only writer of the files of that name
    sweeps/                 the sweep files that were run
    quarantine/             files that were damaged, kept for inspection
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.files import write_atomically
from hashbench.npy import read_arrays
from hashbench.results.record import BadRecordError, Record

Arrays = dict[str, NDArray[np.generic]]

_FOLDERS = ("records", "codes", "per-query", "splits", "claims")


class StoreError(InputError):
    """The store cannot be written to: the run must stop, for nothing could be kept."""


class Store:
    """Records and what belongs to them, under one folder.

    Args:
        root: the folder.
        create: make it if it does not exist, and check that it can be written to.

    Raises:
        InputError: if the folder does not exist (without `create`).
        StoreError: if it cannot be written to (with `create`).
    """

    def __init__(self, root: Path, *, create: bool = False) -> None:
        self.root = root
        self._whole_splits: set[str] = set()
        if create:
            with self._writing():
                for part in _FOLDERS:
                    (root / part).mkdir(parents=True, exist_ok=True)
                if not (root / "README.txt").exists():
                    (root / "README.txt").write_bytes(_README)
                TemporaryFile(dir=root / "records").close()
        elif not (root / "records").is_dir():
            raise InputError(
                f"no results in {root}: run `hashbench run` first, or name another folder "
                "with --results"
            )

    def path(self, kind: str, key: str) -> Path:
        """Where the file of `kind` ("records", "codes", ...) of a key lies."""
        return self.root / kind / f"{key}.{'json' if kind == 'records' else 'npz'}"

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
                    for stale in (self.root / folder).glob(f".{name}.*.tmp"):
                        stale.unlink(missing_ok=True)
            yield lock.is_locked
        finally:
            lock.release()

    def get(self, key: str) -> Record | None:
        """The record of a key, or None; a damaged file is put in quarantine."""
        path = self.path("records", key)
        try:
            record = Record.from_json(path.read_bytes())
            if record.key != key:
                raise BadRecordError(f"its key is {record.key[:40]!r}")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"cannot read the record {path}: {error.strerror}") from error
        except BadRecordError as error:
            self._quarantine(path, str(error))
            return None
        return record

    def records(self) -> list[Record]:
        """Every readable record, ordered by key."""
        keys = sorted(path.stem for path in (self.root / "records").glob("*.json"))
        return [record for key in keys if (record := self.get(key)) is not None]

    def done(self, key: str) -> bool:
        """Whether a key has scores, and whole files of the codes and split they came from.

        Damaged files are put in quarantine, so that running the cell again mends them.
        """
        record = self.get(key)
        return record is not None and record.ok and self._whole(record)

    def mark(self, key: str) -> str:
        """A digest of the record file of a key, "" without one: has it been written since?"""
        try:
            return hashlib.sha256(self.path("records", key).read_bytes()).hexdigest()
        except OSError:
            return ""

    def put(
        self,
        record: Record,
        codes: tuple[Codes, Codes] | None = None,
        per_query: Mapping[str, NDArray[np.float64]] | None = None,
        *,
        keep_relaxed: bool = False,
    ) -> None:
        """Store a record and, before it, its (query, database) codes and per-query scores.

        Raises:
            StoreError: if the disk is full or the folder cannot be written to;
                the cell then counts as not done.
        """
        with self._writing():
            if codes is not None:
                query, database = codes
                arrays: Arrays = {
                    "query_codes": query.packed,
                    "database_codes": database.packed,
                    "bits": np.array(query.bits),
                }
                if keep_relaxed and query.relaxed is not None and database.relaxed is not None:
                    arrays |= {"query_relaxed": query.relaxed, "database_relaxed": database.relaxed}
                self._write_arrays("codes", record.key, arrays)
            if per_query:
                self._write_arrays("per-query", record.key, dict(per_query))
            data = record.to_json()
            write_atomically(self.path("records", record.key), lambda stream: stream.write(data))

    def put_split(self, sha256: str, arrays: Callable[[], Arrays]) -> None:
        """Store what the evaluator needs of a split, once.

        Raises:
            StoreError: if the disk is full or the folder cannot be written to.
        """
        if self.path("splits", sha256).is_file():
            return
        with self.claim(sha256, timeout=60), self._writing():
            if not self.path("splits", sha256).is_file():
                self._write_arrays("splits", sha256, arrays())

    def open_codes(self, record: Record) -> tuple[Codes, Codes]:
        """The (query, database) codes of a record.

        Raises:
            InputError: if they are missing or damaged.
        """
        arrays = self._read_arrays("codes", record.key)
        try:
            bits = int(arrays["bits"])
            query, database = (
                Codes(arrays[f"{part}_codes"], bits, arrays.get(f"{part}_relaxed"))
                for part in ("query", "database")
            )
        except (KeyError, TypeError, ValueError) as error:
            path = self.path("codes", record.key)
            raise InputError(
                f"the codes in {path} are damaged ({error}): delete them and run again"
            ) from error
        return query, database

    def open_split(self, record: Record) -> Arrays:
        """The arrays of a record's split: query_labels, database_labels and ids.

        Raises:
            InputError: if they are missing or damaged.
        """
        return self._read_arrays("splits", str(record.split.get("sha256", "none")))

    def per_query(self, record: Record) -> dict[str, NDArray[np.float64]]:
        """Per-query scores by "convention|metric".

        Raises:
            InputError: if they are missing or damaged.
        """
        return self._read_arrays("per-query", record.key)

    def _whole(self, record: Record) -> bool:
        split = str(record.split.get("sha256", "none"))
        checks = [("codes", record.key), ("per-query", record.key)]
        if split not in self._whole_splits:
            checks.append(("splits", split))
        for kind, key in checks:
            path = self.path(kind, key)
            if not path.is_file():
                if kind == "per-query":
                    continue  # a cell may have none
                return False
            try:
                self._read_arrays(kind, key)
                if kind == "codes":
                    self.open_codes(record)
            except InputError as error:
                self._quarantine(path, str(error.__cause__))
                return False
        self._whole_splits.add(split)
        return True

    def _write_arrays(self, kind: str, key: str, arrays: Arrays) -> None:
        write_atomically(
            self.path(kind, key), lambda stream: np.savez(stream, allow_pickle=False, **arrays)
        )

    def _read_arrays(self, kind: str, key: str) -> dict[str, NDArray[Any]]:
        path = self.path(kind, key)
        try:
            return read_arrays(path)
        except FileNotFoundError as error:
            raise InputError(f"{path} is missing: run the cell again") from error
        except (OSError, ValueError) as error:
            raise InputError(f"{path} is damaged: delete it and run the cell again") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"cannot write results to {self.root}: {error.strerror or error}; what was "
                "finished is kept, make room or choose another folder with --results"
            ) from error

    def _quarantine(self, path: Path, reason: str) -> None:
        target = self.root / "quarantine"
        try:
            target.mkdir(exist_ok=True)
            kept = target / path.name
            number = 1
            while kept.exists():  # what was damaged before stays too
                number += 1
                kept = target / f"{path.stem}-{number}{path.suffix}"
            path.replace(kept)
            where = f"moved to {kept}"
        except OSError:
            where = "left where it is"
        warnings.warn(f"{path} is damaged ({reason}): not counted, {where}", stacklevel=3)


def split_arrays(
    query_labels: NDArray[np.uint8],
    database_labels: NDArray[np.uint8],
    query_ids: Iterable[str],
    database_ids: Iterable[str],
    classes: Iterable[str],
) -> Arrays:
    """The arrays `Store.put_split` keeps, labels and ids as they are."""
    return {
        "query_labels": query_labels,
        "database_labels": database_labels,
        "query_ids": np.array(list(query_ids)),
        "database_ids": np.array(list(database_ids)),
        "classes": np.array(list(classes)),
    }


_README = b"hashbench results: one record per cell. Read them with `hashbench export`.\n"
