"""How much room a store's files take."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hashbench.store.record import Record
from hashbench.store.store import Store

#: What a folder of results holds, by what a person calls it.
KINDS = {
    "hashers": ("hashers",),
    "codes": ("codes",),
    "real-valued outputs": ("relaxed",),
    "scores": ("scores",),
    "labels and ids": ("splits",),
    "records": ("records", "origins", "claims", "sweeps"),
    "unfinished training": ("checkpoints",),
}


def room(root: Path) -> dict[str, int]:
    """Bytes of a folder of results by kind, the empty ones left out."""
    found = {
        kind: sum(_size(path) for folder in folders for path in (root / folder).rglob("*"))
        for kind, folders in KINDS.items()
    }
    return {kind: size for kind, size in found.items() if size}


def hasher_room(store: Store, record: Record) -> int | None:
    """Bytes of a record's fitted hasher; None where none was kept."""
    return (_size(store.path("hasher", record.key)) or None) if "hasher" in record.files else None


def in_words(size: float) -> str:
    """Bytes as a person reads them: "12 kB"."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size:.0f} bytes"


def _size(path: Path) -> int:
    """Of a regular file; a run may remove one while it is looked at."""
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
