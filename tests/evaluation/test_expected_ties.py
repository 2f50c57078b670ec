"""Scores against brute force: every order of tied items, one by one, in exact fractions."""

from fractions import Fraction
from itertools import permutations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashbench.codes import Codes
from hashbench.evaluation import Convention, score

DENOMINATORS = ("hits", "min", "total")


@st.composite
def small_worlds(draw, max_items=6):
    """One query, a handful of items: small enough to try every order."""
    bits = draw(st.sampled_from([9, 3, 1]))
    classes = draw(st.integers(1, 3))
    items = draw(st.integers(1, max_items))
    near = st.integers(0, min(4, bits))  # few distances, so many ties

    def code():
        ones = draw(near)
        return [1] * ones + [0] * (bits - ones)

    def labels():
        return [draw(st.integers(0, 1)) for _ in range(classes)]

    query = Codes.from_bits(np.zeros((1, bits), int))
    database = Codes.from_bits(np.array([code() for _ in range(items)]))
    query_labels = np.array([labels()], np.uint8)
    database_labels = np.array([labels() for _ in range(items)], np.uint8)
    return query, database, query_labels, database_labels


def facts(world):
    query, database, query_labels, database_labels = world
    distance = (query.unpack() != database.unpack()).sum(axis=1).tolist()
    relevant = ((query_labels * database_labels).sum(axis=1) > 0).tolist()
    return distance, relevant


def average_precision(listed, denominator, all_relevant):
    """AP of one list in one order; None without a hit."""
    hits, summed = 0, Fraction(0)
    for place, is_relevant in enumerate(listed, start=1):
        if is_relevant:
            hits += 1
            summed += Fraction(hits, place)
    if hits == 0:
        return None
    return (
        summed
        / {
            "hits": hits,
            "min": min(all_relevant, len(listed)),
            "total": all_relevant,
        }[denominator]
    )


def expected(distance, relevant, take, denominator, nohit):
    """The mean AP of `take(order)` over all orders; None if every order is dropped."""
    values = []
    for order in permutations(range(len(distance))):
        ranked = sorted(order, key=lambda item: distance[item])
        value = average_precision(
            [relevant[item] for item in take(ranked)], denominator, sum(relevant)
        )
        if value is not None:
            values.append(value)
        elif nohit == "zero":
            values.append(Fraction(0))
    return sum(values) / len(values) if values else None


def same(actual, wanted):
    if wanted is None:
        return np.isnan(actual)
    return actual == pytest.approx(float(wanted), abs=1e-12)


@pytest.mark.parametrize("denominator", DENOMINATORS)
@pytest.mark.parametrize("nohit", ["zero", "drop"])
@settings(max_examples=40, deadline=None)
@given(world=small_worlds())
def test_expected_order_is_the_mean_over_all_orders(world, denominator, nohit):
    distance, relevant = facts(world)
    convention = Convention(denominator=denominator, nohit=nohit)
    lengths = [n for n in (1, 2, 3, 4) if n <= len(distance)]
    result = score(*world, [convention], cutoffs=lengths)[0]

    def ball(ranked):
        return [item for item in ranked if distance[item] <= 2]

    wanted = expected(distance, relevant, ball, denominator, nohit)
    if not any(d <= 2 for d in distance):
        wanted = Fraction(0)  # an empty ball is a matter of `empty`, not of `nohit`
    assert same(result["map@h2"], wanted)
    assert same(result["map"], expected(distance, relevant, list, denominator, nohit))
    for n in lengths:
        wanted = expected(distance, relevant, lambda ranked, n=n: ranked[:n], denominator, nohit)
        assert same(result[f"map@{n}"], wanted), n


@pytest.mark.parametrize("denominator", DENOMINATORS)
@pytest.mark.parametrize("best", [True, False])
@settings(max_examples=40, deadline=None)
@given(world=small_worlds(max_items=7))
def test_best_and_worst_put_the_relevant_items_first_or_last(world, denominator, best):
    distance, relevant = facts(world)
    order = sorted(range(len(distance)), key=lambda i: (distance[i], relevant[i] != best, i))
    convention = Convention(order="best" if best else "worst", denominator=denominator)
    result = score(*world, [convention], cutoffs=[1, 2, 3])[0]
    listed = [relevant[item] for item in order]
    for name, part in (
        ("map", listed),
        ("map@1", listed[:1]),
        ("map@2", listed[:2]),
        ("map@3", listed[:3]),
        ("map@h2", [relevant[item] for item in order if distance[item] <= 2]),
    ):
        if int(name.removeprefix("map@") if name[-2:] in ("@1", "@2", "@3") else 0) > len(listed):
            assert np.isnan(result[name])
            continue
        assert result[name] == pytest.approx(
            float(average_precision(part, denominator, sum(relevant)) or 0), abs=1e-12
        ), name
    if len(listed) > 1:
        assert result["p@2"] == pytest.approx(sum(listed[:2]) / 2)


@settings(max_examples=40, deadline=None)
@given(small_worlds(max_items=7))
def test_hits_of_a_cut_list_are_the_mean_over_all_orders(world):
    distance, relevant = facts(world)
    length = min(3, len(distance))
    hits = [
        sum(relevant[i] for i in sorted(order, key=lambda i: distance[i])[:length])
        for order in permutations(range(len(distance)))
    ]
    result = score(*world, cutoffs=[length])[0]
    mean_hits = Fraction(sum(hits), len(hits))
    assert result[f"p@{length}"] == pytest.approx(float(mean_hits / length))
    recall = mean_hits / sum(relevant) if any(relevant) else 0
    assert result[f"r@{length}"] == pytest.approx(float(recall))


@settings(max_examples=60, deadline=None)
@given(small_worlds(max_items=7))
def test_every_radius_of_the_curves_is_the_ball_of_that_radius(world):
    distance, relevant = facts(world)
    bits = world[0].bits
    curves = score(*world)[0].curves
    for radius in range(bits + 1):
        inside = [r for d, r in zip(distance, relevant, strict=True) if d <= radius]
        assert curves["p@h"][radius] == pytest.approx(sum(inside) / len(inside) if inside else 0)
        recall = sum(inside) / sum(relevant) if any(relevant) else 0
        assert curves["r@h"][radius] == pytest.approx(recall)
        alone = score(*world, [Convention(radius=radius)])[0]
        assert curves["map@h"][radius] == pytest.approx(alone[f"map@h{radius}"])
    assert sum(curves["similar"]) == sum(relevant)
    assert sum(curves["dissimilar"]) == len(relevant) - sum(relevant)


def test_a_long_cut_group_of_ties_agrees_with_many_random_orders():
    rng = np.random.default_rng(5)
    items, length = 400, 130
    distance = np.repeat([0, 1, 2], [40, 300, 60])
    relevant = rng.random(items) < 0.3
    bits = np.array([[0, 0], [1, 0], [1, 1]])[distance]
    world = (
        Codes.from_bits(np.zeros((1, 2), int)),
        Codes.from_bits(bits),
        np.ones((1, 1), np.uint8),
        relevant[:, None].astype(np.uint8),
    )
    value = score(*world, cutoffs=[length])[0][f"map@{length}"]
    samples = []
    for _ in range(4000):
        order = rng.permutation(items)
        listed = relevant[order[np.argsort(distance[order], kind="stable")]][:length]
        places = np.flatnonzero(listed)
        samples.append(np.mean(np.arange(1, len(places) + 1) / (places + 1)))
    standard_error = np.std(samples) / np.sqrt(len(samples))
    assert abs(value - np.mean(samples)) < 4 * standard_error


@pytest.mark.parametrize(
    ("size", "relevant", "take"), [(400, 120, 130), (900, 3, 500), (500, 490, 77)]
)
def test_a_long_cut_group_is_exact(size, relevant, take):
    """One group of ties, cut: the mean over the hypergeometric number of hits, in fractions."""
    world = (
        Codes.from_bits(np.zeros((1, 2), int)),
        Codes.from_bits(np.zeros((size, 2), int)),
        np.ones((1, 1), np.uint8),
        (np.arange(size) < relevant)[:, None].astype(np.uint8),
    )
    wanted = Fraction(0)
    for hits in range(1, min(relevant, take) + 1):
        chance = Fraction(
            comb(relevant, hits) * comb(size - relevant, take - hits), comb(size, take)
        )
        slope = Fraction(hits - 1, take - 1)
        precisions = sum((1 + (t - 1) * slope) / t for t in range(1, take + 1))
        wanted += chance * Fraction(hits, take) * precisions / hits
    found = score(*world, cutoffs=[take])[0][f"map@{take}"]
    assert found == pytest.approx(float(wanted), abs=1e-12)
