"""Image lists of a few tiny pictures, and the ways in which data change under one's feet."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

Rows = dict[str, list[tuple[str, int]]]
CLASSES = 3


def make(folder: Path, count: int = 20, seed: int = 0) -> Rows:
    """Images of `CLASSES` colours with noise, split into query, train and database lists."""
    shutil.rmtree(folder, ignore_errors=True)
    rng = np.random.default_rng(seed)
    rows = []
    for label in range(CLASSES):
        base = np.random.default_rng(100 + label).integers(0, 255, (8, 8, 3))
        for number in range(count):
            path = folder / f"c{label}" / f"{number:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.clip(base + rng.normal(0, 60, base.shape), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(path)
            rows.append((f"c{label}/{number:03d}.png", label))
    rows = [rows[place] for place in rng.permutation(len(rows))]
    sixth = len(rows) // 6
    parts = {"query": rows[:sixth], "train": rows[sixth : 3 * sixth], "database": rows[3 * sixth :]}
    write(folder, parts)
    return parts


def write(folder: Path, parts: Rows) -> None:
    """The three lists, `path 0 1 0` a line."""
    for part, rows in parts.items():
        lines = [
            f"{path} {' '.join('1' if label == k else '0' for k in range(CLASSES))}\n"
            for path, label in rows
        ]
        (folder / f"{part}.txt").write_text("".join(lines))


def rotated(parts: Rows) -> Rows:
    """Every second row under the next class."""
    return {
        part: [(path, (label + number % 2) % CLASSES) for number, (path, label) in enumerate(rows)]
        for part, rows in parts.items()
    }
