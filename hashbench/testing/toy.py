"""An easy problem for a hasher: classes that any sensible method separates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.items import Items, TrainItems, items_from_features, train_from_features

CLASSES = 4
DIM = 16


@dataclass(frozen=True, eq=False)
class Toy:
    """One easy problem: Gaussian classes, well apart.

    Attributes:
        train: items to learn from.
        query: items to search with.
        database: items to search in.
        query_labels: `(queries, classes)` uint8 multi-hot.
        database_labels: `(database, classes)` uint8 multi-hot.
    """

    train: TrainItems
    query: Items
    database: Items
    query_labels: NDArray[np.uint8]
    database_labels: NDArray[np.uint8]


def toy(seed: int = 0, train: int = 120, query: int = 40, database: int = 80) -> Toy:
    """The problem drawn by `seed`: other class centres for another seed."""
    generator = np.random.default_rng(seed)
    centres = 2.0 * generator.standard_normal((CLASSES, DIM))

    def draw(count: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        classes = np.arange(count) % CLASSES
        noise = generator.standard_normal((count, DIM))
        return (centres[classes] + noise).astype(np.float32), np.eye(CLASSES, dtype=np.uint8)[
            classes
        ]

    train_x, train_y = draw(train)
    query_x, query_y = draw(query)
    database_x, database_y = draw(database)
    return Toy(
        train_from_features(train_x, train_y, f"train{seed}"),
        items_from_features(query_x, f"query{seed}"),
        items_from_features(database_x, f"database{seed}"),
        query_y,
        database_y,
    )


def separation(codes: Codes, others: Codes, similar: NDArray[np.bool_]) -> float:
    """How often a similar pair is nearer than a dissimilar one; ties count one half.

    0.5 is chance, whatever the classes are; so are codes that are all equal.

    Args:
        codes: n codes.
        others: m codes.
        similar: `(n, m)` which pairs are similar.
    """
    distance = (codes.unpack()[:, None, :] != others.unpack()[None, :, :]).sum(axis=2)
    steps = np.arange(codes.bits + 2)
    near = np.histogram(distance[similar], bins=steps)[0]
    far = np.histogram(distance[~similar], bins=steps)[0]
    farther = far.sum() - np.cumsum(far)
    return float((near * (farther + far / 2)).sum() / (near.sum() * far.sum()))
