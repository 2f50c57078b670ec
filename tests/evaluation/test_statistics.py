"""Tests, intervals and certificates against exact enumeration and known truths."""

from itertools import product
from math import comb, erfc, exp, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashbench.errors import InputError
from hashbench.evaluation.statistics import (
    SMALLEST_SHOWN,
    compare_family,
    correct,
    flip_test,
    flips,
    holm,
    leads,
    pairs,
    shown_p,
)
from hashbench.evaluation.statistics.flips import flip_bound


def queries(seed=0, seeds=1, n=400, spread=0.2):
    rng = np.random.default_rng(seed)
    return np.clip(rng.beta(2, 1, n) + rng.normal(0, spread, (seeds, n)), 0, 1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_few_differences_are_enumerated(seed, n):
    d = np.random.default_rng(seed).normal(0.3, 1, n).round(1)
    flips = np.array(list(product([-1, 1], repeat=n)))
    assert flip_test(d) == pytest.approx(np.mean(np.abs(flips @ d) >= abs(d.sum()) - 1e-9))


@pytest.mark.parametrize("mean", [0.01, 0.1, 0.3, 0.6])
def test_many_differences_agree_with_every_flip_enumerated(mean):
    d = np.random.default_rng(1).normal(mean, 0.5, 19)
    sums = np.zeros(1)
    for value in d:
        sums = np.concatenate([sums + value, sums - value])
    exact = np.mean(np.abs(sums) >= abs(d.sum()) - 1e-12)
    assert flip_test(d) == pytest.approx(exact, rel=0.2)


@pytest.mark.parametrize("ahead", [52, 60, 75, 99, 100])
def test_wins_and_losses_alone_are_the_sign_test_down_to_any_p(ahead):
    d = np.r_[np.full(ahead, 0.5), np.full(100 - ahead, -0.5), np.zeros(30)]
    exact = 2 * sum(comb(100, k) for k in range(ahead, 101)) / 2**100
    assert flip_test(d) == pytest.approx(min(1, exact), rel=0.2)


def test_a_thousand_queries_agree_with_the_normal_tail():
    for mean in (0.02, 0.04):
        d = np.random.default_rng(0).normal(0, 0.3, 1000)
        d += mean - d.mean()
        normal = erfc(abs(d.sum()) / sqrt((d**2).sum()) / sqrt(2))
        assert normal < 0.05
        assert flip_test(d) == pytest.approx(normal, rel=0.25)


def test_the_test_keeps_its_level():
    rng = np.random.default_rng(2)
    p_values = [flip_test(rng.random(40) - rng.random(40), trial) for trial in range(400)]
    # 400 trials at level .05: 20 expected, standard deviation 4.4.
    assert 5 <= sum(p <= 0.05 for p in p_values) <= 35


def test_equal_scores_are_not_different():
    assert flip_test(np.zeros(50)) == 1
    assert flip_test(np.empty(0)) == 1


def test_the_bound_without_a_draw_is_never_below_the_p_that_is_drawn():
    rng = np.random.default_rng(3)
    shifts = [(n, shift) for n in (1, 9, 40, 500) for shift in (0, 0.05, 0.2, 1, 5)]
    for n, shift in shifts:
        for d in (rng.normal(shift, 1, n), np.sign(rng.normal(shift, 1, n))):
            assert flip_test(d) <= flip_bound(d)
    ahead = 0.2 * np.where(np.arange(400) % 5 < 3, 1, -1)  # sum 16, sum of squares 16
    assert flip_bound(ahead) == pytest.approx(2 * exp(-(16**2) / (2 * 16)), rel=1e-5)
    assert flip_bound(np.zeros(3)) >= 1


def test_draws_do_not_depend_on_how_many_are_made_at_a_time(monkeypatch):
    d = np.random.default_rng(4).normal(0.05, 1, 501)
    whole = flip_test(d, 9)
    monkeypatch.setattr(flips, "BLOCK", 1 << 10)
    flips._block.cache_clear()
    assert flip_test(d, 9) == whole
    flips._block.cache_clear()


def test_small_p_values_are_shown_as_such():
    assert [shown_p(p) for p in (0.5, 1e-4, 9e-5, 1e-30)] == ["0.5000", "0.0001"] + ["< 1e-4"] * 2


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1, 1])
    assert holm([]) == []


def test_five_hundred_comparisons_can_still_be_significant():
    base = queries(n=1000)
    scores = {name: base[0] + 0.02 * name for name in range(33)}
    family = compare_family(scores, resamples=50)
    assert len(family.comparisons) == 528
    assert max(item.adjusted for item in family.comparisons) < 1e-4


def test_no_dagger_for_the_loser():
    """Averaged over the queries it kept one method leads; on those in common the other does."""
    rng = np.random.default_rng(0)
    second = rng.random(200) * 0.5
    second[:80] += 0.5
    first = np.full(200, np.nan)
    first[:80] = second[:80] - 0.05
    (item,) = compare_family({"first": first, "second": second}).comparisons
    assert item.difference > 0 > (first - second)[:80].mean()
    assert (item.queries, item.common) == (80, 0.4)
    assert item.adjusted < 1e-4
    assert not item.over_queries()
    assert item.against == "only 80 of 200 queries in common"


def test_signs_that_disagree_are_no_verdict():
    first, second = np.full(100, 0.5), np.full(100, 0.5)
    first[:96] += 0.01
    second[96:] = 1.0
    first[96:] = np.nan
    (item,) = compare_family({"first": first, "second": second}).comparisons
    assert item.queries == 96
    assert item.against.startswith("on the queries in common")
    assert not item.over_queries()


def test_queries_left_out_by_all_are_no_gap():
    scores = {"a": queries()[0], "b": queries()[0] - 0.1}
    for matrix in scores.values():
        matrix[:100] = np.nan
    (item,) = compare_family(scores).comparisons
    assert (item.queries, item.common, item.against) == (300, 1, "")


def test_one_seed_is_significant_over_queries_only():
    (item,) = compare_family({"a": queries(), "b": queries() - 0.1}).comparisons
    assert item.over_queries()
    assert not item.significant()
    three = {"a": queries(seeds=3), "b": queries(seeds=3) - 0.1}
    (item,) = compare_family(three).comparisons
    assert item.significant()


def seeds_apart(trial, seeds, n, spread):
    """One method under two sets of seeds, each of which shifts its mean."""
    rng = np.random.default_rng(trial)
    base = rng.beta(2, 1, n)
    return {
        side: base + rng.normal(0, 0.2, (seeds, n)) + rng.normal(0, spread, (seeds, 1))
        for side in ("a", "b")
    }


def test_another_seed_of_the_same_method_is_not_significantly_different():
    found = [
        compare_family(seeds_apart(trial, 3, 800, 0.02), resamples=100).comparisons[0]
        for trial in range(60)
    ]
    # Queries alone would call most of them different; 60 trials at .05: 3, deviation 1.7.
    alone = [
        compare_family(
            {name: part[:1] for name, part in seeds_apart(trial, 3, 800, 0.02).items()},
            resamples=10,
        ).comparisons[0]
        for trial in range(60)
    ]
    assert sum(item.over_queries() for item in alone) > 20
    assert sum(item.significant() for item in found) <= 8
    assert sum(item.low <= 0 <= item.high for item in found) >= 53


def test_the_interval_of_many_seeds_is_the_normal_one():
    scores = seeds_apart(1, 30, 500, 0.05)
    (item,) = compare_family(scores, resamples=4000).comparisons
    means = [part.mean(axis=1) for part in scores.values()]
    error = np.sqrt(sum(part.var(ddof=1) / 30 for part in means))
    assert item.difference == pytest.approx(means[0].mean() - means[1].mean())
    assert (item.high - item.low) / 2 == pytest.approx(2.0 * error, rel=0.12)


def test_the_interval_of_one_seed_is_the_normal_one_over_queries():
    values = np.random.default_rng(0).normal(0.6, 0.2, 1000)
    found = compare_family({"a": values}, resamples=4000).intervals["a"]
    error = values.std() / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)
    wider = compare_family({"a": values}, level=0.99).intervals["a"]
    assert wider.low < found.low < found.high < wider.high


def test_queries_of_a_class_that_are_alike_widen_the_interval():
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(20), 50)
    shifts = rng.normal(0, 0.1, 20)
    difference = (shifts - shifts.mean() + 0.02)[classes]
    base = rng.random(1000)
    scores = {"a": base + difference, "b": base}
    alone = compare_family(scores).comparisons[0]
    together = compare_family(scores, clusters=classes).comparisons[0]
    assert together.high - together.low > 4 * (alone.high - alone.low)
    assert alone.adjusted < 1e-4 < 0.01 < together.adjusted
    words = np.array(list("abcdefghijklmnopqrst"))[classes]
    assert compare_family(scores, clusters=words).comparisons[0] == together
    with pytest.raises(InputError, match="one class a query"):
        compare_family(scores, clusters=classes[:5])


def test_the_certificate_says_how_often_each_is_first():
    base = queries()
    found = compare_family({"a": base, "b": base - 0.2, "c": base}, resamples=500).certificate
    assert found == {"a": 0.5, "b": 0.0, "c": 0.5}
    lower = compare_family({"a": base, "b": base - 0.2}, better="lower", resamples=50).certificate
    assert lower == {"a": 0.0, "b": 1.0}
    close = {"a": queries(0), "b": queries(1) + queries(0).mean() - queries(1).mean() + 0.005}
    share = compare_family(close, resamples=2000).certificate["b"]
    item = compare_family(close, resamples=2000).comparisons[0]
    error = (item.high - item.low) / 2 / 1.96
    assert share == pytest.approx(1 - erfc(0.005 / error / sqrt(2)) / 2, abs=0.05)


def test_the_difference_is_that_of_the_means_a_table_shows():
    first, second = queries(0, seeds=3), queries(1, seeds=4)
    first[0, :7] = np.nan
    (item,) = compare_family({"a": first, "b": second}).comparisons
    shown = [np.mean([np.nanmean(row) for row in part]) for part in (first, second)]
    assert item.difference == pytest.approx(shown[0] - shown[1])
    assert item.queries == 393
    assert item.seeds == 3


def test_families_are_corrected_together():
    short = {"a": queries(0, n=50), "b": queries(1, n=50)}
    long = {name: queries(place, n=60) for place, name in enumerate("abc")}
    families = correct([compare_family(short), compare_family(long)])
    found = [item for family in families for item in family.comparisons]
    assert [item.queries for item in found] == [50, 60, 60, 60]
    assert [item.adjusted for item in found] == pytest.approx(holm([item.p for item in found]))


def test_the_order_of_methods_and_what_else_there_is_change_no_p():
    scores = {name: queries(place) for place, name in enumerate("abc")}
    whole = {(i.first, i.second): i.p for i in compare_family(scores).comparisons}
    pair = compare_family({"a": scores["a"], "c": scores["c"]}).comparisons[0]
    assert whole["a", "c"] == pair.p
    back = compare_family({"c": scores["c"], "a": scores["a"]}).comparisons[0]
    assert back.p == pytest.approx(pair.p)
    assert back.difference == pytest.approx(-pair.difference)


def test_a_method_that_keeps_no_query_is_compared_with_nothing():
    family = compare_family({"a": np.full(30, np.nan), "b": queries(n=30)})
    (item,) = family.comparisons
    assert np.isnan(item.difference)
    assert not item.over_queries()
    assert np.isnan(family.intervals["a"].low)
    assert family.certificate == {"a": 0.0, "b": 1.0}


def test_different_queries_cannot_be_paired():
    with pytest.raises(InputError, match="same split"):
        compare_family({"a": np.ones(3), "b": np.ones(4)})
    with pytest.raises(InputError, match=r"\(seeds, queries\)"):
        compare_family({"a": np.ones((2, 2, 2))})
    assert compare_family({}).comparisons == ()


def test_floors_are_held_against_methods_apart_and_change_no_verdict_of_theirs() -> None:
    methods = {name: queries(seed, 3) + 0.02 * seed for seed, name in enumerate("abc")}
    alone = compare_family(methods, resamples=200)
    scores = {"floor": queries(7, 3) - 0.01, **methods, "other floor": queries(8)}
    family = compare_family(scores, floors=("floor", "other floor"), resamples=200)
    assert family.comparisons == alone.comparisons
    assert family.certificate == alone.certificate
    assert set(family.intervals) == set(scores)
    pairs = [(item.first, item.second) for item in family.floors]
    assert pairs == [(name, floor) for name in "abc" for floor in ("floor", "other floor")]
    smallest = min(family.floors, key=lambda item: item.p)
    assert smallest.adjusted == pytest.approx(min(1, 6 * smallest.p))
    # Floors alone are compared as methods are.
    assert len(compare_family(scores, floors=tuple(scores), resamples=50).comparisons) == 10


def test_who_leads_is_who_beats_every_other_in_the_family() -> None:
    rng = np.random.default_rng(0)
    answers = set()
    for trial in range(24):
        base = rng.normal(size=(1 + trial % 3, 40))
        shift = (0.1, 0.45, 0.8)[trial // 8]
        scores = {
            name: base + rng.normal(scale=1.2, size=base.shape) + shift * (name == "a")
            for name in "abcdef"
        }
        family = compare_family(scores, floors=["f"])
        wins = [
            pair.second
            for pair in family.comparisons
            if pair.first == "a" and pair.difference > 0 and pair.over_queries()
        ]
        found = leads(scores, "a", set("bcde"), floors=["f"])
        assert found == (set(wins) == set("bcde"))
        answers.add(found)
    assert answers == {True, False}


def test_p_values_that_are_printed_alike_need_no_draw(monkeypatch) -> None:
    drawn = []

    def counted(*given):
        drawn.append(given)
        return flip_test(*given)

    monkeypatch.setattr(pairs, "flip_test", counted)
    rng = np.random.default_rng(3)
    places = {f"m{place}": 0.14 * place for place in range(8)} | {"floor": -0.05}
    base = rng.normal(size=(1, 300))
    scores = {name: base + rng.normal(at, size=base.shape) for name, at in places.items()}
    exact, coarse = (
        compare_family(scores, floors=["floor"], below=below) for below in (0.0, SMALLEST_SHOWN)
    )
    assert len(drawn) < 2 * 36 - 10
    for kind in ("comparisons", "floors"):
        both = list(zip(getattr(exact, kind), getattr(coarse, kind), strict=True))
        assert any(one.p != other.p for one, other in both)
        assert any(one.adjusted > SMALLEST_SHOWN for one, _ in both)
        for one, other in both:
            assert shown_p(one.p) == shown_p(other.p)
            assert shown_p(one.adjusted) == shown_p(other.adjusted)
            assert one.over_queries() == other.over_queries()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scores": [[0.5, 1.0]]}, "scores must be arrays by method"),
        ({"scores": {"one": [["a"]], "two": [[0.5]]}}, "scores must be numbers"),
        ({"scores": {"one": [[1], [1, 2]], "two": [[0.5]]}}, "scores are no array"),
        ({"scores": {"one": [[np.inf]], "two": [[0.5]]}}, "scores must be finite"),
        ({"better": "up"}, "unknown direction 'up'"),
        ({"level": 95}, "level must be a number between 0 and 1, got 95"),
        ({"resamples": 0}, "resamples must be a whole number from 1, got 0"),
        ({"floors": 3}, "floors must be names"),
        ({"clusters": [[1], [1, 2]]}, "clusters are no array"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(change, says):
    given = {"scores": {"one": [[0.5, 1.0]], "two": [[1.0, 0.5]]}, **change}
    with pytest.raises(InputError, match=says):
        compare_family(given.pop("scores"), **given)
