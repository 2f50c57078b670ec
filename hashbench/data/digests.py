"""Digests of files' contents, remembered so that unchanged files are read once.

What is remembered of a folder is one text file of the cache, `digests/<name>.txt`,
with a line `<sha256> <size> <inode> <times of change> <name>` per file read, and
a file of which all but the sha256 is as it was is not read again. Lines are only
ever appended, each batch in one write that begins a new line: what a kill cuts
off, or two processes write at once, is at worst a line that fits no file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hashbench import runtime
from hashbench.data.folders import cache_root
from hashbench.files import open_regular

#: Stands for the digest of a file that cannot be read.
UNREADABLE = "-"

#: Files read before their digests are written down: the most that a kill can lose.
BATCH = 512

#: Reading threads where the runtime names no number.
THREADS = 8

#: A file this many nanoseconds old may change again without another time of change
#: (file systems count in up to 2 s), so it is not remembered.
SETTLED = 2 * 10**9

#: Where a line's sha256 ends.
_HEX = 64


def place(path: str) -> tuple[str, str]:
    """Folder and name of a file; several times as fast as pathlib, for data sets of many files."""
    folder, slash, name = path.rpartition("/")
    return folder or slash or ".", name


def content_digests(paths: Sequence[str]) -> list[str]:
    """The sha256 of each file's bytes, in hex; `UNREADABLE` where there are none to read.

    Several threads read what is not remembered; it is remembered unless the cache
    cannot be written to.
    """
    digests = [UNREADABLE] * len(paths)
    folders: dict[str, list[tuple[int, str]]] = {}
    for row, path in enumerate(paths):
        folder, name = place(path)
        folders.setdefault(folder, []).append((row, name))
    unread: list[tuple[Path, list[tuple[int, str]]]] = []
    for folder, files in folders.items():
        memory = _memory(folder)
        known = _remembered(memory)
        unknown = []
        for row, name in files:
            path = paths[row]
            try:
                digest = known.get(_state(name, os.stat(path)))  # noqa: PTH116 - hot
            except (OSError, ValueError):  # a name no file can have is a ValueError
                continue
            if digest is None:
                unknown.append((row, path))
            else:
                digests[row] = digest
        unread += [
            (memory, unknown[start : start + BATCH]) for start in range(0, len(unknown), BATCH)
        ]
    for row, digest in _read(unread):
        digests[row] = digest
    return digests


def _read(batches: list[tuple[Path, list[tuple[int, str]]]]) -> Iterator[tuple[int, str]]:
    """Row and digest of every file of the batches, writing down each batch."""
    total = sum(len(files) for _memory, files in batches)
    where, done = runtime.current(), 0
    with ThreadPoolExecutor(where.threads or THREADS, "digest") as pool:
        for memory, files in batches:
            found = list(pool.map(_digest, (path for _row, path in files)))
            _remember(memory, [(state, digest) for state, digest in found if state])
            for (row, _path), (_state, digest) in zip(files, found, strict=True):
                yield row, digest
            done += len(files)
            where.progress(done / total, f"images read for their digest {done:,}/{total:,}")


def _digest(path: str) -> tuple[str, str]:
    """State and digest of a file; no state if it must not be remembered."""
    _folder, name = place(path)
    digest = hashlib.sha256()
    try:
        with open_regular(path) as stream:
            before = _state(name, os.fstat(stream.fileno()))
            while chunk := stream.read(2**20):
                digest.update(chunk)
            status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return "", UNREADABLE
    state = _state(name, status)
    age = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns)
    lasting = age > SETTLED and state == before and "\n" not in name
    return state if lasting else "", digest.hexdigest()


def _state(name: str, status: os.stat_result) -> str:
    """What is another when a file was changed or replaced."""
    changed = f"{status.st_mtime_ns} {status.st_ctime_ns}"
    return f"{status.st_size} {status.st_ino} {changed} {name}"


def _memory(folder: str) -> Path:
    """The file that remembers the digests of a folder."""
    resolved = os.fsencode(os.path.realpath(folder))
    return cache_root() / "digests" / f"{hashlib.sha256(resolved).hexdigest()[:20]}.txt"


def _remembered(memory: Path) -> dict[str, str]:
    """Digests by state; none if nothing is remembered."""
    try:
        with open_regular(memory) as stream:
            lines = stream.read().decode("utf-8", "surrogateescape").split("\n")
    except OSError:
        return {}
    return {line[_HEX + 1 :]: line[:_HEX] for line in lines if line}


def _remember(memory: Path, found: list[tuple[str, str]]) -> None:
    """Append digests, if the cache can be written to; they are read again otherwise."""
    if not found:
        return
    lines = "\n" + "".join(f"{digest} {state}\n" for state, digest in found)
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(memory, flags, 0o644)
        try:
            os.write(descriptor, lines.encode("utf-8", "surrogateescape"))
        finally:
            os.close(descriptor)
