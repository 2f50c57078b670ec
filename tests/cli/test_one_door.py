"""The examples of docs/extending: listed, used together, and scored for old results."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "extending"

#: Kind of part -> the name of the example of its page, and how many lines that may have.
PARTS = {
    "datasets": ("stripes", 20),
    "backbones": ("mean", 16),
    "metrics": ("share-at-0", 7),
    "conventions": ("lab", 9),
    "executors": ("longest-first", 9),
}


def example(kind: str) -> str:
    """The complete file that the page of a kind of part shows first."""
    text = (PAGES / f"{kind}.md").read_text("utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0]


@pytest.fixture
def plugins() -> list[str]:
    found = []
    for kind in PARTS:
        path = Path(f"my_{kind}.py").resolve()
        path.write_text(example(kind))
        found += ["--plugin", str(path)]
    return found


@pytest.mark.parametrize("kind", PARTS)
def test_a_part_is_short_and_listed(hashbench, kind) -> None:
    name, most = PARTS[kind]
    lines = [line for line in example(kind).splitlines() if line.strip()]
    assert len(lines) <= most + 4
    Path("mine.py").write_text(example(kind))
    listed = json.loads(hashbench("parts", kind, "--plugin", "mine.py", "--json").out)
    mine = next(row for row in listed if row["name"] == name)
    assert mine["origin"].endswith("mine.py")
    assert "broken" not in mine


def test_parts_work_together(hashbench, plugins) -> None:
    done = hashbench(
        "run", "--no-floors", "--datasets", "stripes", "--backbone", "mean", "--methods", "itq-cca",
        "--bits", "16", "--convention", "house,lab", "--executor", "longest-first",
        "--workers", "0", "--json", *plugins,
    )  # fmt: skip
    assert done.code == 0, done.err
    (record,) = json.loads(done.out)["records"]
    assert record["cell"]["bench"]["dataset"] == "stripes"
    assert record["parts"]["dataset"]["title"] == "Stripes"
    assert 0 <= record["scores"]["house"]["share-at-0"] <= 1
    assert set(record["scores"]) == {"house", "lab"}


def test_a_metric_that_comes_later_is_had_for_old_results_without_training(hashbench) -> None:
    hashbench("run", "--datasets", "digits", "--methods", "itq-cca", "--bits", "16")
    before = {path: path.stat().st_mtime_ns for path in Path("hashbench-results/codes").iterdir()}
    Path("mine.py").write_text(example("metrics"))
    table = hashbench("export", "--format", "markdown", "--metric", "share-at-0",
                      "--plugin", "mine.py")  # fmt: skip
    assert table.code == 0, table.err
    assert "share of items at distance 0" in table.out
    assert re.search(r"ITQ-CCA *\|[^|]*0\.\d{3}", table.out)
    assert before == {
        path: path.stat().st_mtime_ns for path in Path("hashbench-results/codes").iterdir()
    }


def test_a_file_without_any_part_is_one_sentence(hashbench) -> None:
    Path("empty.py").write_text("x = 1\n")
    done = hashbench("run", "--plugin", "empty.py", "--methods", "lsh")
    assert done.code == 2
    assert "defines no public part" in done.err
    assert done.err.count("\n") == 1
