"""What there is of a kind, described without importing it again and again."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

Listing = list[dict[str, Any]]


def remembered(group: str, describe: Callable[[], tuple[Listing, bool]], name: str = "") -> Listing:
    """Descriptions of the installed parts of a group, from the cache unless code changed.

    To import every method takes seconds, and to look at the files' times takes none.

    Args:
        group: an entry-point group.
        describe: imports and describes them all; the flag says whether that may be kept.
        name: of what is described, where that is not every part of the group.
    """
    from hashbench.data.folders import cache_root
    from hashbench.files import write_atomically

    path = cache_root() / "listings" / f"{name or group}-{_stamp(entry_points(group=group))}.json"
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_bytes())
        if isinstance(found, list) and all(isinstance(item, dict) for item in found):
            return found
    listing, lasting = describe()
    text = json.dumps(listing, default=str)
    if lasting:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            for old in path.parent.glob(f"{name or group}-*.json"):
                old.unlink(missing_ok=True)
            write_atomically(path, lambda stream: stream.write(text.encode()))
    parsed: Listing = json.loads(text)
    return parsed


def _stamp(points: Iterable[EntryPoint]) -> str:
    """Changes with the entry points, and with any Python file of the packages they are in."""
    stamp = hashlib.sha256()
    packages = {"hashbench"}
    for point in sorted(points, key=lambda point: (point.name, point.value)):
        version = point.dist.version if point.dist is not None else ""
        stamp.update(f"{point.name}\0{point.value}\0{version}\n".encode())
        packages.add(point.module.partition(".")[0])
    for package in sorted(packages):
        with contextlib.suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(package)
            if spec is not None and spec.origin is not None:
                for line in _times(Path(spec.origin), bool(spec.submodule_search_locations)):
                    stamp.update(line.encode())
    return stamp.hexdigest()[:20]


def _times(origin: Path, package: bool) -> list[str]:
    """Name and time of change of each Python file."""
    lines = []
    folders = [str(origin.parent)] if package else []
    files = [] if package else [str(origin)]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.name.endswith(".py"):
                    files.append(entry.path)
    for file in sorted(files):
        with contextlib.suppress(OSError):
            lines.append(f"{file}\0{os.stat(file).st_mtime_ns}\n")  # noqa: PTH116 - texts
    return lines
