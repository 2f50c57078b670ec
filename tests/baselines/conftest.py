from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.datasets import load_digits

from hashbench.codes import Codes
from hashbench.evaluation import score
from hashbench.items import Items, TrainItems, items_from_features, train_from_features


@dataclass(frozen=True)
class Digits:
    """600 training, 200 query and 997 database images of handwritten digits."""

    X: np.ndarray
    Y: np.ndarray

    @property
    def train(self) -> TrainItems:
        return train_from_features(self.X[:600], self.Y[:600])

    @property
    def query(self) -> Items:
        return items_from_features(self.X[600:800])

    @property
    def database(self) -> Items:
        return items_from_features(self.X[800:])

    def mean_average_precision(self, hasher) -> float:
        query, database = hasher.encode(self.query), hasher.encode(self.database)
        return score(query, database, self.Y[600:800], self.Y[800:], curves=False)[0]["map"]


@pytest.fixture(scope="session")
def digits() -> Digits:
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    return Digits(X[order], np.eye(10, dtype=np.uint8)[y[order]])


@pytest.fixture(scope="session")
def multilabel() -> TrainItems:
    """150 items in 8 dimensions with 5 overlapping labels; a few items have none."""
    generator = np.random.default_rng(3)
    Y = (generator.random((150, 5)) < 0.3).astype(np.uint8)
    X = Y @ generator.normal(size=(5, 8)) + 0.5 * generator.normal(size=(150, 8))
    return train_from_features(X, Y)


def dense_similarity(labels: np.ndarray) -> np.ndarray:
    """S in {-1, +1}, written from its definition: the reference of the tests."""
    n = len(labels)
    return np.array(
        [[1.0 if (labels[i] & labels[j]).any() else -1.0 for j in range(n)] for i in range(n)]
    )


@pytest.fixture(scope="session")
def similarity():
    return dense_similarity


def bits_equal(one: Codes, two: Codes) -> float:
    """Share of bits that agree."""
    return float(np.mean(one.unpack() == two.unpack()))


@pytest.fixture(scope="session")
def agreement():
    return bits_equal
