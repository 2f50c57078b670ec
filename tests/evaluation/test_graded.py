"""Graded relevance against brute force: every order of tied items, one by one."""

from itertools import permutations
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import Convention, score
from hashbench.evaluation.graded import count_grades

GRADED = [Convention.parse("graded")]


@st.composite
def small_worlds(draw):
    """One query and a handful of items, at few distances, sharing up to four labels."""
    items = draw(st.integers(2, 6))
    distances = [draw(st.integers(0, 2)) for _ in range(items)]
    labels = [[draw(st.integers(0, 1)) for _ in range(4)] for _ in range(items)]
    mine = [draw(st.integers(0, 1)) for _ in range(4)]
    codes = np.array([[1] * d + [0] * (5 - d) for d in distances])
    return distances, codes, mine, labels


def mean_over_orders(distances, grades, of):
    orders = [sorted(o, key=lambda i: distances[i]) for o in permutations(range(len(grades)))]
    return np.mean([of([grades[i] for i in order]) for order in orders])


def dcg(listed, n):
    return sum((2**grade - 1) / log2(place + 1) for place, grade in enumerate(listed[:n], 1))


def weighted_average_precision(listed):
    found = [
        sum(listed[:place]) / place for place, grade in enumerate(listed, start=1) if grade > 0
    ]
    return np.mean(found) if found else 0.0


@settings(max_examples=60, deadline=None)
@given(small_worlds())
def test_gains_are_the_mean_over_all_orders(world):
    distances, codes, mine, labels = world
    grades = (np.array(labels) @ np.array(mine)).tolist()
    found = score(
        Codes.from_bits(np.zeros((1, 5), int)),
        Codes.from_bits(codes),
        np.array([mine], np.uint8),
        np.array(labels, np.uint8),
        GRADED,
        cutoffs=[1, 2],
    )[0]
    for n in (1, 2):
        ideal = dcg(sorted(grades, reverse=True), n)
        wanted = mean_over_orders(distances, grades, lambda listed, n=n: dcg(listed, n))
        assert found[f"ndcg@{n}"] == pytest.approx(wanted / ideal if ideal else 0, abs=1e-12)
        wanted = mean_over_orders(distances, grades, lambda listed, n=n: sum(listed[:n]) / n)
        assert found[f"acg@{n}"] == pytest.approx(wanted, abs=1e-12)
    wanted = mean_over_orders(distances, grades, weighted_average_precision)
    assert found["wap"] == pytest.approx(wanted, abs=1e-12)


def world(seed=0, queries=30, items=200):
    rng = np.random.default_rng(seed)
    codes = [Codes.from_bits(rng.integers(0, 2, (n, 70))) for n in (queries, items)]
    return codes, [(rng.random((n, 90)) < 0.1).astype(np.uint8) for n in (queries, items)]


def test_labels_shared_are_counted_at_each_distance():
    codes, labels = world()
    grades = count_grades(*codes, *labels)
    distance = (codes[0].unpack()[:, None] != codes[1].unpack()[None]).sum(axis=2)
    shared = labels[0].astype(int) @ labels[1].T
    for query in range(len(distance)):
        wanted = np.zeros(grades.joint.shape[1:], int)
        np.add.at(wanted, (distance[query], shared[query]), 1)
        assert (grades.joint[query] == wanted).all()
    plain = score(*codes, *labels, [Convention()])[0]
    assert plain.curves["similar"] == grades.histograms.relevant.sum(axis=0).tolist()


def test_with_one_label_an_item_grades_are_relevance():
    """ACG is precision, and WAP is mean average precision."""
    rng = np.random.default_rng(0)
    codes = [Codes.from_bits(rng.integers(0, 2, (n, 9))) for n in (30, 200)]
    ids = [rng.integers(0, 5, n) for n in (30, 200)]
    hot = [np.eye(5, dtype=np.uint8)[side] for side in ids]
    plain = score(*codes, *ids)[0]
    for labels in (ids, hot, [2 * side.astype(np.int8) - 1 for side in hot]):
        found = score(*codes, *labels, GRADED)[0]
        assert found["acg@100"] == pytest.approx(plain["p@100"])
        assert found["wap"] == pytest.approx(plain["map"])
        assert np.isnan(found["ndcg@1000"])


def test_graded_scores_stand_beside_the_others_in_one_call():
    codes, labels = world()
    both = score(*codes, *labels, [Convention(), *GRADED])
    assert both[0].to_dict() == score(*codes, *labels)[0].to_dict()
    assert both[1].to_dict() == score(*codes, *labels, GRADED)[0].to_dict()
    assert set(both[1].per_query) == {"wap"}


def test_graded_relevance_has_no_other_order():
    with pytest.raises(InputError, match="order=expected"):
        Convention(scope="graded", order="stable")
