"""Properties of scores that hold whatever the data."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import Convention, code_health, conventions, score


def world(seed=0, bits=10, classes=5, queries=40, items=120):
    rng = np.random.default_rng(seed)
    return (
        Codes.from_real(rng.normal(size=(queries, bits))),
        Codes.from_real(rng.normal(size=(items, bits))),
        (rng.random((queries, classes)) < 0.3).astype(np.uint8),
        (rng.random((items, classes)) < 0.3).astype(np.uint8),
    )


def take(codes, index):
    return codes.subset(index)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([3, 8, 13, 64]), st.integers(1, 6))
def test_shuffling_the_database_changes_nothing(seed, bits, classes):
    query, database, query_labels, database_labels = world(seed, bits, classes)
    order = np.random.default_rng(seed).permutation(len(database))
    shuffled = take(database, order), query_labels, database_labels[order]
    rules = [*(Convention(order=order) for order in ("expected", "best", "worst"))]
    rules += [Convention(rank="outputs"), Convention(rank="rerank"), Convention(scope="graded")]
    before = score(query, database, query_labels, database_labels, rules)
    after = score(query, *shuffled, rules)
    for one, other in zip(before, after, strict=True):
        assert other.to_dict() == pytest.approx(one.to_dict(), nan_ok=True, abs=1e-12)


def test_storage_order_matters_where_a_convention_says_so():
    query, database, query_labels, database_labels = world(bits=4)
    order = np.random.default_rng(1).permutation(len(database))
    shuffled = query, take(database, order), query_labels, database_labels[order]
    stable = [Convention(order="stable")]
    before = score(query, database, query_labels, database_labels, stable)[0]
    assert score(*shuffled, stable)[0]["map"] != before["map"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["hits", "min", "total"]))
def test_stable_order_lies_between_worst_and_best(seed, denominator):
    names = ("worst", "expected", "stable", "best")
    conventions = [Convention(order=name, denominator=denominator) for name in names]
    worst, expected, stable, best = score(*world(seed, bits=5), conventions)
    for metric in ("map", "map@h2"):
        low, high = worst[metric] - 1e-12, best[metric] + 1e-12
        assert low <= expected[metric] <= high
        assert low <= stable[metric] <= high


def test_arguments_are_left_as_they_were():
    given_world = world()
    copies = [part.copy() for part in (given_world[0].packed, given_world[1].packed)]
    labels = [part.copy() for part in given_world[2:]]
    for part in (given_world[0].packed, given_world[1].packed, *given_world[2:]):
        part.setflags(write=False)
    score(*given_world, list(conventions().values()))
    assert (given_world[0].packed == copies[0]).all()
    assert (given_world[1].packed == copies[1]).all()
    assert (given_world[2] == labels[0]).all()
    assert (given_world[3] == labels[1]).all()


def test_the_last_database_item_counts():
    query = Codes.from_bits(np.zeros((1, 8), int))
    database = Codes.from_bits(np.array([[1] * 8, [0] * 8]))
    labels = np.array([[0], [1]], np.uint8)
    result = score(query, database, np.ones((1, 1), np.uint8), labels)[0]
    assert result["map"] == result["map@h2"] == result["r@h2"] == 1
    only = Codes.from_bits(np.zeros((1, 8), int))
    one = np.ones((1, 1), np.uint8)
    assert score(query, only, one, one)[0]["map"] == 1
    assert score(query, only, one, one, [conventions()["deephash-pytorch"]])[0]["map"] == 0


def test_empty_balls_and_balls_without_a_hit():
    query = Codes.from_bits(np.zeros((3, 8), int))
    database = Codes.from_bits(np.array([[0] * 8, [1] * 8]))
    query_labels = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.uint8)
    database_labels = np.array([[1, 0, 0], [0, 1, 0]], np.uint8)
    result = score(query, database, query_labels, database_labels)[0]
    # The second finds only an item of the first's class; the third has nothing to find.
    assert result["nohit@h2"] == pytest.approx(2 / 3)
    assert result["empty@h2"] == 0
    assert result["map@h2"] == pytest.approx(1 / 3)
    assert result["kept@h2"] == 1
    far = Codes.from_bits(np.array([[0, 0, 0, 0, 0, 1, 1, 1]] * 3))
    away = score(far, database, query_labels, database_labels)[0]
    assert away["empty@h2"] == 1
    assert away["map@h2"] == away["p@h2"] == away["r@h2"] == away["ball@h2"] == 0


def test_a_convention_that_drops_every_query_is_undefined_not_zero():
    query = Codes.from_bits(np.zeros((2, 8), int))
    database = Codes.from_bits(np.ones((2, 8), int))
    labels = np.ones((2, 1), np.uint8)
    result = score(query, database, labels, labels, [Convention(empty="drop")])[0]
    assert np.isnan(result["map@h2"])
    assert np.isnan(result.per_query["map@h2"]).all()
    assert result.to_dict()["map@h2"] is None
    assert result["kept@h2"] == 0


def test_radii_end_at_the_code_length_where_zero_is_a_third_sign():
    # One sign of three differs from each item at least, all three at most: 2 and 3 are within.
    query = Codes.from_real(np.array([[1.0, -1.0, 0.0]]))
    database = Codes.from_real(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]))
    labels = np.array([[1]]), np.array([[1], [0]])
    convention = Convention(sgn0="symbol")
    result = score(query, database, *labels, [convention])[0]
    assert result.curves["p@h"] == [0.0, 0.0, 1.0, 0.5]
    assert result["ramap"] == 1.5 / 4


def test_identical_codes_at_64_bits():
    rng = np.random.default_rng(0)
    codes = Codes.from_bits(np.ones((50, 64), int)), Codes.from_bits(np.ones((200, 64), int))
    labels = [(rng.random((n, 3)) < 0.5).astype(np.uint8) for n in (50, 200)]
    result = score(*codes, *labels)[0]
    assert result["ball@h2"] == 200
    assert result["r@h2"] == pytest.approx(np.mean(labels[0].any(axis=1)))
    share = ((labels[0].astype(int) @ labels[1].T) > 0).mean()
    assert result["p@h2"] == result["p@10"] == pytest.approx(share)


def test_lists_longer_than_the_database_have_no_score():
    for convention in (Convention(), Convention(order="stable")):
        result = score(*world(items=7), [convention], cutoffs=[7, 100])[0]
        assert result["map@7"] == pytest.approx(result["map"])
        assert all(np.isnan(result[f"{kind}@100"]) for kind in ("map", "p", "r"))
        assert result.to_dict()["p@100"] is None
        assert max(result.curves["n"]) <= 7


def test_a_convention_of_long_lists_reports_a_short_database_under_the_name_of_the_whole():
    wanted = score(*world(items=7), [Convention.parse("hashnet(cutoff=none)")])[0]["map"]
    result = score(*world(items=7), [Convention.parse("hashnet")])[0]
    assert np.isnan(result["map@5000"])
    assert result["map"] == wanted
    assert result.per_query["map"].shape == (40,)
    assert "map" not in score(*world(items=7), [Convention.parse("hashnet(cutoff=3)")])[0]


def test_one_class_of_everything_scores_one():
    query, database, *_ = world(bits=9)
    ones = np.ones((len(query), 1), np.uint8), np.ones((len(database), 1), np.uint8)
    result = score(query, database, *ones)[0]
    assert result["map"] == pytest.approx(1)
    assert result["p@h2"] == pytest.approx(1 - result["empty@h2"])


def test_any_positive_label_value_counts():
    query, database, query_labels, database_labels = world()
    wanted = score(query, database, query_labels, database_labels)[0].to_dict()
    assert score(query, database, query_labels * 7, database_labels)[0].to_dict() == wanted
    signed = database_labels.astype(np.int8) * 2 - 1
    assert score(query, database, query_labels, signed)[0].to_dict() == wanted


def test_scores_are_addressed_by_name_and_go_through_json():
    result = score(*world(), [Convention(radius=3)])[0]
    for name in ("map@h3", "p@h3", "r@h3", "empty@h3", "nohit@h3", "ball@h3", "map", "map@100"):
        assert 0 <= result[name] == result.value(name)
    assert json.loads(json.dumps(result.to_dict())) == {
        name: None if np.isnan(value) else value for name, value in result.items()
    }
    json.dumps(result.curves, allow_nan=False)
    with pytest.raises(InputError, match="did you mean map@h3"):
        result.value("map@h2")
    assert np.mean(result.per_query["map@h3"]) == pytest.approx(result["map@h3"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: (Codes(w[0].packed[:0], 10), *w[1:]), "no query codes"),
        (lambda w: (w[0], Codes(w[1].packed[:, :1].copy(), 8), *w[2:]), "10 bits and database"),
        (lambda w: (*w[:2], w[2][:-1], w[3]), "40 query codes need"),
        (lambda w: (*w[:3], w[3][:, :-1]), "5 classes and database labels 4"),
        (lambda w: (*w[:3], w[3][:, 0]), r"120 database codes need \(120, classes\)"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        score(*change(world()))


def test_health_of_balanced_independent_bits():
    every = np.array([[i >> k & 1 for k in range(4)] for i in range(16)])
    health = code_health(Codes.from_bits(every))
    assert health["balance"] == health["balance_worst"] == 0.5
    assert health["correlation_max"] == health["correlation_mean"] == 0
    assert health["unique"] == 16
    assert health["entropy"] == pytest.approx(4)


def test_health_of_collapsed_codes():
    outputs = np.array([[1.0, 1, -1, 0.5], [1, 1, -1, -0.5], [1, 1, -1, 0.5], [1, 1, -1, 0.0]])
    outputs[:, 1] = outputs[:, 3]
    health = code_health(Codes.from_real(outputs))
    assert health["balance_worst"] == 0
    assert health["balance"] == 0.25
    assert health["correlation_max"] == pytest.approx(1)
    assert health["unique"] == 2
    assert health["entropy"] == pytest.approx(1)
    assert health["zeros"] == 2


def test_queries_with_nothing_to_find_are_left_out_of_the_ball_too():
    query = Codes.from_bits(np.array([[0] * 8, [0] * 8, [1] * 8]))
    database = Codes.from_bits(np.zeros((2, 8), int))
    query_labels = np.array([[1, 0], [0, 1], [0, 1]], np.uint8)
    database_labels = np.array([[1, 0], [1, 0]], np.uint8)
    result = score(query, database, query_labels, database_labels, [Convention(norelevant="drop")])
    scores = result[0].per_query
    # The second finds only other things, the third an empty ball.
    assert np.isnan(scores["map@h2"]).tolist() == [False, True, True]
    assert np.isnan(scores["r@h2"]).tolist() == [False, True, True]
    assert scores["p@h2"].tolist() == [1, 0, 0]
