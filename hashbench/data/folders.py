"""Where data sets and derived files are kept."""

from __future__ import annotations

import os
from pathlib import Path


def default_data_root() -> Path:
    """The folder named by HASHBENCH_DATA, or `data` in the working folder."""
    return Path(os.environ.get("HASHBENCH_DATA") or "data").expanduser()


def cache_root() -> Path:
    """HASHBENCH_CACHE, or `hashbench` in the user's cache folder (XDG_CACHE_HOME)."""
    own = os.environ.get("HASHBENCH_CACHE")
    if own:
        return Path(own).expanduser()
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "hashbench"
