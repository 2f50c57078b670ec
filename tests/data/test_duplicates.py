"""The same picture on both sides of a split, by bytes, by pixels, by features."""

import json
import os
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from hashbench.backbones import feature_table
from hashbench.commands.data import command as data
from hashbench.data import duplicates, open_dataset
from hashbench.data.digests import UNREADABLE
from hashbench.data.duplicates import Duplicate, by_pixels, copies, near, shared
from hashbench.data.inspection import inspect
from hashbench.data.twins import twins
from hashbench.errors import InputError
from hashbench.items import source_of


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)


@pytest.fixture
def lists(tmp_path, monkeypatch):
    """Two queries, two training images, three database images, all different."""
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "lists"
    folder.mkdir()
    for part, count in (("query", 2), ("train", 2), ("database", 3)):
        names = [f"{part[0]}{number}.png" for number in range(count)]
        text = "".join(f"{name} {index % 2} {1 - index % 2}\n" for index, name in enumerate(names))
        (folder / f"{part}.txt").write_text(text)
        for name in names:
            Image.fromarray(noise(sum(name.encode()))).save(folder / name)
    return folder


def opened(folder, **allow):
    return open_dataset(f"lists:{folder}", folder.parent / "root", **allow)


def test_lists_without_copies_are_taken(lists):
    assert opened(lists).split().notes == ()


def test_a_copy_in_the_database_is_refused_or_allowed_by_name(lists):
    shutil.copy(lists / "q1.png", lists / "d2.png")
    with pytest.raises(InputError, match=r"1 query is identical .* database \(first q1.png and"):
        opened(lists).split()
    split = opened(lists, allow_duplicates=True).split()
    note, of_labels = split.notes
    assert "1 image has other labels than identical ones" in of_labels  # q1 is of another class
    assert (
        note == "1 query is identical to images of the database (first q1.png and d2.png), allowed."
    )


def test_a_link_into_the_training_set_is_a_copy(lists):
    (lists / "t0.png").unlink()
    os.link(lists / "q0.png", lists / "t0.png")
    with pytest.raises(InputError, match="identical to images of the training set"):
        opened(lists).split()
    found = inspect(opened(lists), "lists")
    assert (found.copies, found.links) == (2, 2)
    assert found.duplicates == {"bytes": {"train": 1}}
    assert found.pairs == [
        {"same": "bytes", "query": "q0.png", "other": "t0.png", "part": "train", "similarity": 1.0}
    ]


def test_copies_outside_the_queries_are_counted_and_no_fault(lists):
    shutil.copy(lists / "t0.png", lists / "d0.png")
    assert opened(lists).split().notes == ()
    found = inspect(opened(lists), "lists")
    assert (found.copies, found.links, found.problems) == (2, 0, [])


def test_copies_of_other_labels_are_told(lists):
    shutil.copy(lists / "t0.png", lists / "d1.png")
    (note,) = opened(lists).split().notes
    assert note == (
        "1 image has other labels than identical ones of another name (first t0.png and d1.png)."
    )
    assert inspect(opened(lists), "lists").problems == [note[:-1]]


def test_a_file_without_a_byte_is_a_missing_image(lists):
    (lists / "d1.png").write_bytes(b"")
    (lists / "d2.png").unlink()
    with pytest.raises(InputError, match=r"2 of 7 images are missing .*, 1 as files without"):
        opened(lists).split()
    split = opened(lists, allow_missing=True).split()
    assert split.counts == {"query": 2, "train": 2, "database": 1}
    assert inspect(opened(lists), "lists").missing == ["d1.png", "d2.png"]


def test_published_data_is_taken_as_it_is(tiny_cifar, tmp_path, monkeypatch):
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    tiny_cifar.folders(tmp_path / "cifar10")
    folder = tmp_path / "cifar10" / "train" / "cat"
    shutil.copy(folder / "0.png", tmp_path / "cifar10" / "test" / "cat" / "1.png")
    dataset = open_dataset("cifar10", tmp_path)
    assert dataset.split("cifar10-2", 0).notes == ()
    found = inspect(dataset, "cifar10", "cifar10-2")
    assert found.copies == 2
    assert found.problems == []


def test_equal_pixels_in_other_bytes_are_found(lists):
    Image.open(lists / "q0.png").save(lists / "d1.png", compress_level=0)
    assert opened(lists).split().notes == ()
    found = inspect(opened(lists), "lists", look_alikes=distinct)
    assert found.duplicates == {"bytes": {}, "pixels": {"database": 1}, "features": {}}
    assert found.copies == 0
    assert found.problems == [
        "1 query image is identical (pixels) to database images of another name"
    ]


def test_a_query_in_other_bytes_is_noted_once_features_are_there(lists):
    Image.open(lists / "q0.png").save(lists / "d1.png", compress_level=0)
    shutil.copy(lists / "q1.png", lists / "d2.png")  # the same bytes are told elsewhere
    split = opened(lists, allow_duplicates=True).split()
    table = feature_table(source_of(split.query), "pixels")
    (note,) = twins(split.with_features(lambda: table), "hashbench data verify x")
    assert note == (
        "1 query looks exactly like images of the database that are other files (first q0.png and "
        "d1.png): `hashbench data verify x` compares pixels."
    )
    shifted = table + np.arange(len(table))[:, None].astype(np.float32) * 1e-3
    assert twins(split.with_features(lambda: shifted), "") == ()


def distinct(source):
    """Features of which no two are alike."""
    return np.eye(len(source), dtype=np.float32)


def test_what_looks_alike_is_listed_once_and_is_no_problem(lists):
    ids = source_of(opened(lists).split().query).ids

    def features(source):
        table = distinct(source)
        table[ids.index("d2.png")] = table[ids.index("q1.png")] * 3
        table[ids.index("d2.png"), 0] += 0.1
        return table

    found = inspect(opened(lists), "lists", look_alikes=features)
    assert found.duplicates["features"] == {"database": 1}
    (pair,) = found.pairs
    assert (pair["query"], pair["other"]) == ("q1.png", "d2.png")
    assert pair["similarity"] == pytest.approx(3 / np.hypot(3, 0.1), abs=1e-6)
    assert found.problems == []


def test_near_takes_the_most_alike_and_never_the_image_itself(lists, monkeypatch):
    monkeypatch.setattr(duplicates, "BLOCK", 1)
    split = opened(lists).split()
    ids = source_of(split.query).ids
    angles = {"q0.png": 0, "q1.png": 90, "t0.png": 10, "t1.png": 45}
    angles |= {"d0.png": 5, "d1.png": -4, "d2.png": 80}
    radians = np.deg2rad([angles[name] for name in ids])
    table = np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)
    found = near(split, table, least=np.cos(np.deg2rad(11)))
    told = [(pair.query, pair.other, pair.part) for pair in found]
    assert told == [
        ("q0.png", "d1.png", "database"),
        ("q0.png", "t0.png", "train"),
        ("q1.png", "d2.png", "database"),
    ]
    assert found[0].similarity == pytest.approx(np.cos(np.deg2rad(4)), abs=1e-6)


def test_images_that_cannot_be_read_are_like_no_other(lists):
    for name in ("q0.png", "d0.png"):
        (lists / name).write_bytes(b"no image")
    split = opened(lists, allow_duplicates=True).split()
    source = source_of(split.query)
    assert shared(split, list(by_pixels(source))) == []
    contents = [UNREADABLE] * len(source)
    assert shared(split, contents) == []
    assert copies(source, contents) == (0, 0)


def test_pairs_are_of_a_query_and_each_other_part(lists):
    split = opened(lists).split()
    contents = ["one" if name in ("q1.png", "t1.png", "d0.png") else name
                for name in source_of(split.query).ids]  # fmt: skip
    assert shared(split, contents) == [
        Duplicate("q1.png", "d0.png", "database"),
        Duplicate("q1.png", "t1.png", "train"),
    ]


def test_verify_says_it_and_finds_more_when_asked(lists):
    shutil.copy(lists / "q1.png", lists / "d2.png")
    Image.open(lists / "q0.png").save(lists / "d1.png", compress_level=0)
    runner = CliRunner()
    result = runner.invoke(data, ["verify", f"lists:{lists}"])
    assert result.exit_code == 1
    assert "2 of 7 images are the same as another" in result.output
    assert "same: q1.png = d2.png in database" in result.output
    result = runner.invoke(
        data, ["verify", f"lists:{lists}", "--duplicates", "--backbone", "pixels", "--json"]
    )
    body = json.loads(result.stdout)
    assert body["duplicates"]["pixels"] == {"database": 1}
    assert [pair["query"] for pair in body["pairs"]] == ["q1.png", "q0.png"]
