"""The feature cache: tables computed once, resumable, shared by processes, verified on open.

A table is a folder `<cache>/features/<backbone>-<key>/` with

- `features.npy`: the `(n, dim)` float32 table, present only when complete;
- `table.json`: what it was computed from, its shape, and a checksum per block;
- `features.part` and `blocks.jsonl` while it is being computed: the finished
  blocks outlive a kill, and the next process goes on from them;
- `.lock`: held by the process that computes; the system frees it when that dies.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from hashbench.data.unchanged import ChangedError
from hashbench.errors import InputError, shown, unless_scarce
from hashbench.files import open_regular, write_atomically
from hashbench.npy import map_array

#: Rows of a block: the most that a kill can lose.
BLOCK = 512

#: Raised when the form of what is cached changes.
FORMAT = 1

Progress = Callable[[float, str], None]
#: Yields the features of the given rows, in order, in batches of any size.
Compute = Callable[[NDArray[np.int64]], Iterable[NDArray[Any]]]


@dataclass(frozen=True)
class CachedTable:
    """One table of the cache, computed or not.

    Attributes:
        folder: where it is kept.
        shape: rows and columns.
        origin: what it is computed from, for people who look into the cache.
        dtype: what its numbers are kept as.
    """

    folder: Path
    shape: tuple[int, int]
    origin: Mapping[str, Any]
    dtype: str = "float32"

    @property
    def path(self) -> Path:
        """The finished table."""
        return self.folder / "features.npy"

    def open(self) -> NDArray[Any] | None:
        """The table, memory-mapped read-only; None if it is not finished.

        A damaged table is moved aside with one warning, to be computed again.
        """
        if not self.path.exists():
            return None
        try:
            table = map_array(self.path)
            if table.shape != self.shape or table.dtype != self.dtype:
                held, wanted = f"{table.shape} {table.dtype}", f"{self.shape} {self.dtype}"
                raise ValueError(f"it holds {held}, not {wanted}")
            expected = getattr(table, "offset", 0) + table.nbytes
            if self.path.stat().st_size != expected:
                raise ValueError(f"it has {self.path.stat().st_size} bytes, not {expected}")
            _hold_against_checksums(self.folder)
        except (OSError, ValueError) as error:
            unless_scarce(error)
            aside = self.folder / "features.damaged"
            try:
                with contextlib.suppress(FileNotFoundError):  # another process was first
                    self.path.replace(aside)
            except OSError as refusal:
                raise InputError(
                    f"the cached features {self.path} are damaged ({shown(error)}) and cannot be "
                    f"moved aside ({shown(refusal)}): remove {self.folder}"
                ) from refusal
            warnings.warn(
                f"the cached features {self.path} are damaged ({shown(error)}); "
                f"moved to {aside.name} and computed again",
                stacklevel=3,
            )
            return None
        return table

    def compute(self, compute: Compute, engine: str, progress: Progress) -> NDArray[Any]:
        """The table, computing what is missing of it.

        While another process computes it, waits; takes over if that one dies.

        Raises:
            InputError: if the cache cannot be written to or the disk is full.
            ChangedError: if `compute` does: nothing is kept then.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with _held(self.folder / ".lock", progress):
                table = self.open()
                if table is None:
                    part = _Part(self, engine)
                    try:
                        part.fill(compute, progress)
                    except ChangedError:
                        part.drop()
                        raise
                    table = self.open()
        except OSError as error:
            raise InputError(
                f"the features could not be cached in {self.folder}: {error}; make room there or "
                "name another folder with HASHBENCH_CACHE"
            ) from error
        assert table is not None
        return table


#: Tables this process has held against their checksums: path, size and time of change.
_held_tables: set[tuple[str, int, int]] = set()


def _hold_against_checksums(folder: Path) -> None:
    """Read a finished table once a process: a flipped bit must not become a score.

    Raises:
        OSError: if it cannot be read.
        ValueError: if a block does not match its checksum, or there are none.
    """
    status = (folder / "features.npy").stat()
    held = (str(folder), status.st_size, status.st_mtime_ns)
    if held in _held_tables:
        return
    if damaged := damaged_blocks(folder):  # an InputError is a ValueError
        raise ValueError(f"{len(damaged)} of its blocks do not match their checksums")
    _held_tables.add(held)


def damaged_blocks(folder: Path) -> list[int]:
    """The blocks of a finished table that do not match their checksums; reads all of it.

    Raises:
        InputError: if the folder holds no finished table.
    """
    try:
        with open_regular(folder / "table.json") as stream:
            checksums = json.load(stream)["blocks"]
        table = map_array(folder / "features.npy")
        if table.ndim == 0 or len(checksums) != -(-len(table) // BLOCK):
            raise ValueError("a checksum is needed for each block")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{folder} holds no finished table of features: remove it") from error
    return [
        number
        for number, expected in enumerate(checksums)
        if _checksum(table[number * BLOCK : (number + 1) * BLOCK]) != expected
    ]


class _Part:
    """A table that is being computed."""

    def __init__(self, table: CachedTable, engine: str) -> None:
        self.table = table
        self.engine = engine
        self.data = table.folder / "features.part"
        self.log = table.folder / "blocks.jsonl"

    def fill(self, compute: Compute, progress: Progress) -> None:
        rows = self.table.shape[0]
        memory = self._memory()
        done = self._finished(memory)
        missing = [number for number in range(-(-rows // BLOCK)) if number not in done]
        wanted = np.concatenate([_rows(number, rows) for number in missing] or [np.arange(0)])
        pace = _Pace(self.engine, rows, rows - len(wanted), progress)
        batches = iter(compute(wanted)) if len(wanted) else iter(())
        with self.log.open("a") as log:
            blocks = _blocks(batches, missing, rows, self.table.dtype, pace)
            for number, block in zip(missing, blocks, strict=True):
                start = number * BLOCK
                memory[start : start + len(block)] = block
                memory.flush()
                entry = {"block": number, "crc32": _checksum(block), "engine": self.engine}
                log.write(json.dumps(entry) + "\n")
                log.flush()
                os.fsync(log.fileno())
                done[number] = entry
        del memory
        self._publish([done[number] for number in sorted(done)])

    def drop(self) -> None:
        """Remove what is computed so far."""
        self.log.unlink(missing_ok=True)
        self.data.unlink(missing_ok=True)

    def _memory(self) -> np.memmap[Any, Any]:
        """The unfinished table, made anew unless a whole one of the right shape is there."""
        with contextlib.suppress(OSError, ValueError):
            found = map_array(self.data)
            if found.shape == self.table.shape and found.dtype == self.table.dtype:
                return np.lib.format.open_memmap(self.data, mode="r+")
        needed = np.dtype(self.table.dtype).itemsize * math.prod(self.table.shape)
        free = shutil.disk_usage(self.table.folder).free
        if free < needed:
            raise OSError(f"{needed / 1e9:.2f} GB are needed and {free / 1e9:.2f} GB are free")
        self.drop()
        memory = np.lib.format.open_memmap(
            self.data, mode="w+", dtype=self.table.dtype, shape=self.table.shape
        )
        if hasattr(os, "posix_fallocate"):
            # A disk that fills up must be an error now, not a bus error while writing.
            with self.data.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, memory.offset + memory.nbytes)
        return memory

    def _finished(self, memory: NDArray[Any]) -> dict[int, dict[str, Any]]:
        """The blocks a stopped process left whole."""
        try:
            with open_regular(self.log) as stream:
                lines = stream.read().splitlines()
        except OSError:
            self.log.unlink(missing_ok=True)
            return {}
        done = {}
        for line in lines:
            try:
                found = json.loads(line)
                entry = {name: found[name] for name in ("block", "crc32", "engine")}
                number, expected = entry["block"], entry["crc32"]
                if [type(value) for value in entry.values()] != [int, int, str] or number < 0:
                    continue
            except (ValueError, KeyError, TypeError, RecursionError):
                continue  # the line being written when the process stopped
            block = memory[number * BLOCK : (number + 1) * BLOCK]
            if len(block) and _checksum(block) == expected:
                done[number] = entry
        return done

    def _publish(self, blocks: list[dict[str, Any]]) -> None:
        description = dict(self.table.origin) | {
            "format": FORMAT,
            "shape": list(self.table.shape),
            "engines": sorted({entry["engine"] for entry in blocks}),
            "blocks": [entry["crc32"] for entry in blocks],
        }
        text = json.dumps(description, indent=1)
        write_atomically(
            self.table.folder / "table.json", lambda stream: stream.write(text.encode())
        )
        self.data.replace(self.table.path)
        self.log.unlink(missing_ok=True)


def _checksum(block: NDArray[Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(block).data.cast("B"))


def _rows(number: int, rows: int) -> NDArray[np.int64]:
    return np.arange(number * BLOCK, min((number + 1) * BLOCK, rows))


def _blocks(
    batches: Iterator[NDArray[Any]], numbers: list[int], rows: int, dtype: str, pace: _Pace
) -> Iterator[NDArray[Any]]:
    """Regroup batches of any size into the blocks with these numbers."""
    held: list[NDArray[Any]] = []
    for number in numbers:
        size = len(_rows(number, rows))
        while sum(map(len, held)) < size:
            held.append(next(batches))
            pace.advance(len(held[-1]))
        joined = np.concatenate(held)
        held = [joined[size:]]
        yield np.ascontiguousarray(joined[:size], dtype=dtype)


class _Pace:
    """Reports how far a computation is, at most four times a second."""

    def __init__(self, engine: str, total: int, done: int, progress: Progress) -> None:
        self.engine = engine
        self.total = total
        self.before = self.done = done
        self.progress = progress
        self.start = time.monotonic()
        self.said = 0.0

    def advance(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now - self.said < 0.25 and self.done < self.total:
            return
        self.said = now
        speed = (self.done - self.before) / max(now - self.start, 1e-9)
        left = (self.total - self.done) / max(speed, 1e-9)
        self.progress(
            self.done / self.total,
            f"features {self.done:,}/{self.total:,} images, {speed:.0f}/s, {left:.0f}s left "
            f"({self.engine})",
        )


class _held:  # noqa: N801 - used as a function
    """Hold a lock file, saying now and then that another process has it."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self.lock = FileLock(path)
        self.progress = progress

    def __enter__(self) -> None:
        while True:
            try:
                self.lock.acquire(timeout=2)
                return
            except Timeout:
                self.progress(0.0, "waiting for another process that extracts these features")

    def __exit__(self, *_error: object) -> None:
        self.lock.release()
