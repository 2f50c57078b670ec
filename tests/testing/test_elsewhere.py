"""The other process of the conformance kit ends with the one that asked it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

ASKS = """
import os
import numpy as np
from hashbench.baselines.lsh import LSH
from hashbench.testing import elsewhere

if __name__ == "__main__":
    features = np.eye(8, dtype=np.float32)
    hasher = LSH(bits=8).fit(features, np.arange(8))
    elsewhere.encode_elsewhere(hasher, features)
    print(*elsewhere._worker()._processes, flush=True)
    os._exit(0)  # as one that is killed: nothing of its own is closed
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc")
def test_the_other_process_ends_with_one_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text(ASKS)
    order = [sys.executable, str(tmp_path / "asks.py")]
    # Its own output is not waited for: the other process holds it, too.
    with (tmp_path / "out").open("w") as out:
        assert subprocess.run(order, stdout=out, check=False).returncode == 0
    other = Path("/proc") / (tmp_path / "out").read_text().strip()
    patience = time.monotonic() + 600
    while other.exists() and time.monotonic() < patience:
        time.sleep(0.05)
    assert not other.exists()
