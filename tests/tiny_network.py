"""A backbone of three convolutions and images it can tell apart, for tests of training."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from hashbench.backbones.backbone import Backbone, Preprocessing
from hashbench.backbones.network import Trunk
from hashbench.data.images import PixelSource

CLASSES, SIDE = 3, 16


def tiny_trunk(_side: int) -> Trunk:
    """Four stages of fixed random weights, 8 features."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        widths = [3, 6, 6, 8]
        stages = [
            nn.Sequential(nn.Conv2d(a, b, 3, stride=2), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in pairwise(widths)
        ]
        for stage in stages:
            norm = stage[1]
            norm.running_mean.normal_(std=0.1)
            norm.running_var.uniform_(0.5, 1.5)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Trunk(nn.Sequential(*stages, head)).eval()


def untrained_trunk(side: int) -> Trunk:
    """The same stages with other weights."""
    trunk = tiny_trunk(side)
    with torch.no_grad():
        for values in trunk.state_dict().values():
            values.zero_()
    return trunk


def tiny_backbone() -> Backbone:
    return Backbone(
        name="tiny",
        summary="three convolutions",
        dim=8,
        preprocessing=Preprocessing(resize=40, crop=32, enlarged=48),
        weights=lambda: "0" * 64,
        build=tiny_trunk,
        empty=untrained_trunk,
    )


def pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images whose colours say their class."""
    generator = np.random.default_rng(seed)
    classes = np.arange(count) % CLASSES
    images = generator.integers(0, 90, (count, SIDE, SIDE, 3))
    images[np.arange(count), :, :, classes] += 120
    return images.astype(np.uint8), np.eye(CLASSES, dtype=np.uint8)[classes]


class Watched(PixelSource):
    """A source that remembers which images were read."""

    def __init__(self, pixels: np.ndarray) -> None:
        super().__init__(pixels, [f"i/{row}" for row in range(len(pixels))])
        self.seen: set[int] = set()

    def read(self, row: int) -> np.ndarray:
        self.seen.add(row)
        return super().read(row)
