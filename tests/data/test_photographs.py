"""VOC, MIRFLICKR and ImageNet-100 from tiny files in the exact official formats."""

from dataclasses import replace

import numpy as np
import pytest
from pictures import noise, write_image

from hashbench.data import open_dataset
from hashbench.data.imagenet100 import ImageNet100
from hashbench.data.mirflickr import CLASSES as ANNOTATIONS
from hashbench.data.mirflickr import MIRFlickr
from hashbench.data.voc import CLASSES, VOC2007, VOC2012
from hashbench.errors import InputError
from hashbench.items import ids_of


def small(monkeypatch, cls, **counts):
    """Protocols of a class with other counts and no pins, for the test's duration."""
    protocols = {
        name: replace(protocol, pins={}, **counts) for name, protocol in cls.protocols.items()
    }
    monkeypatch.setattr(cls, "protocols", protocols)


def write_voc(base, part, names, marks):
    """`ImageSets/Main/<class>_<part>.txt` as published: a name, blanks, -1, 0 or 1."""
    folder = base / "ImageSets" / "Main"
    folder.mkdir(parents=True, exist_ok=True)
    for column, kind in enumerate(CLASSES):
        lines = [f"{name} {marks[row][column]:2d}\n" for row, name in enumerate(names)]
        (folder / f"{kind}_{part}.txt").write_text("".join(lines))
    for name in names:
        write_image(base / "JPEGImages" / f"{name}.jpg", noise(int(name[-6:]), 70, 90))


@pytest.fixture
def voc2007(tmp_path, monkeypatch):
    monkeypatch.setattr(VOC2007, "sets", {"trainval": 3, "test": 2})
    small(monkeypatch, VOC2007, queries=2, database=3)
    marks = -np.ones((5, 20), int)
    for row, column, mark in [(0, 0, 1), (1, 0, 0), (1, 3, 1), (2, 19, 1), (3, 3, 1), (4, 0, 0)]:
        marks[row, column] = mark
    base = tmp_path / "voc2007" / "VOCdevkit" / "VOC2007"
    write_voc(base, "trainval", ["000005", "000007", "000009"], marks[:3])
    write_voc(base, "test", ["000001", "000002"], marks[3:])
    return tmp_path


def test_voc_2007_asks_with_its_test_set(voc2007):
    split = open_dataset("voc2007", voc2007).split()
    assert sorted(ids_of(split.query)) == ["000001.jpg", "000002.jpg"]
    assert sorted(ids_of(split.database)) == ["000005.jpg", "000007.jpg", "000009.jpg"]
    assert sorted(ids_of(split.train)) == sorted(ids_of(split.database))
    labels = dict(zip(ids_of(split.database), split.database_labels, strict=True))
    assert np.flatnonzero(labels["000007.jpg"]).tolist() == [0, 3]
    assert split.classes[3] == "boat"
    assert split.query.image(0).shape == (70, 90, 3)


def test_difficult_objects_count_or_not_by_protocol(voc2007, monkeypatch):
    split = open_dataset("voc2007", voc2007).split("voc2007-easy")
    labels = dict(zip(ids_of(split.database), split.database_labels, strict=True))
    assert np.flatnonzero(labels["000007.jpg"]).tolist() == [3]
    # The image of a difficult aeroplane alone asks for nothing, and is not searched either.
    assert ids_of(split.query) == ["000001.jpg"]
    assert len(split.database) == 3


def test_voc_2012_is_drawn_from_its_training_set(tmp_path, monkeypatch):
    monkeypatch.setattr(VOC2012, "sets", {"trainval": 6})
    small(monkeypatch, VOC2012, queries=1, train=2, database=3)
    marks = -np.ones((6, 20), int)
    marks[:, 5] = 1
    names = [f"2008_00000{number}" for number in range(6)]
    write_voc(tmp_path / "voc2012" / "VOC2012", "trainval", names, marks)
    split = open_dataset("voc2012", tmp_path).split()
    assert split.counts == {"query": 1, "train": 2, "database": 3}
    together = [*ids_of(split.query), *ids_of(split.train), *ids_of(split.database)]
    assert sorted(together) == [f"{name}.jpg" for name in names]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("000005  1\n000007 -1\n", "lists 2 images and not the 3"),
        ("000005  1\n000009 -1\n000007 -1\n", "in its order"),
        ("000005  2\n", "line 1: '000005  2' is no image and -1, 0 or 1"),
        ("000005 1\n000005 1\n000007 1\n", "lists an image twice"),
        ("../../x 1\n", "line 1: '../../x' leads out"),
        ("a/b 1\n", "'a/b' is in another folder"),
    ],
)
def test_other_image_sets_are_refused(voc2007, text, says):
    sets = voc2007 / "voc2007" / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main"
    (sets / "cow_trainval.txt").write_text(text)
    with pytest.raises(InputError, match=says):
        open_dataset("voc2007", voc2007).split()


@pytest.mark.parametrize("name", ["voc2007", "voc2012", "mirflickr25k", "imagenet100"])
def test_absence_says_where_to_get_it(tmp_path, name):
    dataset = open_dataset(name, tmp_path)
    assert not dataset.status().prepared
    with pytest.raises(InputError, match=f"{name} is not at .*{name}"):
        dataset.split()
    with pytest.raises(InputError, match=f"{name} is not at"):
        dataset.prepare()


@pytest.fixture
def mirflickr(tmp_path, monkeypatch):
    monkeypatch.setattr(MIRFlickr, "images", 12)
    small(monkeypatch, MIRFlickr, queries=2, train=3, database=7)
    folder = tmp_path / "mirflickr25k"
    (folder / "mirflickr25k_annotations_v080").mkdir(parents=True)
    for place, name in enumerate(ANNOTATIONS):
        text = f"{1 + place % 10}\r\n{1 + (place + 3) % 10}\r\n"
        (folder / "mirflickr25k_annotations_v080" / f"{name}.txt").write_bytes(text.encode())
    (folder / "mirflickr25k_annotations_v080" / "README.txt").write_text("about the annotations\n")
    for number in range(1, 13):
        write_image(folder / "mirflickr" / f"im{number}.jpg", noise(number, 70, 80))
    return tmp_path


def test_mirflickr_searches_what_has_no_label_and_never_asks_with_it(mirflickr):
    for seed in range(5):
        split = open_dataset("mirflickr25k", mirflickr).split(seed=seed)
        assert split.counts == {"query": 2, "train": 3, "database": 7}
        bare = {"im11.jpg", "im12.jpg"}
        assert bare <= set(ids_of(split.database))
        assert split.query_labels.any(axis=1).all()
        assert split.train.labels.any(axis=1).all()
    assert split.classes[:3] == ("animals", "baby", "baby_r1")
    assert len(split.classes) == 38
    images = open_dataset("mirflickr25k", mirflickr)
    labels = images.load(images.protocol()).labels
    assert np.flatnonzero(labels[:, 0]).tolist() == [0, 3]
    assert np.flatnonzero(labels[:, 2]).tolist() == [2, 5]


@pytest.mark.parametrize("word", ["13", "0", "x", "-1", "9" * 5000])
def test_other_numbers_are_refused(mirflickr, word):
    path = mirflickr / "mirflickr25k" / "mirflickr25k_annotations_v080" / "sky.txt"
    path.write_text(f"3\n{word}\n")
    with pytest.raises(InputError, match=r"sky\.txt, line 2: .* is no image number from 1 to 12"):
        open_dataset("mirflickr25k", mirflickr).split()


@pytest.fixture
def imagenet(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageNet100, "classes", 2)
    monkeypatch.setattr(ImageNet100, "each", 2)
    protocols = {
        "imagenet100": replace(ImageNet100.protocols["imagenet100"], queries=4, train=4),
        "imagenet100-10k": replace(ImageNet100.protocols["imagenet100-10k"], queries=4, train=2),
    }
    monkeypatch.setattr(ImageNet100, "protocols", protocols)
    folder = tmp_path / "imagenet100"
    seed = 0
    for part, count in (("train", 5), ("val", 2)):
        for kind in ("n02", "n01"):
            for number in range(count):
                seed += 1
                write_image(folder / part / kind / f"{kind}_{number}.JPEG", noise(seed, 70, 80))
    return tmp_path


def test_imagenets_folders_and_a_class_list(imagenet):
    folder = imagenet / "imagenet100"
    (folder / "classes.txt").write_text("n02\nn01\n")
    split = open_dataset("imagenet100", imagenet).split()
    assert split.counts == {"query": 4, "train": 4, "database": 10}
    assert all(name.startswith("val/") for name in ids_of(split.query))
    assert set(ids_of(split.train)) <= set(ids_of(split.database))
    assert split.train.labels.sum(axis=0).tolist() == [2, 2]
    assert split.classes == ("n02", "n01")
    for name, label in zip(ids_of(split.database), split.database_labels, strict=True):
        assert split.classes[label.argmax()] == name.split("/")[1]
    assert len(open_dataset("imagenet100", imagenet).split("imagenet100-10k").train) == 2
    (folder / "val" / "n01" / "n01_1.JPEG").unlink()
    with pytest.raises(InputError, match="val/n01 holds 1 image instead of 2"):
        open_dataset("imagenet100", imagenet).split()
    (folder / "classes.txt").write_text("n02\n")
    with pytest.raises(InputError, match="names 1 class instead of 2"):
        open_dataset("imagenet100", imagenet).split()


def test_hashnets_lists_say_what_is_trained_on(imagenet):
    folder = imagenet / "imagenet100"
    lines = {
        f"{part}/{kind}/{kind}_{number}.JPEG": label
        for part, count in (("train", 5), ("val", 2))
        for kind, label in (("n02", "1 0"), ("n01", "0 1"))
        for number in range(count)
    }
    asked = [name for name in lines if name.startswith("val")]
    searched = [name for name in lines if name.startswith("train")]
    parts = {"test": asked, "train": searched[:2], "database": searched}
    for name, images in parts.items():
        (folder / f"{name}.txt").write_text("".join(f"{x} {lines[x]}\n" for x in images))
    split = open_dataset("imagenet100", imagenet).split("imagenet100-10k")
    assert ids_of(split.query) == asked
    assert ids_of(split.train) == searched[:2]
    with pytest.raises(InputError, match="4 queries and 2 training images and protocol"):
        open_dataset("imagenet100", imagenet).split("imagenet100")
