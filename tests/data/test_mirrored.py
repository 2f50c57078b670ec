"""Training sets with every image a second time, left and right exchanged."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import hashbench
from hashbench import api
from hashbench.backbones import feature_table
from hashbench.data import open_dataset
from hashbench.items import ids_of, source_of
from hashbench.runner import plan


def test_each_training_image_comes_with_its_mirror_image_and_labels() -> None:
    plain, split = open_dataset("digits").split(), open_dataset("digits", mirrored=True).split()
    n = len(plain.train)
    assert len(split.train) == 2 * n
    for at in (0, n // 2, n - 1):
        image = plain.train.image(at)
        np.testing.assert_array_equal(split.train.image(at), image)
        mirror = split.train.image(n + at)
        assert [list(row) for row in mirror[..., 0]] == [
            row[::-1] for row in image[..., 0].tolist()
        ]
    np.testing.assert_array_equal(split.train.labels[:n], plain.train.labels)
    np.testing.assert_array_equal(split.train.labels[n:], plain.train.labels)
    assert len(set(ids_of(split.train))) == 2 * n
    assert split.notes[-1] == f"{n:,} mirror images among the training items."


def test_queries_and_database_stay_and_the_split_is_another() -> None:
    plain, split = open_dataset("digits").split(), open_dataset("digits", mirrored=True).split()
    assert ids_of(split.query) == ids_of(plain.query)
    assert ids_of(split.database) == ids_of(plain.database)
    assert split.digest != plain.digest
    assert source_of(split.train).fingerprint != source_of(plain.train).fingerprint


def test_features_are_those_of_the_mirror_images() -> None:
    split = open_dataset("digits", mirrored=True).split()
    source = source_of(split.train)
    table = feature_table(source, "pixels")
    train = split.train.with_features(lambda: table, "pixels").features()
    n = len(train) // 2
    side = 8
    images = train[:n].reshape(n, side, side)
    np.testing.assert_array_equal(train[n:], images[:, :, ::-1].reshape(n, side * side))


def test_grey_pictures_among_coloured_ones_have_as_many_columns(tmp_path) -> None:
    rng = np.random.default_rng(0)
    lists = tmp_path / "data"
    lists.mkdir()
    lines = {"train": [], "query": [], "database": []}
    for at in range(12):
        part = ("train", "query", "database")[at % 3]
        pixels = np.repeat(rng.integers(0, 256, (8, 8, 1), np.uint8), 3, axis=2)
        if part != "train":
            pixels[0, 0] = 255, 0, 0
        Image.fromarray(pixels).save(lists / f"{at}.png")
        lines[part].append(f"{at}.png {at % 2} {1 - at % 2}\n")
    names = {"train": "train.txt", "query": "test.txt", "database": "database.txt"}
    for part, rows in lines.items():
        (lists / names[part]).write_text("".join(rows))
    split = open_dataset(f"lists:{lists}", mirrored=True).split()
    table = feature_table(source_of(split.train), "pixels")
    train = split.train.with_features(lambda: table, "pixels").features()
    assert train.shape == (8, 8 * 8 * 3)


def test_what_is_held_out_is_mirrored_for_nobody() -> None:
    plain = open_dataset("digits", held_out=1, inflated=True).split()
    split = open_dataset("digits", held_out=1, inflated=True, mirrored=True).split()
    n = len(plain.train)
    assert ids_of(split.train)[:n] == ids_of(plain.train)
    assert ids_of(split.train)[n:] == [f"mirror image of {name}" for name in ids_of(plain.train)]
    assert ids_of(split.query) == ids_of(plain.query)
    table = feature_table(source_of(split.train), "pixels")
    base = feature_table(source_of(plain.train), "pixels")
    for one, other in ((split.query, plain.query), (split.database, plain.database)):
        mine = one.with_features(lambda: table, "pixels").features()
        theirs = other.with_features(lambda: base, "pixels").features()
        np.testing.assert_array_equal(mine, theirs)


def test_a_run_says_that_it_has_them_and_shares_no_table_with_one_that_has_not(tmp_path) -> None:
    results = None
    for mirrored in (False, True):
        results = hashbench.run(
            "itq-cca", bits=16, datasets="digits", floors=False, mirrored=mirrored,
            results=tmp_path / "results", workers=0,
        )  # fmt: skip
    assert results is not None
    frame = hashbench.open_results(tmp_path / "results").frame()
    scores = frame[(frame["convention"] == "house") & (frame["metric"] == "map@h2")]
    assert scores["value"].nunique() == len(scores) == 2
    plain, mirrored = hashbench.open_results(tmp_path / "results").table()
    both = {len(dict(series.bench.options)): series.title for series in (plain, mirrored)}
    assert sorted(both) == [0, 1]


@pytest.mark.parametrize(
    ("mirrored", "ridge", "base"), [(False, 9.0, "tuned"), (True, 1.0, "defaults")]
)
def test_what_was_searched_without_them_is_not_taken_for_tuned(
    tmp_path, monkeypatch, mirrored, ridge, base
) -> None:
    monkeypatch.setattr(plan, "shipped_params", lambda _: {"itq-cca": {"ridge": 9.0}})
    monkeypatch.setattr(plan, "shipped_note", lambda *_: "as a search found")
    (ask,) = api.job(
        "itq-cca", 16, "digits", mirrored=mirrored, floors=False, results=tmp_path / "results"
    ).asks
    assert (ask.cell.params["ridge"], ask.origin.base) == (ridge, base)
