"""A store, and a sweep of quick methods over it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweep_bench import PLUGIN, Bench

from hashbench import registries
from hashbench.runner.settings import Settings


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    plugin = tmp_path / "fakes.py"
    plugin.write_text(PLUGIN)
    registries.load_plugins([plugin])
    assert not registries.methods().broken
    settings = Settings(
        tmp_path / "results", tmp_path / "data", conventions=("house",), plugins=(plugin,)
    )
    return Bench(plugin, settings)
