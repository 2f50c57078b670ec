from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_encoders import Trained
from tiny_network import tiny_backbone

from hashbench import cli, registries
from hashbench.backbones import catalogue


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, a cache of the test's own, a tiny backbone, one thread."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HASHBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setitem(catalogue.NETWORKS, "tiny", tiny_backbone)
    torch.set_num_threads(1)
    return tmp_path


@pytest.fixture
def trained() -> Trained:
    return Trained()


@pytest.fixture
def encoder(trained: Trained, place: Path) -> Path:
    """A kept encoder."""
    return trained("dch").save(place / "my-encoder")


@pytest.fixture
def photos(trained: Trained, place: Path) -> Path:
    """Twenty pictures in folders of three classes."""
    for row, image in enumerate(trained.images):
        folder = place / "photos" / ("red", "green", "blue")[row % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(image)).save(folder / f"{row:02d}.png")
    return place / "photos"


@pytest.fixture
def hashbench(capfd: pytest.CaptureFixture[str]):
    """`hashbench("encode", ...)` gives exit code, stdout and stderr."""

    def run(*args: object) -> tuple[int, str, str]:
        registries.made.clear()  # each call is a process of its own
        with pytest.raises(SystemExit) as stop:
            cli.main([str(arg) for arg in args])
        captured = capfd.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return run
