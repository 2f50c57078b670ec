"""A run keeps the ceiling of its bench: retrieval by the features themselves."""

from __future__ import annotations

import numpy as np
import pytest

from hashbench.backbones import feature_table
from hashbench.data import open_dataset
from hashbench.items import source_of
from hashbench.runner import ceiling
from hashbench.runner.benches import bound_split
from hashbench.runner.execute import Quiet
from hashbench.runner.plan import Request, plan
from hashbench.runner.run import Job, run_job
from hashbench.store.ceilings import ceiling_path, get_ceiling


class Silent:
    """Shows nothing."""

    def __init__(self, *_: object) -> None: ...

    def __enter__(self):
        return Quiet()

    def __exit__(self, *_: object) -> None: ...


def by_hand(split, asked, searched) -> float:
    """Mean average precision by cosine; equal cosines in any order, for digits have hardly any."""
    found = []
    database = split.database.features()[searched].astype(float)
    database /= np.linalg.norm(database, axis=1, keepdims=True)
    queries = split.query.features().astype(float)
    for query in asked:
        cosines = database @ queries[query]
        hits = (split.database_labels[searched] @ split.query_labels[query] > 0)[
            np.argsort(-cosines)
        ]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        found.append(precision[hits].mean())
    return float(np.mean(found))


def run(bench, protocol: str | None = None):
    asks = plan(Request(("quick",), (8,), protocol=protocol), bench.settings.data_root)
    run_job(Job(asks, bench.settings, executor="local"), Silent)
    return asks[0]


def test_it_is_that_of_the_features_of_the_split_and_its_views(bench) -> None:
    ask = run(bench, "digits-unseen")
    (record,) = bench.store.records()
    found = get_ceiling(bench.store, record.evidence, "pixels")
    split = bound_split(ask, bench.settings.data_root)
    assert set(found) == {"", *split.views}
    whole = np.arange(len(split.query)), np.arange(len(split.database))
    assert found[""] == pytest.approx(by_hand(split, *whole), abs=1e-4)
    for name in ("unseen@all", "seen@seen"):
        assert found[name] == pytest.approx(by_hand(split, *split.views[name]), abs=1e-4)


def test_it_is_computed_once(bench, monkeypatch) -> None:
    run(bench)
    (record,) = bench.store.records()
    monkeypatch.setattr(ceiling, "ceiling", lambda split: pytest.fail("computed again"))
    bench.store.forget(record.key)
    run(bench)
    assert len(bench.store.records()) == 1


def test_none_where_there_are_too_many_pairs(bench, monkeypatch) -> None:
    monkeypatch.setattr(ceiling, "MOST_PAIRS", 10)
    run(bench)
    (record,) = bench.store.records()
    assert not ceiling_path(bench.store, record.evidence, "pixels").exists()


def test_of_shifted_queries_the_clean_ones_count_and_each_shift_has_its_own(bench) -> None:
    shifted, plain = (
        open_dataset("digits").split(name, 0) for name in ("digits-shifted", "digits")
    )

    def table(split):
        rows = feature_table(source_of(split.train), "pixels")
        return split.with_features(lambda: rows, "pixels")

    split = table(shifted)
    found = ceiling.ceiling(split)
    assert found[""] == pytest.approx(ceiling.ceiling(table(plain))[""])
    assert set(found) == set(split.views)
    for name in ("jpeg_compression-5", "severity-3"):
        assert found[name] == pytest.approx(by_hand(split, *split.views[name]), abs=1e-4)
    assert found["severity-5"] < found["severity-1"] < found[""]
