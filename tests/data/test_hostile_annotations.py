"""COCO's annotations, NUS-WIDE's ground truth and CIFAR-10's batches are not trusted either."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from hostility import (
    DEEP,
    corpus,
    fuzz,
    memory_below,
    mutated,
    mutated_json,
    plain,
    result_or_refusal,
    sentence,
    within,
)
from hypothesis import example, given
from hypothesis import strategies as st

from hashbench import npy
from hashbench.data.cifar10 import CIFAR10
from hashbench.data.coco import COCO
from hashbench.data.nuswide import NUSWIDE
from hashbench.errors import InputError

fuzzed = fuzz(80)

ANNOTATIONS = {
    "images": [
        {"id": image, "file_name": f"COCO_val2014_{image:012d}.jpg"} for image in (42, 73, 74, 133)
    ],
    "annotations": [{"image_id": 42, "category_id": 3}, {"image_id": 74, "category_id": 1}],
    "categories": [
        {"id": kind, "name": name} for kind, name in ((1, "person"), (3, "car"), (90, "toothbrush"))
    ],
}


def load(dataset, name: str | None = None):
    images = result_or_refusal(lambda: dataset.load(dataset.protocol(name)), dataset.folder)
    if images is not None:
        assert images.labels.dtype == np.uint8
        assert images.labels.shape == (len(images.source.ids), len(images.classes))
        assert len(set(images.source.ids)) == len(images.source.ids)
        assert all(map(plain, (*images.source.ids, *images.classes)))
        assert not any(".." in path.parts for path in images.source.paths)
        assert images.source.fingerprint
    return images


@pytest.fixture
def coco_file(tiny_coco) -> Path:
    return tiny_coco / "coco" / "annotations" / "instances_val2014.json"


@pytest.mark.parametrize("path", corpus(__file__, "coco"), ids=lambda path: path.name)
def test_annotations_that_once_broke_are_refused_with_a_sentence(coco_file, path) -> None:
    coco = COCO(coco_file.parents[2])
    shutil.copy(path, coco_file)
    with within(10), memory_below(200), pytest.raises(InputError) as refusal:
        coco.load(coco.protocol())
    sentence(refusal.value, coco.folder)


@fuzzed
@given(data=mutated_json(ANNOTATIONS))
@example(data=json.dumps(ANNOTATIONS).encode())
@example(data=DEEP)
def test_changed_annotations_are_read_or_refused(coco_file, data) -> None:
    coco_file.write_bytes(data)
    load(COCO(coco_file.parents[2]))


def test_the_annotations_that_are_changed_are_whole(coco_file) -> None:
    coco_file.write_text(json.dumps(ANNOTATIONS))
    assert len(load(COCO(coco_file.parents[2])).source) == 7


@pytest.fixture
def kept(coco_file) -> Path:
    load(COCO(coco_file.parents[2]))
    (found,) = (coco_file.parents[3] / "cache" / "labels").iterdir()
    return found


@fuzzed
@given(data=st.data())
def test_kept_labels_that_are_damaged_are_read_from_the_annotations_again(coco_file, kept, data):
    whole = kept.read_bytes()
    kept.write_bytes(data.draw(mutated(whole)))
    images = load(COCO(coco_file.parents[2]))
    kept.write_bytes(whole)
    assert len(images.source) == 8


@pytest.mark.parametrize(
    "change",
    [
        {"names": np.array([f"val2014/../{n}" for n in range(8)])},
        {"names": np.array([f"/{n}" for n in range(8)])},
        {"names": np.arange(8)},
        {"names": np.array(["val2014/x"])},
        {"labels": np.zeros((8, 3))},
        {"labels": np.zeros(8, np.uint8)},
        {"classes": np.array(["a", "b"])},
        {"classes": np.array(["a", "b", "\ud800"])},
        {"names": np.array([Path("x")] * 8, dtype=object)},
    ],
)
def test_kept_labels_of_another_form_are_not_used(coco_file, kept, change) -> None:
    with np.load(kept) as arrays:
        np.savez(kept, **{**arrays, **change}, allow_pickle=True)
    images = load(COCO(coco_file.parents[2]))
    assert images.source.ids[0] == "train2014/COCO_train2014_000000000009.jpg"
    assert images.classes == ("person", "car", "toothbrush")


def test_kept_labels_that_inflate_are_not_used(coco_file, kept, monkeypatch) -> None:
    monkeypatch.setattr(npy, "MOST_BYTES", 10**6)
    np.savez_compressed(kept, names=np.zeros(2 * 10**7, "U1"), labels=0, classes=0)
    assert kept.stat().st_size < 10**5
    with pytest.raises(ValueError, match="would inflate to 80,000,128 bytes"):
        npy.read_arrays(kept, ["names"])
    assert len(load(COCO(coco_file.parents[2])).source) == 8


@pytest.mark.parametrize(
    "file", ["ImageList/Imagelist.txt", "Groundtruth/AllLabels/Labels_sky.txt"]
)
@fuzzed
@given(data=st.data())
def test_changed_files_of_nuswide_are_read_or_refused(tiny_nuswide, file, data) -> None:
    path = tiny_nuswide / "nuswide" / file
    whole = path.read_bytes()
    path.write_bytes(data.draw(mutated(whole)))
    load(NUSWIDE(tiny_nuswide), "nuswide81")
    path.write_bytes(whole)


@pytest.mark.parametrize("path", corpus(__file__, "nuswide"), ids=lambda path: path.name)
def test_image_lists_that_once_broke_nuswide_are_refused(tiny_nuswide, path) -> None:
    nuswide = NUSWIDE(tiny_nuswide)
    shutil.copy(path, nuswide.folder / "ImageList" / "Imagelist.txt")
    with pytest.raises(InputError) as refusal:
        nuswide.load(nuswide.protocol("nuswide81"))
    sentence(refusal.value, nuswide.folder)


@pytest.mark.parametrize(
    "file",
    [
        "nuswide/ImageList/Imagelist.txt",
        "nuswide/Groundtruth/AllLabels/Labels_sky.txt",
        "coco/annotations/instances_val2014.json",
    ],
)
def test_pipes_and_folders_in_place_of_files_are_refused(tiny_nuswide, tiny_coco, file) -> None:
    path = tiny_coco / file
    dataset = {"nuswide": NUSWIDE, "coco": COCO}[file.split("/")[0]](tiny_coco)
    path.unlink()
    os.mkfifo(path)
    with within(5):
        assert load(dataset) is None
    path.unlink()
    path.mkdir()
    assert load(dataset) is None


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("name", ["data_batch_2", "test_batch"])
def test_a_pickle_that_is_not_cifars_is_not_unpickled(tiny_cifar, tmp_path, name) -> None:
    base = tiny_cifar.archive(tmp_path / "cifar10")
    (base / name).write_bytes(pickle.dumps({"data": Bomb(tmp_path / "exploded")}))
    with pytest.raises(InputError, match="published checksum") as refusal:
        CIFAR10(tmp_path).split()
    sentence(refusal.value, base)
    pickle.loads((base / name).read_bytes())
    assert (tmp_path / "exploded").exists()  # the bomb was live


def test_an_archive_that_is_not_cifars_is_not_unpacked(tiny_cifar, tmp_path) -> None:
    import tarfile

    path = tiny_cifar.packed(tmp_path / "cifar10")
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("../escaped")
        tar.addfile(member, io.BytesIO())
    with pytest.raises(InputError, match="missing or damaged"):
        CIFAR10(tmp_path).split()
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("name", ["data_batch_2", "test_batch"])
def test_a_pipe_in_place_of_a_batch_is_refused(tiny_cifar, tmp_path, name) -> None:
    base = tiny_cifar.archive(tmp_path / "cifar10")
    (base / name).unlink()
    os.mkfifo(base / name)
    with within(5):
        assert load(CIFAR10(tmp_path)) is None


@pytest.mark.parametrize(
    "name", ["²1.png", "1²x2.png", "٣.png", "x" * 250 + ".png", "9" * 250 + ".png"]
)
def test_any_file_name_has_a_place_in_cifars_order(tiny_cifar, tmp_path, name) -> None:
    tiny_cifar.folders(tmp_path / "cifar10")
    folder = tmp_path / "cifar10" / "train" / "dog"
    (folder / "3.png").rename(folder / name)
    assert len(load(CIFAR10(tmp_path)).source) == 10 * sum(CIFAR10.sizes.values())
