"""Retrieval by cosine of features, against a reference written from the definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hashbench.errors import InputError
from hashbench.evaluation import ceiling
from hashbench.evaluation.ceiling import cosine_map, cosine_precision


def by_sorting(query, database, relevant):
    """Average precision of one query without ties, item by item."""
    cosines = [
        sum(a * b for a, b in zip(query, item, strict=True))
        / (sum(a * a for a in query) ** 0.5 * sum(b * b for b in item) ** 0.5)
        for item in database
    ]
    hits, precisions = 0, []
    for place, index in enumerate(sorted(range(len(cosines)), key=lambda i: -cosines[i]), 1):
        if relevant[index]:
            hits += 1
            precisions.append(hits / place)
    return sum(precisions) / len(precisions) if precisions else 0.0


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    query, database = rng.normal(size=(7, 5)), rng.normal(size=(60, 5))
    labels = [(rng.random((n, 4)) < 0.3).astype(np.uint8) for n in (7, 60)]
    labels[0][2] = 0  # a query without a relevant item
    return query, database, *labels


@pytest.mark.parametrize("block", [1 << 23, 100])
def test_is_the_average_precision_of_the_sorted_database(problem, block, monkeypatch):
    monkeypatch.setattr(ceiling, "_BLOCK", block)
    monkeypatch.setattr(ceiling, "_ROWS", 11)
    query, database, mine, theirs = problem
    expected = [
        by_sorting(q, database, [bool((y & other).any()) for other in theirs])
        for q, y in zip(query, mine, strict=True)
    ]
    found = cosine_precision(*problem)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found[2] == 0
    assert cosine_map(*problem) == pytest.approx(np.mean(expected))
    # Lengths do not matter, and neither does the order of the database.
    order = np.random.default_rng(1).permutation(60)
    scaled = database * np.linspace(0.1, 50, 60)[:, None]
    again = cosine_precision(3 * query, scaled[order].astype(np.float32), mine, theirs[order])
    np.testing.assert_allclose(again, expected, atol=1e-9)


def test_ties_count_the_mean_over_all_their_orders():
    database = np.array([[1, 0], [2, 0], [0.5, 0], [1, 1], [3, 3], [0, 0], [0, -1]], float)
    relevant = np.array([1, 0, 1, 0, 1, 1, 0])
    groups = [(0, 1, 2), (3, 4), (5, 6)]  # a row of zeros has the cosine 0, as has (0, -1)
    values = []
    for orders in itertools.product(*map(itertools.permutations, groups)):
        ranked = relevant[[i for order in orders for i in order]]
        places = np.flatnonzero(ranked)
        values.append(np.mean(np.arange(1, len(places) + 1) / (places + 1)))
    found = cosine_precision(np.array([[4.0, 0]]), database, np.array([1]), relevant)
    assert found[0] == pytest.approx(np.mean(values), abs=1e-12)


def test_class_ids_and_multi_hot_labels_say_the_same():
    rng = np.random.default_rng(0)
    query, database = rng.normal(size=(5, 3)), rng.normal(size=(40, 3))
    mine, theirs = rng.integers(0, 4, 5), rng.integers(0, 4, 40)
    hot = np.eye(4, dtype=np.uint8)
    np.testing.assert_array_equal(
        cosine_precision(query, database, mine, theirs),
        cosine_precision(query, database, hot[mine], hot[theirs]),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda q, d, y, z: (q[:, :3], d, y, z), "features must be"),
        (lambda q, d, y, z: (q[:0], d, y[:0], z), "a query and a database item"),
        (lambda q, d, y, z: (q, d, y[:3], z), "7 query features have 3 labels"),
        (lambda q, d, y, z: (q, np.where(d == d[3], np.nan, d), y, z), "database features hold"),
    ],
)
def test_what_cannot_be_ranked_is_refused(problem, change, message):
    with pytest.raises(InputError, match=message):
        cosine_precision(*change(*problem))
