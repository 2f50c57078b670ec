"""Where listed images are: under which folder, and without how many of the folders listed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hashbench.errors import InputError, shown
from hashbench.spelling import Spelling

#: Paths that are tried, and those where none of these is there.
_TRIED, _MORE = 200, 5_000

#: Leading folders that are dropped at most.
_DEEPEST = 64


def base_of(paths: Sequence[str], roots: Sequence[Path], spelling: Spelling) -> tuple[Path, int]:
    """The folder that paths start from, and how many of their leading folders to drop.

    Lists carry the folders of another machine. Under the folder that is taken most images
    are found, of some spread over the list; of equal ones the one that drops least.

    Args:
        paths: as listed, with `/`.
        roots: where images may be, the likeliest first.
        spelling: finds names however they are spelt.

    Returns:
        The first of the roots, and 0, if no image is anywhere.
    """
    found: dict[tuple[int, int], int] = {}
    for tried in (_TRIED, _MORE) if paths else ():
        for place in np.unique(np.linspace(0, len(paths) - 1, tried).astype(int)):
            for base in _bases(paths[place], roots, spelling):
                found[base] = found.get(base, 0) + 1
        if found:
            break
    depth, root = min(found, key=lambda base: (-found[base], base), default=(0, 0))
    return roots[root], depth


def without(path: str, depth: int, where: str) -> str:
    """A listed path without its leading folders.

    Args:
        path: as listed, with `/`.
        depth: how many to drop.
        where: what begins the sentence if it has no more than these.

    Raises:
        InputError: if it has no more than these.
    """
    name = "/".join(path.lstrip("/").split("/")[depth:])
    if not name:
        raise InputError(
            f"{where}: '{shown(path)}' has no more folders than the {depth} that are left out of "
            "other paths: list all alike"
        )
    return name


def _bases(path: str, roots: Sequence[Path], spelling: Spelling) -> Iterator[tuple[int, int]]:
    """How many folders to drop, and the number of the root, wherever the image is there."""
    parts = path.lstrip("/").split("/")
    for depth in range(min(len(parts), _DEEPEST)):
        for number, root in enumerate(roots):
            # Path.is_file raises where a path is longer than the system allows.
            if os.path.isfile(spelling.path(root, "/".join(parts[depth:]))):  # noqa: PTH113
                yield depth, number
