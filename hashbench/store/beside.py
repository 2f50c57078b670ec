"""What lies beside a record: how its cell was asked for, and when it was found right again."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from hashbench.files import write_atomically
from hashbench.origin import Origin
from hashbench.store.record import read_small

#: The file of a key that says when a run found it to be right again.
_FOUND = "found"


class Beside:
    """A folder of folders, one a key: a file an origin, named by its digest, and `found`.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, Origin] = {}

    def folder(self, key: str) -> Path:
        """Where all of a key lies."""
        return self.root / key

    def read(self, key: str) -> tuple[tuple[Origin, ...], str]:
        """The origins of a key that can be read, and when it was found again, "" for never."""
        folder = self.folder(key)
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries)
        except OSError:
            return (), ""
        origins = (self._origin(folder / name) for name in names if name.endswith(".json"))
        found = _time_in(folder / _FOUND) if _FOUND in names else ""
        return tuple(origin for origin in origins if origin is not None), found

    def put_origin(self, key: str, origin: Origin) -> None:
        """Keep a way in which a cell was asked for, once.

        Raises:
            OSError: if it cannot be written.
        """
        name = f"{origin.digest}.json"
        if not (self.folder(key) / name).is_file():
            self._write(key, name, json.dumps(asdict(origin), indent=1, sort_keys=True))

    def put_found(self, key: str, when: str) -> None:
        """Keep when a run found data and code to be what they were.

        Raises:
            OSError: if it cannot be written.
        """
        self._write(key, _FOUND, when)

    def _write(self, key: str, name: str, text: str) -> None:
        self.folder(key).mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder(key) / name, lambda stream: stream.write(text.encode()))

    def _origin(self, path: Path) -> Origin | None:
        """The origin in a file, which is named by its digest: what was read once is known."""
        if path.stem not in self._known:
            with suppress(OSError, ValueError, TypeError, RecursionError):
                origin = Origin(**json.loads(read_small(path)))
                if path.stem == origin.digest:
                    self._known[path.stem] = origin
        return self._known.get(path.stem)


def _time_in(path: Path) -> str:
    try:
        text = read_small(path).decode("ascii").strip()
        return datetime.fromisoformat(text).isoformat(timespec="milliseconds")
    except (OSError, ValueError):
        return ""
