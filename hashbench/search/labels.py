"""Labels that lie in the names of folders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.spelling import composed


def folder_labels(ids: Sequence[str]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """One label an item: the folder right above it, as in `cats/3.png`.

    Returns:
        `(n, classes)` uint8 one-hot, and the classes' names, sorted.

    Raises:
        InputError: if an item is in no folder.
    """
    names = []
    for name in ids:
        parts = name.split("/")
        if len(parts) < 2:
            raise InputError(
                f"{name} is in no folder that would say its class: put it in one, or leave "
                "--labels folders out"
            )
        names.append(composed(parts[-2]))
    classes, columns = np.unique(names, return_inverse=True)
    return np.eye(len(classes), dtype=np.uint8)[columns], tuple(classes.tolist())
