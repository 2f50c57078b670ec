"""A validation split, carved from the training set and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hashbench.errors import InputError
from hashbench.items import TrainItems
from hashbench.seeds import derive

#: One item in this many goes to either held-out part.
STRIDE = 5
FEWEST = 10 * STRIDE


@dataclass(frozen=True, eq=False)
class Validation:
    """The training set in three parts that share no item.

    A query never meets an item the hasher was fitted on, as in the protocols
    whose database is unseen: the held-out parts search in each other.

    Attributes:
        train: three fifths, to fit on.
        first: one fifth, held out.
        second: another fifth, held out.
    """

    train: TrainItems
    first: TrainItems
    second: TrainItems


def carve(train: TrainItems, seed: int) -> Validation:
    """Split `train`, each part with the label sets in their proportions.

    Args:
        train: the training set.
        seed: root seed of the draw.

    Raises:
        InputError: if the training set is too small to hold anything out.
    """
    if len(train) < FEWEST:
        raise InputError(
            f"tuning holds out two fifths of the training set and {len(train)} items are too few: "
            f"use a protocol with at least {FEWEST}"
        )
    order = train.by_label_set(derive(seed, "validation"))
    turn = np.arange(len(train)) % STRIDE
    parts = (order[turn >= 2], order[turn == 0], order[turn == 1])
    return Validation(*(train.subset(np.sort(part)) for part in parts))
