from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hashbench.backbones.backbone import Backbone, Preprocessing
from hashbench.backbones.network import Trunk
from hashbench.data.images import PixelSource


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and one thread for whatever runs."""
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    torch.set_num_threads(1)
    return tmp_path / "cache"


@pytest.fixture
def source() -> PixelSource:
    pixels = np.random.default_rng(0).integers(0, 256, (70, 32, 32, 3), dtype=np.uint8)
    return PixelSource(pixels, [f"i/{row}" for row in range(70)])


def tiny_trunk() -> Trunk:
    """Two convolutions with weights of a fixed seed: 6 features, 4 tapped columns."""
    generator = torch.Generator().manual_seed(0)
    stem, late = nn.Conv2d(3, 4, 3, stride=4), nn.Conv2d(4, 6, 3, stride=2)
    for layer in (stem, late):
        nn.init.normal_(layer.weight, std=0.3, generator=generator)
        nn.init.zeros_(layer.bias)
    stages = nn.Sequential(stem, nn.ReLU(), late, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Trunk(stages, (late,)).eval()


@pytest.fixture
def network() -> Backbone:
    return Backbone(
        name="tiny",
        summary="two convolutions",
        dim=6,
        multi_dim=10,
        preprocessing=Preprocessing(resize=40, crop=32, enlarged=48),
        weights=lambda: "0" * 64,
        build=lambda _side: tiny_trunk(),
    )
