import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from hashbench.items import items_from_features, train_from_features


@pytest.fixture(scope="session")
def digits():
    """Real images of handwritten digits: training items, queries, database, and their classes."""
    images, classes = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    features, classes = images[order] / 16, classes[order]
    train = train_from_features(features[:300], np.eye(10)[classes[:300]])
    query, database = slice(300, 380), slice(400, 900)
    return (
        train,
        items_from_features(features[query]),
        items_from_features(features[database]),
        classes[query],
        classes[database],
    )


@pytest.fixture(scope="session")
def multilabel():
    """60 items of 8 features that say which of 4 labels an item has; one item has none."""
    generator = np.random.default_rng(1)
    labels = generator.random((60, 4)) < 0.35
    labels[0] = False
    features = labels @ generator.normal(size=(4, 8)) + 0.3 * generator.normal(size=(60, 8))
    return train_from_features(features, labels)


@pytest.fixture
def drawn(monkeypatch):
    """The negatives that losses draw, in order."""
    record = []
    draw = torch.multinomial

    def recording(*args, **kwargs):
        record.append(draw(*args, **kwargs))
        return record[-1]

    monkeypatch.setattr(torch, "multinomial", recording)
    return record
