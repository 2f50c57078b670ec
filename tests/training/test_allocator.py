"""Memory that is freed and taken again."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
import torch

from hashbench.training.allocator import freed_memory_kept

SIZE = 96 * 2**20  # more than glibc keeps by itself

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another allocator than glibc's"
)


def resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def test_a_block_keeps_what_is_freed_and_gives_it_back_at_its_end(monkeypatch):
    for name in ("TRIM", "MMAP"):
        monkeypatch.delenv(f"MALLOC_{name}_THRESHOLD_", raising=False)
    before = resident()
    with freed_memory_kept():
        torch.ones(SIZE, dtype=torch.uint8)
        within = resident()
    assert within - before > SIZE / 2
    assert resident() - before < SIZE / 4


def test_what_a_user_set_for_the_allocator_stands(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    with freed_memory_kept():
        torch.ones(SIZE, dtype=torch.uint8)
        before = resident()
        torch.ones(SIZE, dtype=torch.uint8)
        assert resident() - before < SIZE / 4
