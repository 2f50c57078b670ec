"""Choosing the epoch on training items held out: the only validation a method may do itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import HOUSE, score
from hashbench.items import TrainItems
from hashbench.parsing import in_number
from hashbench.seeds import derive

#: One training item in this many is held out.
STRIDE = 5
FEWEST = 4 * STRIDE

METRIC = "map@h2"


def hold_out(train: TrainItems, seed: int) -> tuple[TrainItems, TrainItems]:
    """The items to train on, and a fifth to judge epochs by; label sets in their proportions.

    Raises:
        InputError: if the training set is too small to hold anything out.
    """
    if len(train) < FEWEST:
        raise InputError(
            "select=validation holds out a fifth of the training set and "
            f"{in_number(len(train), 'item is', 'items are')} "
            f"too few: use select=last or at least {FEWEST} items"
        )
    order = train.by_label_set(derive(seed, "held out"))
    held = np.arange(len(train)) % STRIDE == 0
    return train.subset(np.sort(order[~held])), train.subset(np.sort(order[held]))


def judge(held: TrainItems, encode: Callable[[TrainItems], Codes]) -> float:
    """House mAP@H<=2 of held-out items, every second one searching the others."""
    query, database = (np.arange(start, len(held), 2) for start in (0, 1))
    codes = encode(held)
    (scores,) = score(
        Codes(codes.packed[query], codes.bits),
        Codes(codes.packed[database], codes.bits),
        held.labels[query],
        held.labels[database],
        [HOUSE],
        curves=False,
    )
    return float(scores.value(METRIC))
