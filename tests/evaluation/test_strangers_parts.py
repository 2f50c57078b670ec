"""A metric and a convention of a stranger's, counted in lines, and what is known of ours."""

import json

import numpy as np
import pytest

from hashbench import registries
from hashbench.errors import InputError
from hashbench.evaluation import (
    HOUSE,
    Convention,
    Metric,
    conventions,
    describe_metric,
    metrics,
    versions,
)
from hashbench.evaluation.arrays import evaluate

METRIC = """
import numpy as np
import hashbench

def distance(counts):
    found = counts.relevant > 0
    return np.where(found.any(axis=1), found.argmax(axis=1), np.nan)

nearest = hashbench.Metric(name="nearest", title="distance of the nearest hit", per_query=distance,
                           better="lower", bounds=(0, float("inf")), digits=1)
"""
CONVENTION = """
import hashbench

strict = hashbench.Convention(name="strict", source="my paper", differs="All relevant items.",
                              denominator="total", order="worst", cutoff=20)
"""


@pytest.fixture
def loaded(tmp_path):
    """Two plugin files, forgotten after the test."""

    def load(text):
        path = tmp_path / f"plugin{len(list(tmp_path.iterdir()))}.py"
        path.write_text(text)
        registries.load_plugins([path])

    return load


def world():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 2, (n, 9)) for n in (20, 60)], [rng.integers(0, 4, n) for n in (20, 60)]


def lines(text):
    return len([line for line in text.splitlines() if line.strip()])


def test_a_strangers_metric_is_scored_described_and_versioned(loaded):
    codes, labels = world()
    before = versions(HOUSE)
    assert lines(METRIC) <= 10
    loaded(METRIC)
    found = evaluate(*codes, *labels)
    wanted = [
        min((q != d).sum() for d, other in zip(codes[1], labels[1], strict=True) if other == label)
        for q, label in zip(codes[0], labels[0], strict=True)
    ]
    assert found.per_query["nearest"].tolist() == wanted
    assert found["nearest"] == pytest.approx(np.mean(wanted))
    assert "nearest" in json.loads(json.dumps(found.to_dict()))
    info = describe_metric("nearest")
    assert (info.title, info.better, info.digits) == ("distance of the nearest hit", "lower", 1)
    assert versions(HOUSE) == before | {"nearest": "1"}
    assert "nearest" not in evaluate(*codes, *labels, "deephash-all")


def test_a_strangers_convention_is_known_by_its_name(loaded):
    codes, labels = world()
    assert lines(CONVENTION) <= 5
    loaded(CONVENTION)
    found = evaluate(*codes, *labels, "strict")
    plain = evaluate(*codes, *labels, "house(denominator=total,order=worst,cutoff=20)")
    assert str(found.convention) == "strict"
    assert found.to_dict() == plain.to_dict()
    assert str(Convention.parse("strict(cutoff=5)")) == "strict(cutoff=5)"
    assert "strict" in registries.conventions().names()


def test_a_file_that_imports_ours_defines_none_of_them(loaded):
    loaded(f"from hashbench.evaluation import HOUSE\n{CONVENTION}")
    assert conventions()["house"] is HOUSE
    assert not registries.conventions().broken


def test_a_name_that_is_taken_stays_ours(loaded):
    with pytest.raises(InputError, match="the name 'house' belongs to hashbench"):
        loaded(CONVENTION.replace('"strict"', '"house"'))
    assert conventions()["house"] is HOUSE


def test_a_metric_must_give_one_value_a_query(loaded):
    codes, labels = world()
    loaded(METRIC.replace("return np.where", "return 3\n    np.where"))
    with pytest.raises(InputError, match=r"'nearest' must give one value a query, \(20,\)"):
        evaluate(*codes, *labels)


def test_a_metric_of_lengths_is_scored_at_each(loaded):
    codes, labels = world()
    loaded("""
import hashbench
miss = hashbench.Metric(name="miss@{n}", title="misses among {n}", better="lower",
                        per_query=lambda counts, n: 1 - counts.found(n) / n)
""")
    found = evaluate(*codes, *labels)
    assert found["miss@10"] == pytest.approx(1 - found["p@10"])
    assert np.isnan(found["miss@100"])  # of 60 items
    assert describe_metric("miss@10").title == "misses among 10"
    assert describe_metric("miss@10[unseen@all]").title == "misses among 10 [unseen@all]"
    assert describe_metric("miss@10[unseen@all]").better == describe_metric("miss@10").better


@pytest.mark.parametrize(
    ("name", "title", "better", "digits"),
    [
        ("map@h2", "mAP@H<=2", "higher", 3),
        ("map@5000", "mAP@5000", "higher", 3),
        ("map", "mAP", "higher", 3),
        ("p@100", "P@100", "higher", 3),
        ("nohit@h3", "share of balls without a hit within H<=3", "lower", 3),
        ("ball-q05@h2", "items in the ball (5% quantile) within H<=2", "higher", 1),
        ("ndcg@100", "NDCG@100", "higher", 3),
        ("mine@7", "mine@7", "higher", 3),
    ],
)
def test_what_a_name_means(name, title, better, digits):
    info = describe_metric(name)
    assert (info.title, info.better, info.digits) == (title, better, digits)


def test_every_score_has_a_family_whose_facts_hold():
    codes, labels = world()
    real = tuple(side - 0.5 for side in codes)
    for name in conventions():
        found = evaluate(*codes, *labels, name, relaxed=real)
        families = {describe_metric(metric).family for metric in found}
        assert families <= set(versions(found.convention))
        for metric, value in found.items():
            low, high = describe_metric(metric).bounds
            assert np.isnan(value) or low <= value <= high, (name, metric)


def test_versions_tell_what_has_changed():
    house = versions(Convention.parse("house"))
    assert house == versions(Convention())
    assert house != versions(Convention(radius=3))
    assert set(versions(Convention.parse("hashnet"))) == {
        "convention",
        *("map", "map@{n}", "p@{n}", "r@{n}", "kept"),
    }


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"name": "Mine"}, "no name of a metric"),
        ({"name": "mine@{k}"}, "no name of a metric"),
        ({"per_query": None}, "needs per_query"),
        ({"value": lambda counts: 0.0}, "needs per_query"),
    ],
)
def test_a_metric_that_cannot_be_is_refused(facts, words):
    with pytest.raises(InputError, match=words):
        Metric(**({"name": "mine", "title": "mine", "per_query": len} | facts))


def test_all_metrics_of_all_kinds_are_in_one_list():
    groups = {metric.group for metric in metrics().values()}
    assert groups == {"ball", "radii", "list", "graded"}
    assert next(iter(metrics())) == "map@h{radius}"
