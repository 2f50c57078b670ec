from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_network import Watched, pictures, tiny_backbone

from hashbench.backbones import catalogue
from hashbench.data.split import Split
from hashbench.items import Items, TrainItems


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, a tiny backbone by the name `tiny`, and one thread."""
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(catalogue.NETWORKS, "tiny", tiny_backbone)
    torch.set_num_threads(1)
    return tmp_path / "cache"


@pytest.fixture
def split() -> Split:
    """30 training images, 10 queries and 20 of the database, in this order of rows."""
    images, labels = pictures(60, seed=0)
    source = Watched(images)
    train, query, database = np.split(np.arange(60), [30, 40])
    made = Split(
        TrainItems(source, train, labels=labels[train]),
        Items(source, query),
        Items(source, database),
        labels[query],
        labels[database],
        ("red", "green", "blue"),
        "0" * 64,
    )
    return made.with_features(lambda: np.zeros((60, 8), np.float32), "tiny")


@pytest.fixture
def train(split: Split) -> TrainItems:
    return split.train
