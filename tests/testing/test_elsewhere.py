"""The process that methods are fitted in a second time."""

from __future__ import annotations

import multiprocessing
import threading
import time
from typing import Self

import numpy as np

from hashbench import Codes, Hasher
from hashbench.items import Items, TrainItems, train_from_features
from hashbench.testing import elsewhere


class Leaves(Hasher):
    """Leaves a process running, as libraries do that keep their workers for the next call."""

    name = "leaves"

    def __init__(self, bits: int, seed: int = 0) -> None:
        self.bits, self.seed = bits, seed

    def fit(self, train: TrainItems) -> Self:
        """Start it."""
        process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
        process.start()
        return self

    def encode(self, items: Items) -> Codes:
        """Signs of features."""
        return Codes.from_real(items.features())


def test_what_a_method_leaves_running_is_ended_with_its_process() -> None:
    features = np.array([[1.0, -1.0], [-1.0, 1.0]], np.float32)
    train = train_from_features(features, np.eye(2, dtype=np.uint8))
    packed = elsewhere.fit_elsewhere(Leaves, {"bits": 2}, train, features)
    worker = elsewhere._worker()
    elsewhere._worker.cache_clear()
    end = threading.Thread(target=worker.shutdown, daemon=True)
    end.start()
    end.join(60)
    assert not end.is_alive()
    assert packed.shape == (2, 1)
