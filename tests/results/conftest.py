"""A store of invented records: known numbers in, tables and figures out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from made_records import real_record

from hashbench.results.record import Record
from hashbench.results.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """DCH, HashNet and LSH at two code lengths and two seeds, scored for real."""
    made = Store(tmp_path / "results", create=True)
    for method, noise in (("dch", 0.4), ("hashnet", 0.9), ("lsh", 3.0)):
        for bits in (16, 32):
            for seed in (0, 1):
                real_record(made, method, bits, noise, seed)
    return made


@pytest.fixture
def fill(tmp_path: Path) -> Callable[..., Store]:
    """`fill(record(...), ...)`: a store of these records and nothing beside them."""

    def build(*records: Record) -> Store:
        made = Store(tmp_path / "results", create=True)
        for item in records:
            made.put(item)
        return made

    return build
