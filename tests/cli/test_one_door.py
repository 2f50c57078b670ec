"""Parts of every kind from one stranger's file: listed, used, and scored for old results."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

DATASET = """
from pathlib import Path
import numpy as np
import hashbench
from hashbench.data import LabelledImages, Protocol, Status
from hashbench.data.images import PixelSource

class Stripes(hashbench.Dataset):
    name = "stripes"
    title = "Stripes"
    protocols = {"stripes": Protocol("stripes", 30, 60, False, "30 queries, 60 to learn from")}
    default_protocol = "stripes"
    default_backbone = "pixels"
    def status(self): return Status(True, "in memory")
    def load(self, protocol):
        labels = np.arange(200) % 4
        noise = np.random.default_rng(0).integers(0, 90, (200, 8, 8, 3))
        pixels = noise + 40 * labels[:, None, None, None]
        source = PixelSource(pixels.astype(np.uint8), [f"stripe-{n}" for n in range(200)])
        return LabelledImages(source, np.eye(4, dtype=np.uint8)[labels], tuple("abcd"))
"""

BACKBONE = """
from torch import nn
from hashbench.backbones.backbone import Backbone, Preprocessing
from hashbench.backbones.network import Trunk

def build(side):
    return Trunk(nn.Sequential(nn.AvgPool2d(4), nn.Flatten())).eval()

MEAN = Backbone(
    name="mean", summary="colours of a four by four grid", dim=48,
    preprocessing=Preprocessing(enlarged=16), weights=lambda: "0" * 64, build=build,
)
"""

METRIC = """
from hashbench.evaluation.metrics import Metric

NEAREST = Metric(
    name="share-at-0",
    title="share of items at distance 0",
    per_query=lambda counts: counts.total[:, 0] / counts.items,
)
"""

CONVENTION = """
from hashbench.evaluation import Convention

LAB = Convention(name="lab", source="our lab", empty="drop", nohit="drop")
"""

EXECUTOR = """
from hashbench.runner.execute import run_here
from hashbench.runner.executors import Executor

def run(tasks, settings, limits, listener):
    print("our own cluster")
    run_here(tasks, settings, limits, listener)

OURS = Executor("ours", "the machines under the desk", run)
"""

PARTS = {
    "datasets": (DATASET, "stripes", 17),
    "backbones": (BACKBONE, "mean", 12),
    "metrics": (METRIC, "share-at-0", 7),
    "conventions": (CONVENTION, "lab", 3),
    "executors": (EXECUTOR, "ours", 8),
}


@pytest.fixture
def plugins() -> list[str]:
    found = []
    for kind, (text, _, _) in PARTS.items():
        path = Path(f"my_{kind}.py").resolve()
        path.write_text(text)
        found += ["--plugin", str(path)]
    return found


@pytest.mark.parametrize("kind", PARTS)
def test_a_part_is_short_and_listed(hashbench, kind) -> None:
    text, name, most = PARTS[kind]
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) <= most + 4
    Path("mine.py").write_text(text)
    listed = json.loads(hashbench("parts", kind, "--plugin", "mine.py", "--json").out)
    mine = next(row for row in listed if row["name"] == name)
    assert mine["origin"].endswith("mine.py")
    assert "broken" not in mine


def test_parts_work_together(hashbench, plugins) -> None:
    done = hashbench(
        "run", "--no-floors", "--datasets", "stripes", "--backbone", "mean", "--methods", "itq-cca",
        "--bits", "16", "--convention", "house,lab", "--executor", "ours", "--json", *plugins,
    )  # fmt: skip
    assert done.code == 0, done.err
    text = done.out[done.out.index("{") :]
    assert "our own cluster" in done.out
    (record,) = json.loads(text)["records"]
    assert record["cell"]["bench"]["dataset"] == "stripes"
    assert record["parts"]["dataset"]["title"] == "Stripes"
    assert 0 <= record["scores"]["house"]["share-at-0"] <= 1
    assert set(record["scores"]) == {"house", "lab"}


def test_a_metric_that_comes_later_is_had_for_old_results_without_training(hashbench) -> None:
    hashbench("run", "--datasets", "digits", "--methods", "itq-cca", "--bits", "16")
    before = {path: path.stat().st_mtime_ns for path in Path("hashbench-results/codes").iterdir()}
    Path("mine.py").write_text(METRIC)
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
