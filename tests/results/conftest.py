"""A store of invented records: known numbers in, tables and figures out."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_records import MadeJudge, real_record

from hashbench.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """DCH, HashNet and LSH at two code lengths and two seeds, with real codes."""
    made = Store(tmp_path / "results", create=True)
    for method, noise in (("dch", 0.4), ("hashnet", 0.9), ("lsh", 3.0)):
        for bits in (16, 32):
            for seed in (0, 1):
                real_record(made, method, bits, noise, seed)
    return made


@pytest.fixture
def judge() -> MadeJudge:
    """`judge.add(...)` makes a record of a known score."""
    return MadeJudge()
