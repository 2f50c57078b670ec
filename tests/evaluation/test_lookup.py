"""FAISS lookup finds the ball the evaluator counts, and says what it cost."""

import numpy as np
import pytest

from hashbench.codes import Codes
from hashbench.evaluation.histograms import count
from hashbench.evaluation.lookup import measure_lookup


@pytest.mark.parametrize("bits", [1, 2, 8, 12, 48, 65])
@pytest.mark.parametrize("radius", [0, 2, 3])
def test_every_index_finds_the_exact_ball(bits, radius):
    rng = np.random.default_rng(bits)
    centres = rng.normal(size=(5, bits))
    outputs = centres[rng.integers(0, 5, 700)] + 0.4 * rng.normal(size=(700, bits))
    query, database = Codes.from_real(outputs[:150]), Codes.from_real(outputs[150:])
    labels = np.ones((150, 1), np.uint8), np.ones((550, 1), np.uint8)
    ball = count(query, database, *labels).total[:, : radius + 1].sum(axis=1).mean()
    found = measure_lookup(query, database, radius)
    assert found["queries"] == 150
    for name in ("flat", "hash", "multihash"):
        index = found[name]
        assert index["identical"]
        assert index["found"] == pytest.approx(ball)
        assert index["queries_per_s"] > 0
        assert index["bytes"] >= database.packed.nbytes
    assert found["flat"]["candidates"] == 550
    assert ball <= found["hash"]["candidates"] <= 550
