"""Intervals and paired tests against exact enumeration and known truths."""

from itertools import product

import numpy as np
import pytest

from hashbench.errors import InputError
from hashbench.evaluation.significance import compare, holm, interval, paired_test


def test_the_bootstrap_interval_agrees_with_the_normal_one():
    values = np.random.default_rng(0).normal(0.6, 0.2, 1000)
    found = interval(values, resamples=4000)
    error = values.std() / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)
    wider = interval(values, level=0.99)
    assert wider.low < found.low < found.high < wider.high


def test_queries_left_out_do_not_count():
    values = np.array([0.1, 0.9, 0.4, 0.7])
    holes = np.array([0.1, np.nan, 0.9, 0.4, np.nan, 0.7])
    assert interval(holes) == interval(values)
    assert np.isnan(interval(np.full(3, np.nan)).mean)
    assert paired_test(holes, np.zeros(6)) == paired_test(values, np.zeros(4))


def test_the_paired_test_agrees_with_every_flip_enumerated():
    rng = np.random.default_rng(1)
    first, second = rng.random(9), rng.random(9) - 0.15
    difference = first - second
    flips = np.array(list(product([-1, 1], repeat=9)))
    exact = np.mean(np.abs(flips @ difference) >= abs(difference.sum()) - 1e-12)
    assert 0.01 < exact < 0.9
    p = paired_test(first, second, permutations=40_000)
    assert p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 40_000))


def test_equal_scores_are_not_different_and_clear_ones_are():
    values = np.random.default_rng(0).random(200)
    assert paired_test(values, values) == 1
    assert paired_test(values, values - 0.2, permutations=999) == pytest.approx(1 / 1000)


def test_the_paired_test_keeps_its_level():
    rng = np.random.default_rng(2)
    p_values = [
        paired_test(rng.random(40), rng.random(40), permutations=199, seed=trial)
        for trial in range(400)
    ]
    # 400 trials at level .05: 20 expected, standard deviation 4.4.
    assert 5 <= sum(p <= 0.05 for p in p_values) <= 35


def test_different_queries_cannot_be_paired():
    with pytest.raises(InputError, match="same split"):
        paired_test(np.ones(3), np.ones(4))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1, 1])
    assert holm([]) == []


def test_every_pair_is_compared_and_corrected():
    rng = np.random.default_rng(3)
    base = rng.random(100)
    noisy = base + rng.normal(0, 0.01, 100)
    noisy[0] = np.nan
    found = compare({"a": base, "b": base - 0.3, "c": noisy}, permutations=999)
    assert [(item.first, item.second) for item in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found[0].difference == pytest.approx(0.3)
    assert [item.queries for item in found] == [100, 99, 99]
    assert [item.adjusted for item in found] == pytest.approx(holm([item.p for item in found]))
    assert found[0].adjusted < 0.05


def test_families_are_compared_apart_and_corrected_together():
    rng = np.random.default_rng(3)
    short = {"a": rng.random(50), "b": rng.random(50)}
    long = {"a": rng.random(60), "b": rng.random(60), "c": rng.random(60)}
    found = compare(short, long, permutations=199)
    assert [item.queries for item in found] == [50, 60, 60, 60]
    assert [item.adjusted for item in found] == pytest.approx(holm([item.p for item in found]))
