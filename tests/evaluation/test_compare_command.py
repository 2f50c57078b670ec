"""`hashbench compare`: intervals and paired tests of stored per-query scores."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from hashbench.codes import Codes
from hashbench.commands.compare import command
from hashbench.errors import InputError
from hashbench.evaluation.statistics import compare_family, flip_test
from hashbench.results.record import Record
from hashbench.results.store import Store
from hashbench.runner.cell import Cell

SPLIT = {"sha256": "f00d" * 16, "counts": {"query": 80, "train": 5, "database": 9}, "notes": []}


@pytest.fixture
def stored(tmp_path):
    """Two methods at 8 bits, of two seeds and one, and one method at 16 bits."""
    store = Store(tmp_path / "run", create=True)
    rng = np.random.default_rng(0)
    scores = {}
    for method, bits, seed in (("dch", 8, 0), ("dch", 8, 1), ("lsh", 8, 0), ("dch", 16, 0)):
        cell = Cell("digits", "p", 0, "pixels", "none", method, {}, bits, seed, "1")
        values = rng.random(80) + (method == "dch")
        codes = Codes.from_bits(rng.integers(0, 2, (80, bits)))
        record = Record(cell.key, cell.to_dict(), "ok", split=SPLIT)
        store.put(record, (codes, codes), {"house|map@h2": values})
        scores[method, bits, seed] = values
    return store, scores


def run(*arguments):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_methods_are_compared_at_equal_bits_with_seeds_averaged(stored):
    store, scores = stored
    body = json.loads(run("--results", store.root, "--json"))
    seeds = np.stack([scores["dch", 8, 0], scores["dch", 8, 1]])
    dch = seeds.mean(axis=0)
    found = body["intervals"]["digits dch 8 bits"]
    family = compare_family({"dch": seeds, "lsh": scores["lsh", 8, 0]})
    wanted = family.intervals["dch"]
    assert found["mean"] == pytest.approx(dch.mean())
    assert (found["low"], found["seeds"]) == (wanted.low, 2)
    assert body["first"]["digits dch 8 bits"] == 1
    assert len(body["intervals"]) == 3
    (comparison,) = body["comparisons"]
    assert comparison["first"] == "digits dch 8 bits"
    assert comparison["second"] == "digits lsh 8 bits"
    assert comparison["difference"] == pytest.approx(dch.mean() - scores["lsh", 8, 0].mean())
    assert comparison["p"] == comparison["adjusted"] == flip_test(dch - scores["lsh", 8, 0])
    assert comparison["queries"] == 80
    assert not comparison["significant"]  # of two seeds


def test_the_table_shows_the_same(stored):
    text = run("--results", stored[0].root)
    assert "digits dch 16 bits" in text
    assert "Holm over 1" in text
    assert "< 1e-4" in text
    assert "not of other seeds" in text
    assert "+1.0" in text or "+0.9" in text


def test_scores_that_were_not_stored_are_named(stored):
    with pytest.raises(InputError, match=r"house\|map@h3.*did you mean house\|map@h2"):
        run("--results", stored[0].root, "--metric", "map@h3")
