import json

import numpy as np
import pytest

from hashbench.data.coco import COCO
from hashbench.errors import InputError
from hashbench.items import ids_of


def load(root):
    dataset = COCO(root)
    return dataset.load(dataset.protocol())


def test_labels_are_the_instances_and_bare_images_are_dropped(tiny_coco):
    images = load(tiny_coco)
    assert images.classes == ("person", "car", "toothbrush")
    assert list(images.source.ids) == [
        *(f"train2014/COCO_train2014_{image:012d}.jpg" for image in (9, 25, 34, 36, 49)),
        *(f"val2014/COCO_val2014_{image:012d}.jpg" for image in (42, 74, 133)),
    ]
    assert images.labels.tolist() == [
        [1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1],
        [0, 1, 0], [1, 0, 0], [0, 1, 1],
    ]  # fmt: skip
    assert images.source.read(0).shape == (40, 50, 3)


def test_the_second_load_reads_the_kept_labels(tiny_coco, monkeypatch):
    first = load(tiny_coco)
    monkeypatch.setattr(COCO, "_parse", lambda self: pytest.fail("parsed again"))
    second = load(tiny_coco)
    assert second.source.ids == list(first.source.ids)
    assert np.array_equal(first.labels, second.labels)
    assert second.classes == first.classes


def test_new_annotations_are_read_again(tiny_coco):
    load(tiny_coco)
    path = tiny_coco / "coco" / "annotations" / "instances_val2014.json"
    content = json.loads(path.read_text())
    content["annotations"].append({"image_id": 73, "category_id": 1})
    path.write_text(json.dumps(content))
    assert len(load(tiny_coco).source) == 9


def test_split_trains_inside_the_database(tiny_coco):
    split = COCO(tiny_coco).split()
    assert split.counts == {"query": 2, "train": 3, "database": 6}
    assert set(ids_of(split.train)) <= set(ids_of(split.database))
    assert not set(ids_of(split.query)) & set(ids_of(split.database))
    assert split.notes == ()


def test_missing_images_are_refused_or_left_out_by_name(tiny_coco):
    name = "COCO_val2014_000000000042.jpg"
    (tiny_coco / "coco" / "val2014" / name).unlink()
    with pytest.raises(InputError, match=rf"1 of 8 images is missing .*{name}.*--allow-missing"):
        COCO(tiny_coco).split()
    split = COCO(tiny_coco, allow_missing=True).split()
    assert len(split.notes) == 1
    assert name in split.notes[0]
    assert split.counts == {"query": 2, "train": 3, "database": 5}
    assert not any(name in item for item in ids_of(split.database) + ids_of(split.query))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text[:-20], "not COCO's instance annotations"),
        (lambda text: text.replace('"images"', '"pictures"'), "not COCO's instance annotations"),
        (lambda text: text.replace('"image_id": 42', '"image_id": 41'), "labels image 41"),
        (lambda text: text.replace('"id": 73,', '"id": 74,'), "two have the same id"),
        (lambda text: text.replace("COCO_val2014_000000000042", "../../x"), "leads out of"),
    ],
)
def test_damaged_annotations_are_refused(tiny_coco, change, says):
    path = tiny_coco / "coco" / "annotations" / "instances_val2014.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=says):
        load(tiny_coco)


def test_a_split_that_differs_from_the_pinned_one_is_refused(tiny_coco, monkeypatch):
    from dataclasses import replace

    protocol = replace(COCO.protocols["coco"], pins={0: "0" * 64})
    monkeypatch.setattr(COCO, "protocols", {"coco": protocol})
    with pytest.raises(InputError, match="not the pinned 0000"):
        COCO(tiny_coco).split(seed=0)
    assert COCO(tiny_coco).split(seed=1).counts["query"] == 2


def test_absence_names_what_to_put_where(tmp_path):
    (tmp_path / "coco" / "train2014").mkdir(parents=True)
    hint = COCO(tmp_path).status().hint
    assert "annotations/instances_train2014.json" in hint
    assert "val2014" in hint
    with pytest.raises(InputError, match="instances_train2014"):
        COCO(tmp_path).split()
