"""Memory that is freed and taken again, in processes of their own.

A process that has worked before, as a run of tests has, owns free memory that a block may come
from, and then nothing is seen of what is taken or given back.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

SIZE = 96 * 2**20  # more than glibc keeps by itself

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another allocator than glibc's"
)

PROGRAM = f"""
from pathlib import Path

import torch

from hashbench.training.allocator import freed_memory_kept


def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


torch.ones(1, dtype=torch.uint8)
before = resident()
with freed_memory_kept():
    torch.ones({SIZE}, dtype=torch.uint8)
    within = resident()
print(within - before, resident() - before)
"""


def held(**settings: str) -> tuple[int, int]:
    """Bytes that are held after `SIZE` were taken and freed: within the block, and after it."""
    others = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    printed = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=others | settings,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    within, after = map(int, printed.split())
    return within, after


def test_a_block_keeps_what_is_freed_and_gives_it_back_at_its_end():
    within, after = held()
    assert within > SIZE / 2
    assert after < SIZE / 4


def test_what_a_user_set_for_the_allocator_stands():
    within, _ = held(MALLOC_TRIM_THRESHOLD_="131072")
    assert within < SIZE / 4
