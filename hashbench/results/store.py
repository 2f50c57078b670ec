"""The store: one folder for a benchmark, one small file per finished cell.

Layout::

    records/<key>.json      the commit mark of a cell: written last, renamed into place
    codes/<key>.npz         query_codes, database_codes (packed), bits; relaxed outputs if kept
    per-query/<key>.npz     per-query scores, for confidence intervals and paired tests
    splits/<sha256>.npz     query_labels, database_labels, query_ids, database_ids, classes
    quarantine/             files that were damaged, kept for inspection
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.files import write_atomically
from hashbench.results.record import BadRecordError, Record

DEFAULT_STORE = Path("hashbench-results")


class Store:
    """Records and what belongs to them, under one folder.

    Args:
        root: the folder.
        create: make it if it does not exist, and check that it can be written to.

    Raises:
        InputError: if the folder does not exist (without `create`), is not a
            folder, or cannot be written to (with `create`).
    """

    def __init__(self, root: Path, *, create: bool = False) -> None:
        self.root = root
        if create:
            try:
                for part in ("records", "codes", "per-query", "splits"):
                    (root / part).mkdir(parents=True, exist_ok=True)
                write_atomically(root / "README.txt", lambda stream: stream.write(_README))
            except OSError as error:
                raise InputError(
                    f"cannot write results to {root}: {error.strerror or error}; "
                    "choose another folder with --results"
                ) from error
        elif not (root / "records").is_dir():
            raise InputError(
                f"no results in {root}: run `hashbench run` first, or name another folder "
                "with --results"
            )

    def path(self, kind: str, key: str) -> Path:
        """Where the file of `kind` ("records", "codes", ...) of a key lies."""
        return self.root / kind / f"{key}.{'json' if kind == 'records' else 'npz'}"

    def get(self, key: str) -> Record | None:
        """The record of a key, or None; a damaged file is put in quarantine."""
        path = self.path("records", key)
        try:
            record = Record.from_json(path.read_bytes())
            if record.key != key:
                raise BadRecordError(f"its key is {record.key}")
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
        """Whether a key has scores and the codes they came from."""
        record = self.get(key)
        return record is not None and record.ok and self.path("codes", key).is_file()

    def put(
        self,
        record: Record,
        codes: tuple[Codes, Codes] | None = None,
        per_query: Mapping[str, NDArray[np.float64]] | None = None,
        *,
        keep_relaxed: bool = False,
    ) -> None:
        """Store a record and, before it, its (query, database) codes and per-query scores."""
        if codes is not None:
            query, database = codes
            arrays = {
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

    def put_split(self, sha256: str, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Store what the evaluator needs of a split, once."""
        if not self.path("splits", sha256).is_file():
            self._write_arrays("splits", sha256, dict(arrays))

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
        except (KeyError, ValueError) as error:
            path = self.path("codes", record.key)
            raise InputError(
                f"the codes in {path} are damaged ({error}): delete them and run again"
            ) from error
        return query, database

    def open_split(self, record: Record) -> dict[str, NDArray[np.generic]]:
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

    def _write_arrays(self, kind: str, key: str, arrays: dict[str, NDArray[np.generic]]) -> None:
        write_atomically(
            self.path(kind, key), lambda stream: np.savez(stream, allow_pickle=False, **arrays)
        )

    def _read_arrays(self, kind: str, key: str) -> dict:  # type: ignore[type-arg]
        path = self.path(kind, key)
        try:
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except FileNotFoundError as error:
            raise InputError(f"{path} is missing: run the cell again") from error
        except Exception as error:  # zipfile, zlib and numpy each raise their own
            raise InputError(
                f"{path} is damaged ({error}): delete it and run the cell again"
            ) from error

    def _quarantine(self, path: Path, reason: str) -> None:
        target = self.root / "quarantine"
        try:
            target.mkdir(exist_ok=True)
            path.replace(target / path.name)
            kept = f"moved to {target / path.name}"
        except OSError:
            kept = "left where it is"
        warnings.warn(f"{path} is damaged ({reason}): not counted, {kept}", stacklevel=3)


def split_arrays(
    query_labels: NDArray[np.uint8],
    database_labels: NDArray[np.uint8],
    query_ids: Iterable[str],
    database_ids: Iterable[str],
    classes: Iterable[str],
) -> dict[str, NDArray[np.generic]]:
    """The arrays `Store.put_split` keeps, labels and ids as they are."""
    return {
        "query_labels": query_labels,
        "database_labels": database_labels,
        "query_ids": np.array(list(query_ids)),
        "database_ids": np.array(list(database_ids)),
        "classes": np.array(list(classes)),
    }


_README = b"hashbench results: one record per cell. Read them with `hashbench export`.\n"
