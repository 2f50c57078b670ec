"""A part of the training set held out: the bench that hyper-parameters are tuned on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hashbench.data.joined import JoinedSource
from hashbench.data.mixed import MixedSource
from hashbench.data.split import Split
from hashbench.errors import InputError
from hashbench.items import Items, TrainItems, rows_of, source_of
from hashbench.parsing import in_number
from hashbench.seeds import derive

#: One training item in this many goes to either held-out part.
STRIDE = 5
FEWEST = 10 * STRIDE


def hold_out(split: Split, seed: int, carving: int = 1, inflated: bool = False) -> Split:
    """The split whose queries and database are training items, and whose training set is the rest.

    Three fifths are fitted on; one fifth asks, another is searched, so that a query
    never meets an item the hasher was fitted on, as in the protocols whose database
    is unseen. Each part holds the label sets in their proportions. Of the queries and
    the database of `split` nothing is looked at but how many items are searched.

    Args:
        split: a split, before features are bound to it.
        seed: root seed of its draw.
        carving: which of the ways to carve, from 1.
        inflated: fill the database up to the size of the split's own with mixtures of
            the held-out items, see `MixedSource`; they have features alone.

    Raises:
        InputError: if the training set is too small to hold anything out.
    """
    train = split.train
    if len(train) < FEWEST:
        raise InputError(
            "tuning holds out two fifths of the training set and "
            f"{in_number(len(train), 'item is', 'items are')} too few: "
            f"use a protocol with at least {FEWEST}"
        )
    use = ("validation",) if carving == 1 else ("validation", carving)
    order = train.by_label_set(derive(seed, *use))
    turn = np.arange(len(train)) % STRIDE
    fit, query, database = (
        train.subset(np.sort(order[chosen])) for chosen in (turn >= 2, turn == 0, turn == 1)
    )
    source = source_of(train)
    searched, labels = database.without_labels(), database.labels
    if inflated:
        size = max(len(split.database), len(database))
        mixed = MixedSource.draw(database, size, derive(seed, "inflation", carving))
        joined = JoinedSource([source, mixed])
        rows = np.arange(len(source), len(joined))
        searched, labels = Items(joined, rows), labels[mixed.first]
        fit = TrainItems(joined, rows_of(fit), labels=fit.labels)
        query = TrainItems(joined, rows_of(query), labels=query.labels)
    width = labels.shape[1]
    whole = width == len(split.classes)
    return replace(
        split,
        train=fit,
        query=query.without_labels(),
        database=searched,
        query_labels=query.labels,
        database_labels=labels,
        classes=split.classes if whole else tuple(f"column {place}" for place in range(width)),
        notes=(f"Held out of the training set, carving {carving}.",),
        views={},
    )
