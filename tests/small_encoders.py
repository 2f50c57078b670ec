"""Small trained encoders, for tests of what one does with them."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
from tiny_network import SIDE, pictures

from hashbench.backbones import feature_table
from hashbench.codes import Codes
from hashbench.data.images import PixelSource
from hashbench.encoder import Encoder
from hashbench.hasher import Hasher
from hashbench.items import Items, TrainItems
from hashbench.registries import methods
from hashbench.sight import Sight

SETTINGS = {
    "itq-cca": {},
    "lsh": {},
    "sdh": {"anchors": 10},
    "bre": {},
    "dch": {"epochs": 5, "batch_size": 10},
    "dnnh": {"epochs": 5, "batch_size": 10, "head": "mlp", "hidden": 16},
    "dch partial": {"epochs": 2, "batch_size": 10, "side": 48, "views": 2, "unfreeze": 2},
    "dch full": {"epochs": 2, "batch_size": 10, "side": 48},
}

#: What was trained in this process: a test is given copies, whatever it does to them.
_MADE: dict[tuple[str, str, int, bytes], tuple[Hasher, Codes]] = {}


class Trained:
    """Hashers trained on 30 of 50 images, and the codes they gave of the others."""

    def __init__(self) -> None:
        images, labels = pictures(50, seed=3)
        self.images = images[30:]
        self.source = PixelSource(images, [f"i/{row}" for row in range(50)])
        self.labels = labels[:30]

    def __call__(self, what: str, backbone: str = "tiny", bits: int = 12) -> Encoder:
        key = what, backbone, bits, self.source.pixels.tobytes()
        if key not in _MADE:
            _MADE[key] = self._train(what, backbone, bits)
        hasher, self.stored = deepcopy(_MADE[key])
        return Encoder(hasher, Sight(backbone, (SIDE, SIDE, 3)))

    def _train(self, what: str, backbone: str, bits: int) -> tuple[Hasher, Codes]:
        method, _, tuning = what.partition(" ")
        params = SETTINGS[what] | ({"tuning": tuning} if tuning else {})

        def table() -> np.ndarray:
            return feature_table(self.source, backbone)

        train = TrainItems(self.source, np.arange(30), labels=self.labels)
        hasher = (
            methods()
            .get(method)(bits=bits, seed=1, **params)
            .fit(train.with_features(table, backbone))
        )
        rest = Items(self.source, np.arange(30, 50), table, backbone)
        return hasher, hasher.encode(rest)
