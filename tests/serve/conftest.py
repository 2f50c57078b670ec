from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hashbench
from hashbench.baselines.itq_cca import ITQCCA
from hashbench.baselines.lsh import LSH
from hashbench.encoder import Encoder
from hashbench.items import train_from_features
from hashbench.search import build_index
from hashbench.search.index import Entries
from hashbench.search.labels import folder_labels
from hashbench.sight import Sight

SIDE, COUNT = 8, 45
COLOURS = ("blue", "green", "red")


def pictures() -> np.ndarray:
    """Noisy squares whose colours say their class; every ninth is of no class."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 60, (COUNT, SIDE, SIDE, 3))
    images[np.arange(COUNT), :, :, 2 - np.arange(COUNT) % 3] += 180
    images[::9] = generator.integers(0, 256, (len(images[::9]), SIDE, SIDE, 3))
    return images.astype(np.uint8)


@pytest.fixture(scope="session")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three indexes: two methods at 12 bits, one of them at 24 too."""
    base = tmp_path_factory.mktemp("served")
    images = pictures()
    ids = [f"{COLOURS[row % 3]}/{row:02d} <&>.png" for row in range(COUNT)]
    for name, image in zip(ids, images, strict=True):
        (base / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(base / "photos" / name)
    features = images.reshape(COUNT, -1).astype(np.float32) / np.float32(255)
    labels, classes = folder_labels(ids)
    train = train_from_features(features, labels)
    for method in (LSH(bits=12), LSH(bits=24), ITQCCA(bits=12)):
        encoder = Encoder(method.fit(train), Sight("pixels", (SIDE, SIDE, 3)))
        entries = Entries(ids, labels, classes, str(base / "photos"))
        name = f"{method.name}-{method.bits}"
        build_index(base / "indexes" / name, encoder.encode(images), entries, encoder=encoder)
    return base / "indexes"


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results on digits: two methods at 12 bits, one of them at 24 too."""
    folder = tmp_path_factory.mktemp("run") / "results"
    options = {"results": folder, "workers": 0, "progress": False, "floors": False}
    hashbench.run("lsh,itq-cca", 12, "digits", **options)
    hashbench.run("lsh", 24, "digits", **options)
    return folder
