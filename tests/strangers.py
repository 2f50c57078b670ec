"""Entries as a stranger makes them: by the code of docs/bundles.md, which knows no hashbench."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

DOCS = Path(__file__).parents[1] / "docs" / "bundles.md"


@pytest.fixture(scope="session")
def stranger() -> SimpleNamespace:
    """What the blocks of Python in the docs define."""
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        assert "import hashbench" not in block
        assert "from hashbench" not in block
        exec(block, names)
    return SimpleNamespace(**names)


@pytest.fixture(scope="session")
def digits(stranger: SimpleNamespace) -> SimpleNamespace:
    """The digits as a stranger splits them, and codes of theirs: signs of random projections."""
    data = load_digits()
    classes = [str(digit) for digit in range(10)]
    ids = [f"digits/{row:04d}" for row in range(len(data.target))]
    parts = stranger.draw(data.target, 200, 500)
    pixels = data.data - data.data[parts["train"]].mean(axis=0)
    bits = (pixels @ np.random.default_rng(0).standard_normal((64, 24)) > 0).astype(np.uint8)
    apart = (bits[parts["query"], None] != bits[parts["database"]]).sum(axis=2)
    entry = {
        "entry": {"author": "Ada", "licence": "CC0-1.0"},
        "bench": {
            "dataset": "digits",
            "protocol": "digits",
            "split_sha256": stranger.split_digest(parts, ids, data.target, classes),
            "counts": {part: len(rows) for part, rows in parts.items()},
        },
        "method": {"name": "projections"},
        "training": {"mode": "none", "seed": 0, "backbone": "pixels", "pretrained_on": "nothing"},
        "seen": {"labels": False, "extra_data": "", "test_set": False},
        "scores": {
            "house": {
                "empty@h2": float((apart.min(axis=1) > 2).mean()),
                "ball@h2": float((apart <= 2).sum(axis=1).mean()),
            }
        },
    }
    return SimpleNamespace(label=data.target, parts=parts, bits=bits, entry=entry)


@pytest.fixture
def put(stranger: SimpleNamespace, digits: SimpleNamespace) -> Callable[..., Path]:
    """`put(folder, bits)` writes a stranger's entry of codes of all digits; see `digits`."""

    def put(folder: Path, bits: Any = None, **changes: Any) -> Path:
        bits = digits.bits if bits is None else bits
        entry = {
            name: {**section, **changes.get(name, {})} for name, section in digits.entry.items()
        }
        query, database = (bits[digits.parts[side]] for side in ("query", "database"))
        stranger.write_entry(folder, query, database, entry)
        return folder

    return put
