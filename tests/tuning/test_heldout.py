"""The held-out bench is of the training set alone, and its database grows as the formula says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hashbench.backbones import feature_table
from hashbench.backbones.mixed import MixedTable
from hashbench.data import open_dataset
from hashbench.data.heldout import hold_out
from hashbench.data.mixed import MixedSource
from hashbench.data.split import Split
from hashbench.errors import InputError
from hashbench.items import Items, TrainItems, ids_of, rows_of, source_of, train_from_features


def _split(n: int = 100, database: int = 700, labels: np.ndarray | None = None) -> Split:
    """`n` training items of four classes, and queries and a database that must not matter."""
    classes = np.arange(n) % 4
    if labels is None:
        labels = np.eye(4, dtype=np.uint8)[classes]
    features = np.column_stack([classes, np.arange(n)]).astype(np.float32)
    train = train_from_features(features, labels)
    other = train.without_labels()
    return Split(
        train=train,
        query=other.subset(np.arange(9)),
        database=other.subset(np.arange(database) % n),
        query_labels=np.zeros((9, labels.shape[1]), np.uint8),
        database_labels=np.zeros((database, labels.shape[1]), np.uint8),
        classes=tuple("abcdefgh"[: labels.shape[1]]),
        notes=("a note of the split",),
        views={"v": (np.arange(2), np.arange(2))},
    )


@pytest.mark.parametrize("n", [50, 101, 333])
def test_the_parts_are_disjoint_stratified_and_the_training_set(n: int) -> None:
    split = _split(n)
    held = hold_out(split, 3)
    rows = [rows_of(part) for part in (held.train, held.query, held.database)]
    assert sorted(np.concatenate(rows)) == list(range(n))
    assert abs(len(held.query) - n / 5) < 1
    assert abs(len(held.database) - n / 5) < 1
    every = split.train.labels
    for part, labels in zip(
        rows, (held.train.labels, held.query_labels, held.database_labels), strict=True
    ):
        np.testing.assert_array_equal(labels, every[part])
        np.testing.assert_allclose(labels.sum(0) / len(part), every.sum(0) / n, atol=2 / len(part))
    assert held.views == {}


def test_several_labels_keep_their_shares() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((1000, 5)) < [0.5, 0.3, 0.2, 0.1, 0.05]).astype(np.uint8)
    held = hold_out(_split(1000, labels=labels), 0)
    np.testing.assert_allclose(held.query_labels.mean(0), labels.mean(0), atol=0.02)


def test_a_carving_depends_on_its_seed_and_number_alone() -> None:
    one, same, seed, number = (
        ids_of(hold_out(_split(), *args).query) for args in ((0,), (0, 1), (1,), (0, 2))
    )
    assert one == same
    assert len({tuple(one), tuple(seed), tuple(number)}) == 3


def test_too_small_a_training_set_is_one_sentence() -> None:
    with pytest.raises(InputError, match="49 items are too few"):
        hold_out(_split(49), 0)


@pytest.mark.parametrize("inflated", [False, True])
def test_queries_and_database_of_the_split_change_nothing(inflated, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path))
    split = open_dataset("digits").split()
    rng = np.random.default_rng(0)
    hidden = np.setdiff1d(np.arange(len(source_of(split.train))), rows_of(split.train))
    other = replace(
        split,
        query=split.query.subset(rng.permutation(len(split.query))),
        query_labels=rng.permuted(split.query_labels, axis=1),
        database=split.database.subset(rng.permutation(len(split.database))),
        database_labels=rng.permuted(split.database_labels, axis=1),
    )
    found = []
    for part in (split, other):
        held = hold_out(part, 0, inflated=inflated)
        table = np.array(feature_table(source_of(held.train), "pixels"))
        if part is other:
            table[hidden] = np.nan
        held = held.with_features(lambda table=table: table)
        features = [items.features() for items in (held.train, held.query, held.database)]
        assert all(np.isfinite(rows).all() for rows in features)
        found.append((held.digest, source_of(held.train).fingerprint, features))
    assert found[0][:2] == found[1][:2]
    for one, two in zip(found[0][2], found[1][2], strict=True):
        np.testing.assert_array_equal(one, two)


def test_an_option_of_the_data_set_holds_out() -> None:
    whole = open_dataset("digits").split()
    held = open_dataset("digits", held_out=2, inflated=True).split()
    assert len(held.database) == len(whole.database)
    assert set(ids_of(held.query)) < set(ids_of(whole.train))
    assert held.digest != open_dataset("digits", held_out=1, inflated=True).split().digest


# --- mixtures


def test_each_item_is_mixed_equally_often_with_others_of_its_label_set() -> None:
    labels = np.array([[1, 0], [1, 1], [1, 0], [1, 1], [1, 0], [0, 1]], np.uint8)
    mixed = MixedSource.draw(train_from_features(np.zeros((6, 1)), labels), 6000, 5)
    np.testing.assert_array_equal(np.bincount(mixed.first), 1000)
    np.testing.assert_array_equal(labels[mixed.first], labels[mixed.second])
    alone = mixed.first == 5
    np.testing.assert_array_equal(mixed.second[alone], 5)  # no partner but itself
    assert (mixed.first != mixed.second)[~alone].all()
    partners = mixed.second[mixed.first == 0]
    assert set(partners) == {2, 4}
    assert 400 < (partners == 2).sum() < 600
    assert len(set(mixed.ids)) == len(mixed) == 6000
    with pytest.raises(InputError, match="features and no image"):
        mixed.read(0)


def test_features_of_mixtures_are_those_of_the_formula() -> None:
    labels = np.array([[1, 0]] * 3 + [[0, 1]] * 4 + [[1, 1]], np.uint8)
    features = np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)
    mixed = MixedSource.draw(train_from_features(features, labels), 50, 2)
    table = MixedTable(mixed, features)
    t = 0.5
    for row in range(50):
        a, b = mixed.first[row], mixed.second[row]
        mean = features[(labels == labels[a]).all(axis=1)].mean(axis=0)
        wanted = mean + ((1 - t) * (features[a] - mean) + t * (features[b] - mean)) / np.sqrt(
            (1 - t) ** 2 + t**2
        )
        np.testing.assert_allclose(table[np.array([row])][0], wanted, atol=1e-6)
    np.testing.assert_array_equal(table[:], np.asarray(table))


def test_mixtures_keep_mean_and_covariance_of_a_class() -> None:
    rng = np.random.default_rng(3)
    features = (rng.normal(size=(400, 2)) @ [[2.0, 1.0], [0.0, 0.5]] + 7).astype(np.float32)
    items = train_from_features(features, np.ones((400, 1), np.uint8))
    found = MixedTable(MixedSource.draw(items, 40_000, 0), features)[:]
    np.testing.assert_allclose(found.mean(0), features.mean(0), atol=0.02)
    np.testing.assert_allclose(np.cov(found.T), np.cov(features.T), rtol=0.05, atol=0.02)


def test_the_inflated_database_carries_its_items_labels() -> None:
    held = hold_out(_split(100, database=700), 0, inflated=True)
    plain = hold_out(_split(100, database=700), 0)
    assert len(held.database) == len(held.database_labels) == 700
    source = source_of(held.database)
    mixed = source.parts[-1]
    rows = rows_of(held.database) - (len(source) - len(mixed))
    np.testing.assert_array_equal(held.database_labels, plain.database_labels[mixed.first[rows]])
    assert isinstance(held.database, Items)
    assert not isinstance(held.database, TrainItems)
