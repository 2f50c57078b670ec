import hashlib
import shutil

import numpy as np
import pytest

from hashbench.data import nuswide
from hashbench.data.nuswide import NUSWIDE
from hashbench.errors import InputError
from hashbench.items import ids_of


def load(root, protocol="nuswide81"):
    dataset = NUSWIDE(root)
    return dataset.load(dataset.protocol(protocol))


def test_all_concepts(tiny_nuswide):
    images = load(tiny_nuswide)
    assert images.classes == ("animal", "sky", "zebra")
    assert images.source.ids[0] == "actor/0000_0.jpg"
    assert len(images.source) == 10  # images 5 and 8 have no concept
    assert images.labels[0].tolist() == [1, 0, 0]
    assert images.labels[-1].tolist() == [0, 0, 1]
    assert images.source.read(9).shape == (32, 32, 3)


def test_the_frequent_concepts_drop_the_images_of_the_others(tiny_nuswide):
    images = load(tiny_nuswide, "nuswide21")
    assert images.classes == ("animal", "sky")
    assert len(images.source) == 9


def test_the_usual_split_is_balanced_and_trains_inside_the_database(tiny_nuswide):
    split = NUSWIDE(tiny_nuswide).split("nuswide21")
    assert split.counts == {"query": 2, "train": 4, "database": 7}
    assert (split.query_labels.sum(axis=0) >= 1).all()
    assert (split.train.labels.sum(axis=0) >= 2).all()
    assert set(ids_of(split.train)) <= set(ids_of(split.database))


def test_train_test_labels_serve_where_all_labels_are_not(tiny_nuswide):
    every = load(tiny_nuswide)
    shutil.rmtree(tiny_nuswide / "nuswide" / "Groundtruth" / "AllLabels")
    parts = load(tiny_nuswide)
    assert parts.classes == every.classes
    expected = dict(zip(every.source.ids, every.labels.tolist(), strict=True))
    assert dict(zip(parts.source.ids, parts.labels.tolist(), strict=True)) == expected


def test_images_may_lie_in_one_folder(tiny_nuswide):
    images = tiny_nuswide / "nuswide" / "images"
    for path in list(images.glob("*/*.jpg")):
        path.rename(images / path.name)
    for folder in list(images.glob("*/")):
        folder.rmdir()
    assert NUSWIDE(tiny_nuswide).split("nuswide81").counts["query"] == 2


def test_missing_images_are_counted_and_named(tiny_nuswide):
    for name in ("actor/0001_37.jpg", "zoo/0003_111.jpg"):
        (tiny_nuswide / "nuswide" / "images" / name).unlink()
    with pytest.raises(InputError, match=r"2 of 10 images are missing .*actor/0001_37\.jpg"):
        NUSWIDE(tiny_nuswide).split("nuswide81")
    split = NUSWIDE(tiny_nuswide, allow_missing=True).split("nuswide81")
    assert any("2 of 10 images are missing" in note for note in split.notes)
    assert split.counts == {"query": 2, "train": 4, "database": 6}


def test_a_wrong_label_names_file_and_line(tiny_nuswide):
    path = tiny_nuswide / "nuswide" / "Groundtruth" / "AllLabels" / "Labels_sky.txt"
    path.write_text(path.read_text().replace("1\n", "2\n", 1))
    with pytest.raises(InputError, match=r"Labels_sky\.txt, line 2: '2' is neither"):
        load(tiny_nuswide)


def test_a_short_file_is_refused(tiny_nuswide):
    path = tiny_nuswide / "nuswide" / "Groundtruth" / "AllLabels" / "Labels_sky.txt"
    path.write_text(path.read_text()[:-2])
    with pytest.raises(InputError, match="11 lines for 12 images"):
        load(tiny_nuswide)


def test_another_number_of_images_is_refused(tiny_nuswide, monkeypatch):
    monkeypatch.setattr(NUSWIDE, "images", 269_648)
    with pytest.raises(InputError, match="lists 12 images with 3 concepts and not 269,648"):
        load(tiny_nuswide)


def test_a_path_that_leads_out_is_refused(tiny_nuswide):
    path = tiny_nuswide / "nuswide" / "ImageList" / "Imagelist.txt"
    path.write_bytes(path.read_bytes().replace(b"actor\\0001", b"..\\0001"))
    with pytest.raises(InputError, match=r"image 2: .* leads out"):
        load(tiny_nuswide)


def test_frequencies_choose_the_concepts_not_the_alphabet(tiny_nuswide, monkeypatch):
    from hashbench.data import nuswide

    monkeypatch.setattr(nuswide, "FREQUENT", 1)
    images = load(tiny_nuswide, "nuswide21")
    assert images.classes == ("sky",)
    assert np.array_equal(images.labels, np.ones((6, 1), np.uint8))


def test_the_known_fault_of_the_official_ground_truth_is_a_note(tiny_nuswide, monkeypatch):
    truth = tiny_nuswide / "nuswide" / "Groundtruth"
    shutil.rmtree(truth / "AllLabels")
    before = load(tiny_nuswide)
    monkeypatch.setattr(nuswide, "FAULT", ("Labels_sky_Train.txt", 4, b"-1130179"))
    path = truth / "TrainTestLabels" / "Labels_sky_Train.txt"
    lines = path.read_text().split("\n")
    assert lines[3] == "0"
    lines[3] = "-1130179"
    path.write_text("\n".join(lines))
    images = load(tiny_nuswide)
    assert np.array_equal(images.labels, before.labels)
    assert "Labels_sky_Train.txt, line 4 reads -1130179, taken as 0." in images.notes
    lines[3], lines[4] = "0", "-1130179"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match="line 5: '-1130179' is neither 0 nor 1"):
        load(tiny_nuswide)


def test_photographs_listed_twice_are_a_note(tiny_nuswide):
    path = tiny_nuswide / "nuswide" / "ImageList" / "Imagelist.txt"
    path.write_bytes(path.read_bytes().replace(b"zoo\\0003_111", b"zoo\\0003_37"))
    notes = " ".join(load(tiny_nuswide).notes)
    # 37 and, as the fixture has it, every number of the first folder once more.
    assert "photographs are listed twice under other names (Flickr 0, 37, 74" in notes


def test_other_lists_than_the_known_ones_are_said_and_taken(tiny_nuswide, monkeypatch):
    path = tiny_nuswide / "nuswide" / "ImageList" / "Imagelist.txt"
    assert any(
        "Imagelist.txt is not the official list" in note for note in load(tiny_nuswide).notes
    )
    for digest in (
        hashlib.sha256(path.read_bytes()).hexdigest(),
        hashlib.sha1(b"blob %d\0" % path.stat().st_size + path.read_bytes()).hexdigest(),
    ):
        monkeypatch.setitem(nuswide.OFFICIAL, "Imagelist.txt", digest)
        assert not any("official list" in note for note in load(tiny_nuswide).notes)


def test_the_variant_of_what_can_still_be_had_takes_the_images_there_are(tiny_nuswide):
    images = tiny_nuswide / "nuswide" / "images"
    (images / "actor" / "0002_74.jpg").unlink()
    split = NUSWIDE(tiny_nuswide).split("nuswide81-223k")
    assert split.counts == {"query": 2, "train": 4, "database": 9}
    assert np.count_nonzero(~split.database_labels.any(axis=1)) == 2
    assert split.query_labels.any(axis=1).all()
    (images / "actor" / "0003_111.jpg").unlink()
    with pytest.raises(InputError, match="has 9 database images and these files give 8"):
        NUSWIDE(tiny_nuswide).split("nuswide81-223k")
