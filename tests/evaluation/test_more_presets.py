"""Evaluators with rules of their own, against slow transcriptions that share no code."""

from itertools import pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_presets import SORTS, matches, precision_sum, scored, seeds, sorts, world

from hashbench.codes import Codes
from hashbench.evaluation import Convention, score
from hashbench.evaluation.arrays import evaluate


def fire(query, items, query_labels, item_labels, kind, length, old):
    distance = 0.5 * (query.shape[1] - np.sign(query).astype(float) @ np.sign(items).T)
    averages = []
    for i in range(len(query)):
        place = np.argsort(distance[i], kind=kind)[:length]
        imatch = matches(query_labels[i], item_labels)[place]
        precision = np.cumsum(imatch) / np.arange(1, length + 1)
        if imatch.sum() != 0:
            averages.append((precision * imatch).sum() / imatch.sum())
        elif not old:
            averages.append(0)
    return np.mean(averages)


def feature_rerank(query, items, query_labels, item_labels, kind, length):
    distance = (query.shape[1] - np.sign(query).astype(float) @ np.sign(items).T) / 2
    averages = []
    for i in range(len(query)):
        match = matches(query_labels[i], item_labels)
        listed = np.array([])
        for d in range(query.shape[1] + 1):
            inside = np.flatnonzero(distance[i] == d)
            order = np.argsort(-np.dot(query[i], items[inside].T), kind=kind)
            listed = np.append(listed, match[inside][order])
        listed = listed[:length]
        if listed.sum():
            averages.append(precision_sum(listed) / listed.sum())
    return np.mean(averages)


def csq(query, items, query_labels, item_labels, kind, length):
    query, items = (np.where(side >= 0, 1.0, -1.0) for side in (query, items))
    averages = []
    for i in range(len(query)):
        if query_labels[i].sum() == 0:
            continue
        place = np.argsort(-(items @ query[i]), kind=kind)[:length]
        listed = matches(query_labels[i], item_labels)[place]
        averages.append(precision_sum(listed) / listed.sum() if listed.any() else 0)
    return np.mean(averages)


def calc_map_k(query, items, query_labels, item_labels, kind, k):
    distance = 0.5 * (query.shape[1] - np.sign(query).astype(float) @ np.sign(items).T)
    total = 0.0
    for i in range(len(query)):
        match = matches(query_labels[i], item_labels)
        if not match.any():
            continue
        first = np.flatnonzero(match[np.argsort(distance[i], kind=kind)])[: min(k, match.sum())] + 1
        total += np.mean(np.arange(1, len(first) + 1) / first)
    return total / len(query)


def unequal_signs(query, items, query_labels, item_labels, kind):
    query, items = np.sign(query), np.sign(items)
    averages = []
    for i in range(len(query)):
        place = np.argsort((query[i] != items).sum(axis=1).astype(float), kind=kind)
        correct = matches(query_labels[i], item_labels)[place]
        precision = np.cumsum(correct) / np.arange(1, len(correct) + 1)
        with np.errstate(invalid="ignore"):
            averages.append((precision * correct).sum() / correct.sum())
    return np.mean(averages)


def precision_within_2(query, items, query_labels, item_labels):
    found = []
    for i in range(len(query)):
        distance = ((query[i] > 0) != (items > 0)).sum(axis=1)
        correct = matches(query_labels[i], item_labels)[np.argsort(distance)]
        precision = np.cumsum(correct) / np.arange(1, len(correct) + 1)
        found.append(precision[np.flatnonzero(np.sort(distance) > 2)[0] - 1])
    return np.mean(found)


def answerable(outputs):
    """The same without the queries that have nothing to find."""
    query, items, query_labels, item_labels = outputs
    kept = [matches(label, item_labels).any() for label in query_labels]
    return query[kept], items, query_labels[kept], item_labels


@sorts
@seeds
@pytest.mark.parametrize("old", [False, True])
def test_fire_in_both_modes(seed, sort, old):
    outputs = world(seed, zeros=True)
    name = f"{'fire-old' if old else 'fire'}(cutoff=7,order={sort})"
    wanted = fire(*outputs, SORTS[sort], 7, old)
    assert scored(name, outputs)["map@7"] == pytest.approx(wanted, abs=1e-12)


@sorts
@seeds
@pytest.mark.parametrize("length", [9, 80])
def test_deephash_rerank(seed, sort, length):
    outputs = world(seed, zeros=False)
    wanted = feature_rerank(*outputs, SORTS[sort], length)
    found = scored(f"deephash-rerank(cutoff={length},order={sort})", outputs)
    assert found[f"map@{length}"] == pytest.approx(wanted, abs=1e-12)
    expected = scored(f"deephash-rerank(cutoff={length})", outputs)
    assert expected[f"map@{length}"] == pytest.approx(wanted, abs=1e-12)


@sorts
@seeds
def test_csq_leaves_out_queries_without_a_label(seed, sort):
    query, items, query_labels, item_labels = world(seed, zeros=True)
    query_labels[5:9] = 0
    outputs = query, items, query_labels, item_labels
    wanted = csq(*outputs, SORTS[sort], 12)
    found = scored(f"csq(cutoff=12,order={sort})", outputs)
    assert found["map@12"] == pytest.approx(wanted, abs=1e-12)
    assert found["kept"] == pytest.approx(36 / 40)
    # One whose labels nothing in the database has scores 0, and counts.
    assert np.isnan(found.per_query["map@12"]).sum() == 4


@sorts
@seeds
@pytest.mark.parametrize("k", [1, 5, 30, 80])
def test_dcmh_averages_over_the_first_relevant_items(seed, sort, k):
    outputs = world(seed, zeros=True)
    found = scored(f"dcmh(cutoff={k},order={sort})", outputs)
    assert found[f"map@{k}"] == pytest.approx(calc_map_k(*outputs, SORTS[sort], k), abs=1e-12)
    assert f"p@{k}" not in found
    whole = scored("dcmh(cutoff=none)", outputs)["map"]
    assert whole == scored("orthohash", outputs)["map"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.sampled_from(["expected", "best", "worst"]))
def test_the_first_relevant_items_with_ties(seed, k, order):
    """Against many random orders of the tied items, and against the two extreme ones."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, rng.integers(1, 4))
    group = np.repeat(np.arange(len(sizes)), sizes)
    relevant = rng.random(len(group)) < rng.random()

    def of(listed):
        first = np.flatnonzero(listed)[:k] + 1
        return np.mean(np.arange(1, len(first) + 1) / first) if len(first) else 0.0

    codes = np.array([[1] * g + [0] * (3 - g) for g in range(4)])[group]
    found = evaluate(
        np.zeros((1, 3), int),
        codes,
        np.ones(1, int),
        relevant.astype(int),
        Convention(counting="hits", cutoff=k, order=order),
    )[f"map@{k}"]
    if order != "expected":
        listed = relevant[np.lexsort((relevant if order == "worst" else ~relevant, group))]
        assert found == pytest.approx(of(listed), abs=1e-12)
        return
    samples = [of(relevant[np.lexsort((rng.random(len(group)), group))]) for _ in range(1500)]
    error = np.std(samples) / np.sqrt(len(samples))
    assert abs(found - np.mean(samples)) <= 5 * error + 1e-12


def test_the_first_relevant_items_of_a_large_group_are_exact():
    """One group of ties: the mean over places of the first hits, summed in fractions elsewhere."""
    size, relevant, k = 300, 40, 7
    database = np.zeros((size, 2), int)
    labels = (np.arange(size) < relevant).astype(int)
    found = evaluate(
        np.zeros((1, 2), int),
        database,
        np.ones(1, int),
        labels,
        Convention(counting="hits", cutoff=k),
    )[f"map@{k}"]
    wanted = sum(
        i / place * comb(place - 1, i - 1) * comb(size - place, relevant - i)
        for i in range(1, k + 1)
        for place in range(i, size - relevant + i + 1)
    ) / (k * comb(size, relevant))
    assert found == pytest.approx(wanted, abs=1e-12)


@sorts
@seeds
def test_dsh_pytorch_counts_unequal_signs_and_is_spoiled_by_nothing_to_find(seed, sort):
    outputs = world(seed, zeros=True)
    assert np.isnan(unequal_signs(*outputs, SORTS[sort]))
    spoiled = scored(f"dsh-pytorch(order={sort})", outputs)
    assert np.isnan(spoiled["map"])
    assert spoiled.to_dict()["map"] is None
    wanted = unequal_signs(*answerable(outputs), SORTS[sort])
    found = scored(f"dsh-pytorch(order={sort})", answerable(outputs))
    assert found["map"] == pytest.approx(wanted, abs=1e-12)


@seeds
def test_pytorch_deephash_reads_the_whole_database_for_an_empty_ball(seed):
    outputs = answerable(world(seed, zeros=False))
    found = scored("pytorch-deephash", outputs)
    assert found["empty@h2"] > 0 or seed
    assert found["p@h2"] == pytest.approx(precision_within_2(*outputs), abs=1e-12)


def test_an_empty_ball_reads_the_database_in_every_metric_of_the_ball():
    query = np.array([[0] * 8, [1] * 8])
    database = np.array([[0] * 8, [0] * 7 + [1]])
    found = evaluate(query, database, [1, 1], [0, 1], "pytorch-deephash")
    assert found.per_query["p@h2"].tolist() == [0.5, 0.5]
    assert found.per_query["r@h2"].tolist() == [1, 1]
    # The far query's nearest item is the relevant one.
    assert found.per_query["map@h2"].tolist() == [0.5, 1]
    assert found["empty@h2"] == 0.5


@seeds
def test_ramap(seed):
    query, items, query_labels, item_labels = world(seed, zeros=False)
    bits = query.shape[1]
    rows = []
    for i in range(len(query)):
        match = matches(query_labels[i], item_labels)
        distance = ((query[i] > 0) != (items > 0)).sum(axis=1)
        inside = [match[distance <= radius] for radius in range(bits + 1)]
        rows.append(sum(part.mean() for part in inside if len(part)) / (bits + 1))
    found = scored("house", (query, items, query_labels, item_labels))
    assert found["ramap"] == pytest.approx(np.mean(rows), abs=1e-12)


def matlab_area(distance, match):
    """recall_precision.m and area_RP.m, radius by radius."""
    recall, precision = [], []
    for n in range(1, int(distance.max()) + 1):
        inside = distance <= n - 1 + 0.00001
        precision.append(match[inside].sum() / (inside.sum() + np.finfo(float).eps))
        recall.append(match[inside].sum() / match.sum())
    points = list(zip(recall, precision, strict=True))
    if points[0][0] != 0:
        points.insert(0, (0.0, points[0][1]))
    unique = {}
    for x, y in points:
        unique.setdefault(x, y)
    points = sorted(unique.items())
    return sum(
        0.5 * (right[0] - left[0]) * (right[1] + left[1]) for left, right in pairwise(points)
    )


@seeds
def test_area_under_the_pooled_curve(seed):
    query, items, query_labels, item_labels = world(seed, zeros=False)
    distance = ((query[:, None] > 0) != (items[None] > 0)).sum(axis=2)
    match = np.array([matches(label, item_labels) for label in query_labels])
    found = scored("house", (query, items, query_labels, item_labels))
    assert found["pr-area"] == pytest.approx(matlab_area(distance, match), abs=1e-12)


def test_the_pooled_precision_weighs_balls_by_their_items():
    codes = np.array([[0] * 9, [1] * 9]), np.array([[0] * 9] * 3 + [[1] * 9])
    found = evaluate(*codes, [1, 1], [1, 0, 0, 1])
    assert found["p@h2"] == pytest.approx((1 / 3 + 1) / 2)
    assert found["p-pooled@h2"] == pytest.approx(2 / 4)


def test_outputs_that_tie_are_in_expectation():
    """Two items with one output each way: the mean of both orders."""
    outputs = np.array([[1.0, 1.0]] * 2 + [[0.5, 0.5]], np.float32)
    query = Codes.from_real(np.array([[1.0, 1.0]]))
    database = Codes.from_real(outputs)
    labels = np.array([1]), np.array([1, 0, 1])
    rules = [Convention.parse(f"deephash(order={o})") for o in ("expected", "best", "worst")]
    expected, best, worst = (item["map@h2"] for item in score(query, database, *labels, rules))
    assert best == pytest.approx((1 + 2 / 3) / 2)
    assert worst == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert expected == pytest.approx((best + worst) / 2)
