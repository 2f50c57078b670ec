"""The way to a board from beginning to end: with a plugin, and without hashbench."""

import json

import numpy as np
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


def test_entries_of_a_plugin_and_of_strangers_stand_on_one_board(hashbench, tmp_path, digits, put):
    (tmp_path / "mine.py").write_text(PLUGIN)
    plugin = ("--plugin", "mine.py")
    run = ("--methods", "targets,itq-cca", "--bits", "16", "--no-floors", "--workers", "0")
    assert hashbench("run", *run, *plugin).code == 0
    words = ("--author", "Ada", "--licence", "MIT", "--with-hasher")
    packed = hashbench("pack", *plugin, "--out", "board", *words)
    assert packed.code == 0, packed.err
    assert "2 entries in board" in packed.out
    put(tmp_path / "board" / "theirs")  # without hashbench
    sides = {
        f"{side}_codes": digits.bits[digits.parts[side], :16] for side in ("query", "database")
    }
    np.savez(tmp_path / "mine.npz", **sides)
    own = ("--results", "own")
    score = ("score", "--codes", "mine.npz", "--as", "short", "--bench", "digits", *own)
    assert hashbench(*score).code == 0
    again = ("--methods", "itq-cca", "--bits", "16", "--no-floors", "--workers", "0", *own)
    assert hashbench("run", *again).code == 0
    unsaid = hashbench("pack", *own, "--out", "none")
    assert (unsaid.code, "--pretrained-on" in unsaid.err) == (2, True)
    assert not (tmp_path / "none").exists()  # not even the entry of the other method
    said = ("--pretrained-on", "nothing", "--unlabelled")
    assert hashbench("pack", *own, "--methods", "short", "--out", "board", *said).code == 0

    alone = hashbench("verify", "board/theirs/entry.json")
    assert (alone.code, "1 entry: 1 verified" in alone.out) == (0, True), alone.err
    found = hashbench("verify", "board", *plugin, "--fresh-split", "7", "--json")
    body = json.loads(found.out)
    assert (found.code, body["entries"], body["ok"]) == (0, 4, 4), body
    names = [verdict["entry"] for verdict in body["verdicts"]]
    assert names == ["itq-cca:16:0", "short:16:0", "targets:16:0", "projections:24:0"]
    fresh = [verdict["fresh"] for verdict in body["verdicts"]]
    assert [one and one["queries"] for one in fresh] == [200, None, 200, None]
    entry = next((tmp_path / "board").glob("digits-targets-*")) / "entry.json"
    stated = json.loads(entry.read_text())
    assert stated["entry"]["author"] == "Ada"
    assert stated["method"]["source"] == "mine.py"
    assert len(stated["method"]["source_sha256"]) == 64
    assert stated["training"]["pretrained_on"] == "nothing"
    theirs = json.loads(next((tmp_path / "board").glob("digits-short-*/entry.json")).read_text())
    assert theirs["seen"] == {"labels": False, "extra_data": "", "test_set": False}
    assert (theirs["training"]["mode"], theirs["method"]["kind"]) == ("other", "external")

    stated["scores"]["house"]["map@h2"] += 0.001
    entry.write_text(json.dumps(stated))
    found = hashbench("verify", "board")
    lines = found.out.splitlines()
    assert found.code == 1
    assert [line.split()[0] for line in lines[:4]] == ["ok", "ok", "FAIL", "ok"]
    assert "house map@h2: claimed" in lines[2]
    assert lines[-1] == "4 entries: 3 verified, 1 not"

    (tmp_path / "nothing").mkdir()
    for folder in ("nothing", "nowhere"):
        found = hashbench("verify", folder)
        assert (found.code, found.out) == (2, "")
    assert hashbench("pack", "dch:16:0", "--out", "board").code == 2
