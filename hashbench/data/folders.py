"""Where data sets and derived files are kept."""

from __future__ import annotations

import os
from pathlib import Path

from hashbench.spelling import typed


def default_data_root() -> Path:
    """The folder named by HASHBENCH_DATA, or `data` in the working folder."""
    return typed(os.environ.get("HASHBENCH_DATA") or "data")


def cache_root() -> Path:
    """HASHBENCH_CACHE, or `hashbench` in the user's cache folder (XDG_CACHE_HOME)."""
    own = os.environ.get("HASHBENCH_CACHE")
    if own:
        return typed(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "hashbench"
