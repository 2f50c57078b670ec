"""The ceiling of a bench: computed once, where its features are at hand."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.cell import FROM_PIXELS
from hashbench.data import Split
from hashbench.errors import InputError
from hashbench.evaluation.ceiling import cosine_precision
from hashbench.items import Items
from hashbench.runner.settings import Progress, Task
from hashbench.store.ceilings import get_ceiling, put_ceiling
from hashbench.store.store import Store

#: Pairs of a query and a database item beyond which ranking by cosine takes minutes.
MOST_PAIRS = 1_500_000_000


def keep_ceiling(task: Task, split: Split, store: Store, progress: Progress) -> None:
    """Have the ceiling of a task's bench in the store.

    Nothing is done where it is there, where features are not (training from
    pixels), or where there are more than `MOST_PAIRS`.

    Args:
        task: a cell of the bench.
        split: its split, with features.
        store: where it is kept.
        progress: told what is going on.

    Raises:
        StoreError: if it cannot be kept.
    """
    backbone = task.cell.bench.backbone
    if task.cell.mode in FROM_PIXELS or get_ceiling(store, task.evidence, backbone):
        return
    if len(split.query) * len(split.database) > MOST_PAIRS:
        return
    progress(0.0, "ceiling: ranking by cosine of features")
    with suppress(InputError):  # features that are not finite: the cells will say so
        put_ceiling(store, task.evidence, backbone, ceiling(split))


def ceiling(split: Split) -> dict[str, float]:
    """The mAP of ranking by cosine of a split's features, by view; "" is the plain score's.

    Raises:
        InputError: if features are not finite.
    """
    every, whole = np.arange(len(split.query)), np.arange(len(split.database))
    views = {"": (every, whole), **split.views}
    # A query has one average precision over the whole database, in however many views it is.
    each = _precisions(split, every, whole)
    return {
        name: float(
            (
                each[asked] if np.array_equal(searched, whole)
                else _precisions(split, asked, searched)
            ).mean()
        )
        for name, (asked, searched) in views.items()
        if len(asked) and len(searched)
    }  # fmt: skip


def _precisions(
    split: Split, asked: NDArray[np.int64], searched: NDArray[np.int64]
) -> NDArray[np.float64]:
    return cosine_precision(
        _Features(split.query.subset(asked)),
        _Features(split.database.subset(searched)),
        split.query_labels[asked],
        split.database_labels[searched],
    )


class _Features:
    """Features of items, read some rows at a time: those of a database need not fit in memory."""

    def __init__(self, items: Items) -> None:
        self._items = items
        self.shape = (len(items), items.subset([0]).features().shape[1])

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        return self._items.subset(np.arange(len(self))[rows]).features()
