"""FAISS lookup finds the ball the evaluator counts, and says what it cost."""

import numpy as np
import pytest

from hashbench import runtime
from hashbench.codes import Codes
from hashbench.evaluation.histograms import count
from hashbench.evaluation.lookup import MAX_QUERIES, fastest, measure_lookup
from hashbench.evaluation.structures import balls, hashed, multihashed, rivals


def clustered(bits, noise=0.4, count=700):
    rng = np.random.default_rng(bits)
    centres = rng.normal(size=(5, bits))
    outputs = centres[rng.integers(0, 5, count)] + noise * rng.normal(size=(count, bits))
    return Codes.from_real(outputs[:150]), Codes.from_real(outputs[150:])


def brute(query, database, radius):
    distance = (query.unpack()[:, None] != database.unpack()[None]).sum(2)
    return [np.flatnonzero(row <= radius) for row in distance]


@pytest.mark.parametrize("bits", [1, 2, 8, 12, 48, 65])
@pytest.mark.parametrize("radius", [0, 2, 3])
def test_every_index_finds_the_exact_ball(bits, radius):
    query, database = clustered(bits)
    labels = np.ones((150, 1), np.uint8), np.ones((550, 1), np.uint8)
    ball = count(query, database, *labels).total[:, : radius + 1].sum(axis=1).mean()
    width = 8 * database.packed.shape[1]
    for structure in (hashed(width, bits, 550, radius), multihashed(width, bits, radius)):
        index = structure.make()
        index.add(database.packed)
        found = balls(index, query.packed, radius)
        wanted = brute(query, database, radius)
        assert all(map(np.array_equal, found, wanted))
        assert np.mean([len(part) for part in found]) == pytest.approx(ball)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_reported_says_how_it_was_measured(threads):
    query, database = clustered(12)
    with runtime.use(runtime.Runtime(threads=threads)):
        found = measure_lookup(query, database)
    ball = np.mean([len(part) for part in brute(query, database, 2)])
    assert (found["queries"], found["database"]) == (150, 550)
    assert (found["threads"], found["batch"], found["repeats"]) == (threads, 100, 5)
    for name in ("flat", "hash", "multihash"):
        index = found[name]
        assert index["identical"]
        assert index["recall"] == 1
        assert index["found"] == pytest.approx(ball)
        assert 1 <= index["passes"] <= 5
        assert index["bytes"] >= database.packed.nbytes
        assert index["memory"] is None or index["memory"] >= database.packed.nbytes // 2
    assert found["flat"]["candidates"] == 550
    assert ball <= found["hash"]["candidates"] <= 550


def test_the_rival_gives_up_recall_and_more_tables_give_it_back():
    query, database = clustered(48, noise=0.15)
    wanted = brute(query, database, 2)
    assert sum(map(len, wanted)) > 100
    found = measure_lookup(query, database)
    recall = [point["recall"] for point in found["points"] if point["index"].startswith("lsh")]
    assert len(recall) == len(list(rivals(48, 48))) == 4
    assert recall == sorted(recall)
    assert recall[0] < 1 == found["points"][0]["recall"]
    first = next(rivals(48, 48)).make()
    first.add(database.packed)
    ours = [
        [row for row in ball if (database.unpack()[row] == code)[:24].all()]
        for code, ball in zip(query.unpack(), wanted, strict=True)
    ]
    assert recall[0] == pytest.approx(sum(map(len, ours)) / sum(map(len, wanted)))


def test_rates_of_empty_balls_are_not_given():
    rng = np.random.default_rng(0)
    query, database = (Codes.from_real(rng.normal(size=(200, 64))) for _ in range(2))
    found = measure_lookup(query, database)
    assert found["empty"] == 1
    assert {point["queries_per_s"] for point in found["points"]} == {None}
    assert found["hash"]["queries_per_s"] is None
    assert found["rival"] is None


def test_the_fastest_is_an_exact_index_that_has_a_rate():
    lookup = {
        "empty": 0.1,
        "points": [{"index": "lsh x1", "queries_per_s": 9e9}],
        "flat": {"queries_per_s": 1.0},
        "hash": {"queries_per_s": 7.0},
        "multihash": {"queries_per_s": None},
    }
    assert fastest(lookup) == ("hash", {"queries_per_s": 7.0})
    assert fastest({"flat": {"queries_per_s": None}, "threads": 2}) is None


def test_at_most_a_thousand_queries_are_timed():
    query, _ = clustered(8, count=1400 + 150)
    many = Codes(np.repeat(query.packed, 10, axis=0), 8)
    assert measure_lookup(many, query)["queries"] == MAX_QUERIES
