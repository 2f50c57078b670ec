"""Arrays of an .npz file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from hashbench.evaluation.foreign.source import Array, Source, Variable, what
from hashbench.npy import list_arrays, read_arrays


def open_npz(path: Path) -> Source:
    """The arrays of an .npz file, each read when it is asked for.

    Raises:
        OSError: if it cannot be opened.
        ValueError: if it is no .npz file.
    """
    return {
        name: Variable(what(*header), partial(_array, path, name))
        for name, header in list_arrays(path).items()
    }


def _array(path: Path, name: str) -> Array:
    return read_arrays(path, (name,))[name]
