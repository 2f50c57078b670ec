"""Unseen classes: retrieval of what was never trained on.

After Sablayrolles, Douze, Usunier and Jégou, "How should we evaluate supervised
hashing?", ICASSP 2017: a classifier's output as a code retrieves the classes it
was trained on as well as any hashing does, and no other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hashbench.data.protocols import permutation
from hashbench.data.split import Split
from hashbench.errors import InputError
from hashbench.items import TrainItems, rows_of, source_of
from hashbench.seeds import derive


def unseen_classes(split: Split, seed: int) -> Split:
    """The split without training images of a quarter of the classes, which the seed draws.

    Queries and database stay what they are. Training labels keep the columns of the
    seen classes alone, so that a method does not even learn that there are others.
    Views `<queries>@<database>` tell how well each kind of class is found among which.

    Raises:
        InputError: unless every image has one class, and there are enough of them.
    """
    query, database = split.query_labels, split.database_labels
    several = database.sum(axis=1, dtype=np.int64) > 1  # none is a distractor's
    others = [part.sum(axis=1, dtype=np.int64) != 1 for part in (query, split.train.labels)]
    if any(part.any() for part in (several, *others)):
        raise InputError(
            "unseen classes need images of one class each, and some here have several or none: "
            "choose a protocol without '-unseen'"
        )
    count = len(split.classes)
    if count < 3:
        raise InputError(f"unseen classes need 3 classes at least and there are {count}")
    order = permutation(count, derive(seed, "unseen classes"))
    hidden = -(-count // 4)  # a quarter, rounded up: 3 of 10, 25 of 100
    unseen, seen = np.sort(order[:hidden]), np.sort(order[hidden:])
    learnt = np.flatnonzero(split.train.labels[:, seen].any(axis=1))
    if not len(learnt):
        raise InputError("no training image has a seen class: draw with another split seed")
    train = TrainItems(
        source_of(split.train),
        rows_of(split.train)[learnt],
        labels=np.ascontiguousarray(split.train.labels[np.ix_(learnt, seen)]),
    )

    def positions(part: NDArray[np.uint8], classes: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.flatnonzero(part[:, classes].any(axis=1))

    everything = np.arange(len(split.database))
    names = ", ".join(split.classes[label] for label in unseen)
    return replace(
        split,
        train=train,
        notes=(*split.notes, f"Unseen in training: {names}."),
        views={
            "seen@seen": (positions(query, seen), positions(database, seen)),
            "seen@all": (positions(query, seen), everything),
            "unseen@unseen": (positions(query, unseen), positions(database, unseen)),
            "unseen@all": (positions(query, unseen), everything),
        },
    )
