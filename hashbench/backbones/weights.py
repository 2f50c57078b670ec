"""Finding weight files, verifying them, loading them without executing anything."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from hashbench.errors import InputError, shown
from hashbench.files import open_regular
from hashbench.tensors import load_plain


@lru_cache(maxsize=32)
def _sha256(path: Path, size: int, changed: int) -> str:
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verified(path: Path, sha256: str, remedy: str) -> str:
    """The sha256 of a weight file.

    Args:
        path: the file.
        sha256: its published hex digest, or the first digits of it (torch hub's
            file names carry eight).
        remedy: how to get the file, ending a sentence after a colon.

    Raises:
        InputError: if the file is missing or another one.
    """
    try:
        status = path.stat()
        found = _sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise InputError(f"the weights {path} are not there ({shown(error)}): {remedy}") from error
    if not found.startswith(sha256):
        raise InputError(
            f"the weights {path} are damaged or others (sha256 {found[:16]}, expected "
            f"{sha256[:16]}): remove the file, then {remedy}"
        )
    return found


def load(path: Path) -> dict[str, Any]:
    """A state dict.

    Raises:
        InputError: if the file is damaged, or anything but tensors by name.
    """
    import torch

    try:
        state = load_plain(path)
    except Exception as error:  # damaged archives raise almost anything
        raise InputError(
            f"the weights {path} are not tensors alone, and nothing else is loaded (weights_only, "
            f"{type(error).__name__}): fetch the file again"
        ) from error
    named = isinstance(state, dict) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in state.items()
    )
    if not named:
        raise InputError(f"the weights {path} are not tensors by name: fetch the file again")
    return dict(state)
