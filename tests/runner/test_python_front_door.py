"""`hashbench.run` in a script, as a user writes it: no guard, no exit, no prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hashbench

SCRIPT = """
import sys
import hashbench

print("once")
results = hashbench.run(
    ["lsh", "itq-cca"], bits=[8], datasets="digits", results="r", workers=2, progress=False,
    floors=False,
)
assert not results.missing
frame = results.frame()
assert set(frame["method"]) == {"lsh", "itq-cca"}, frame
(table,) = hashbench.open_results("r").table()
assert [row.method for row in table.rows] == ["lsh", "itq-cca"]
assert results.compare()
codes = results.hasher("itq-cca:8:0")
assert hashbench.load("r", "itq-cca:8:0").bits == 8
try:
    hashbench.run("dhc", 16, "digits")
except hashbench.InputError as error:
    assert "dch" in str(error)
"""


def test_a_script_without_a_guard_runs_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mine.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "once\n"


def test_the_package_is_a_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hashbench", "--version"],
        cwd=tmp_path, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("hashbench, version")


def test_what_python_users_pass_is_read_or_refused_in_a_sentence(tmp_path) -> None:
    options = {"results": tmp_path / "r", "workers": 0, "progress": False, "floors": False}
    house = hashbench.Convention(radius=np.int64(2))
    results = hashbench.run(["lsh"], np.int64(8), "digits", conventions=house, **options)
    assert [record.cell.bits for record in results.records] == [8]
    assert len(results.table(bits=8)) == len(results.table(bits=np.array([8]))) == 1
    for bits in (8.0, True, None, hashbench.Hasher):
        with pytest.raises(hashbench.InputError, match="whole number"):
            hashbench.run("lsh", bits, "digits", **options)
    with pytest.raises(hashbench.InputError, match="no method to run"):
        hashbench.run([], 8, "digits", **options)
    with pytest.raises(hashbench.InputError, match="unknown metric"):
        results.compare("zzz")
    for wrong in ({"radius": 2.5}, {"cutoff": "5"}):
        with pytest.raises(hashbench.InputError, match="whole number"):
            hashbench.Convention(**wrong)
