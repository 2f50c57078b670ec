"""What plugins print is no part of what a command says to programs."""

from __future__ import annotations

import json
from pathlib import Path

PLUGIN = """
import os
print("imported")
from hashbench.baselines.lsh import LSH

class Mine(LSH):
    name = "mine"

    def __init__(self, bits=8, seed=0):
        print("made")
        super().__init__(bits=bits, seed=seed)

    def fit(self, train):
        os.write(1, b"fitted\\n")
        os.system("echo child")
        return super().fit(train)

    def encode(self, items):
        print("encoded")
        return super().encode(items)
"""

RUN = ("run", "--datasets", "digits", "--methods", "mine", "--bits", "8", "--no-floors", "--json")


def test_stdout_is_what_programs_read(hashbench) -> None:
    Path("mine.py").write_text(PLUGIN)
    done = hashbench(*RUN, "--plugin", "mine.py", "--workers", "0")
    assert done.code == 0
    (record,) = json.loads(done.out)["records"]
    assert record["status"] == "ok"
    for word in ("imported", "made", "fitted", "child", "encoded"):
        assert word in done.err
    table = hashbench("export", "--format", "csv", "--plugin", "mine.py")
    assert table.out.startswith("method,")


def test_a_record_of_a_newer_hashbench_is_not_there_and_says_why(hashbench) -> None:
    run = [word for word in RUN if word != "--json"]
    run[run.index("mine")] = "lsh"
    assert hashbench(*run, "--workers", "0").code == 0
    (path,) = Path("hashbench-results/records").iterdir()
    path.write_text(path.read_text().replace('"schema": 2', '"schema": 3'))
    done = hashbench(*run)
    assert done.code == 1
    assert "a newer hashbench wrote its record: update this one" in done.out
    assert "already" not in done.out
    assert '"schema": 3' in path.read_text()
