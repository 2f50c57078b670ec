from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_encoders import Trained
from tiny_network import tiny_backbone

from hashbench.backbones import catalogue


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, a tiny backbone by the name `tiny`, and one thread."""
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(catalogue.NETWORKS, "tiny", tiny_backbone)
    torch.set_num_threads(1)
    return tmp_path / "cache"


@pytest.fixture
def trained() -> Trained:
    return Trained()
