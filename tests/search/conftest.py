from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_encoders import Trained
from tiny_network import tiny_backbone

from hashbench.backbones import catalogue
from hashbench.codes import Codes


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own, a tiny backbone by the name `tiny`, and one thread."""
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(catalogue.NETWORKS, "tiny", tiny_backbone)
    torch.set_num_threads(1)


@pytest.fixture
def trained() -> Trained:
    return Trained()


def clustered(count: int, bits: int, seed: int = 0, centres: int = 200) -> Codes:
    """Codes around centres, with balls that hold something."""
    generator = np.random.default_rng(seed)
    bits_of = generator.integers(0, 2, (centres, bits), np.uint8)
    flips = generator.random((count, bits)) < 1.5 / bits
    return Codes.from_bits(bits_of[generator.integers(0, centres, count)] ^ flips)


@pytest.fixture
def make_codes():
    return clustered
