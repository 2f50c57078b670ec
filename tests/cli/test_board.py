"""The way to a board from beginning to end: with a plugin, and without hashbench."""

import json

from strangers import digits, put, stranger

__all__ = ["digits", "put", "stranger"]

PLUGIN = """
from dataclasses import dataclass

import numpy as np

import hashbench


@dataclass(kw_only=True)
class Targets(hashbench.Hasher):
    name = "targets"
    citation = "nobody"

    bits: int = 16
    seed: int = 0

    def fit(self, train):
        X = train.features()
        self.mean_ = X.mean(axis=0)
        rng = np.random.default_rng(self.seed)
        codes = rng.choice([-1.0, 1.0], (train.labels.shape[1], self.bits))
        gram = (X - self.mean_).T @ (X - self.mean_) + np.eye(X.shape[1])
        self.weights_ = np.linalg.solve(gram, (X - self.mean_).T @ (train.labels @ codes))
        return self

    def encode(self, items):
        return hashbench.Codes.from_real((items.features() - self.mean_) @ self.weights_)
"""


def test_entries_of_a_plugin_and_of_a_stranger_stand_on_one_board(hashbench, tmp_path, put):
    (tmp_path / "mine.py").write_text(PLUGIN)
    plugin = ("--plugin", "mine.py")
    run = ("--methods", "targets,itq-cca", "--bits", "16", "--no-floors", "--workers", "0")
    assert hashbench("run", *run, *plugin).code == 0
    words = ("--author", "Ada", "--licence", "MIT", "--with-hasher")
    packed = hashbench("pack", *plugin, "--out", "board", *words)
    assert packed.code == 0, packed.err
    assert "2 entries in board" in packed.out
    put(tmp_path / "board" / "theirs")

    found = hashbench("verify", "board", *plugin, "--fresh-split", "7", "--json")
    body = json.loads(found.out)
    assert (found.code, body["entries"], body["ok"]) == (0, 3, 3), body
    names = [verdict["entry"] for verdict in body["verdicts"]]
    assert names == ["itq-cca:16:0", "targets:16:0", "projections:24:0"]
    fresh = [verdict["fresh"] for verdict in body["verdicts"]]
    assert fresh[2] is None
    assert all(one["queries"] == 200 for one in fresh[:2])
    entry = next((tmp_path / "board").glob("digits-targets-*")) / "entry.json"
    stated = json.loads(entry.read_text())
    assert stated["entry"]["author"] == "Ada"
    assert stated["method"]["source"] == "mine.py"
    assert len(stated["method"]["source_sha256"]) == 64
    assert stated["training"]["pretrained_on"] == "nothing"

    stated["scores"]["house"]["map@h2"] += 0.001
    entry.write_text(json.dumps(stated))
    found = hashbench("verify", "board")
    lines = found.out.splitlines()
    assert found.code == 1
    assert [line.split()[0] for line in lines[:3]] == ["ok", "FAIL", "ok"]
    assert "house map@h2: claimed" in lines[1]
    assert lines[-1] == "3 entries: 2 verified, 1 not"

    (tmp_path / "nothing").mkdir()
    for folder in ("nothing", "nowhere"):
        found = hashbench("verify", folder)
        assert (found.code, found.out) == (2, "")
    assert hashbench("pack", "dch:16:0", "--out", "board").code == 2
