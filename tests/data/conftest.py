"""Writers of tiny data sets in the exact official formats."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pictures import noise, write_image
from python2 import pickled

from hashbench.data.cifar import CIFAR
from hashbench.data.cifar10 import CIFAR10
from hashbench.data.cifar100 import CIFAR100

#: A tiny CIFAR: class names and images a class, and how the official batches call their labels.
TINY = {
    "cifar10": ({"train": 10, "test": 2}, 5, "labels"),
    "cifar100": ({"train": 2, "test": 1}, 1, "fine_labels"),
}


class TinyCifar:
    """Writes one tiny CIFAR as official batches, as the archive and as folders of PNG files."""

    def __init__(self, cls: type[CIFAR], monkeypatch: pytest.MonkeyPatch) -> None:
        rng = np.random.default_rng(7)
        self.cls, self.patch = cls, monkeypatch
        self.sizes, self.number, self.key = TINY[cls.name]
        monkeypatch.setattr(cls, "sizes", self.sizes)
        self.parts = {}
        for part, size in self.sizes.items():
            labels = rng.permutation(np.repeat(np.arange(len(cls.classes)), size))
            pixels = rng.integers(0, 256, (len(labels), 3, 32, 32), dtype=np.uint8)
            self.parts[part] = (pixels, labels)

    def archive(self, folder: Path) -> Path:
        """The unpacked folder in the official layout; its checksums become the published ones."""
        base = folder / self.cls.archive.folder
        base.mkdir(parents=True)
        digests: dict[str, dict[str, str]] = {}
        for part, names in self.cls.archive.batches.items():
            pixels, labels = self.parts[part]
            rows = np.array_split(np.arange(len(labels)), len(names))
            digests[part] = {}
            for name, mine in zip(names, rows, strict=True):
                batch = {
                    "batch_label": "a batch",
                    self.key: labels[mine].tolist(),
                    "data": pixels[mine].reshape(len(mine), -1),
                    "filenames": [f"image_s_{row:06d}.png" for row in mine],
                }
                (base / name).write_bytes(pickled(batch))
                digests[part][name] = hashlib.md5((base / name).read_bytes()).hexdigest()
        self.patch.setattr(self.cls, "archive", replace(self.cls.archive, batches=digests))
        return base

    def packed(self, folder: Path) -> Path:
        """The archive alone."""
        base = self.archive(folder)
        path = folder / self.cls.archive.name
        with tarfile.open(path, "w:gz") as tar:
            tar.add(base, base.name)
        shutil.rmtree(base)
        md5 = hashlib.md5(path.read_bytes()).hexdigest()
        self.patch.setattr(self.cls, "archive", replace(self.cls.archive, md5=md5))
        return path

    def folders(self, folder: Path) -> None:
        """`train/<class>/N.png` and `test/<class>/N.png`, numbered in archive order."""
        for part, (pixels, labels) in self.parts.items():
            for target, name in enumerate(self.cls.classes):
                for number, row in enumerate(np.flatnonzero(labels == target)):
                    image = pixels[row].transpose(1, 2, 0)
                    write_image(folder / part / name / f"{number}.png", image)


@pytest.fixture
def tiny_cifar(monkeypatch: pytest.MonkeyPatch) -> TinyCifar:
    """A writer; the loader and the protocols expect its counts for the test's duration."""
    small = {
        "cifar10": (20, 30, 70),
        "cifar10-1": (20, 30, 100),
        "cifar10-2": (20, None, 100),
    }
    protocols = {}
    for name, protocol in CIFAR10.protocols.items():
        queries, train, database = small[name]
        protocols[name] = replace(
            protocol, queries=queries, train=train, database=database, pins={}
        )
    monkeypatch.setattr(CIFAR10, "protocols", protocols)
    return TinyCifar(CIFAR10, monkeypatch)


@pytest.fixture
def tiny_cifar100(monkeypatch: pytest.MonkeyPatch) -> TinyCifar:
    """The same of CIFAR-100."""
    protocol = CIFAR100.protocols["cifar100"]
    small = replace(protocol, queries=100, train=100, database=200, pins={})
    monkeypatch.setattr(CIFAR100, "protocols", {"cifar100": small})
    return TinyCifar(CIFAR100, monkeypatch)


#: image -> category ids, by part; 2 of the 10 images have no instance
COCO = {
    "train2014": {9: [3, 1], 25: [1], 30: [], 34: [90, 3, 3], 36: [90], 49: [1, 90]},
    "val2014": {42: [3], 73: [], 74: [1], 133: [3, 90]},
}
COCO_KINDS = {1: "person", 3: "car", 90: "toothbrush"}


@pytest.fixture
def tiny_coco(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with a tiny COCO in the official layout."""
    from hashbench.data import coco

    folder = tmp_path / "root" / "coco"
    (folder / "annotations").mkdir(parents=True)
    for part, images in COCO.items():
        listed = []
        annotations = []
        for image, kinds in images.items():
            name = f"COCO_{part}_{image:012d}.jpg"
            listed.append({"id": image, "file_name": name, "height": 40, "width": 50})
            write_image(folder / part / name, noise(image, 40, 50))
            for kind in kinds:
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image,
                        "category_id": kind,
                        "bbox": [1.0, 2.0, 3.0, 4.0],
                        "segmentation": [[1.0, 2.0, 3.0, 2.0, 3.0, 4.0]],
                        "iscrowd": 0,
                    }
                )
        content = {
            "info": {"year": 2014},
            "images": listed,
            "annotations": annotations,
            "categories": [
                {"supercategory": "thing", "id": kind, "name": name}
                for kind, name in COCO_KINDS.items()
            ],
        }
        (folder / "annotations" / f"instances_{part}.json").write_text(json.dumps(content))
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(coco.COCO, "sizes", {part: len(images) for part, images in COCO.items()})
    protocol = replace(coco.COCO.protocols["coco"], queries=2, train=3, database=6, pins={})
    monkeypatch.setattr(coco.COCO, "protocols", {"coco": protocol})
    return tmp_path / "root"


#: concept -> its column over the 12 images of the tiny NUS-WIDE
NUS_NAMES = [
    f"{folder}\\{number:04d}_{number * 37}.jpg"
    for folder in ("actor", "zoo")
    for number in range(6)
]
NUS_CONCEPTS = {
    "animal": "110000110000",
    "sky": "011110000110",
    "zebra": "000000000001",
}


@pytest.fixture
def tiny_nuswide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with a tiny NUS-WIDE in the official layout."""
    from hashbench.data import nuswide

    folder = tmp_path / "root" / "nuswide"
    (folder / "ImageList").mkdir(parents=True)
    # The official list has backslashes and CRLF line ends.
    text = "".join(f"{name}\r\n" for name in NUS_NAMES)
    (folder / "ImageList" / "Imagelist.txt").write_bytes(text.encode())
    for part, rows in (("Train", slice(0, 12, 2)), ("Test", slice(1, 12, 2))):
        text = "".join(f"{name}\r\n" for name in NUS_NAMES[rows])
        (folder / "ImageList" / f"{part}Imagelist.txt").write_bytes(text.encode())
    for name in ("AllLabels", "TrainTestLabels"):
        (folder / "Groundtruth" / name).mkdir(parents=True)
    for concept, column in NUS_CONCEPTS.items():
        truth = folder / "Groundtruth"
        (truth / "AllLabels" / f"Labels_{concept}.txt").write_text("\n".join(column) + "\n")
        for part, rows in (("Train", slice(0, 12, 2)), ("Test", slice(1, 12, 2))):
            path = truth / "TrainTestLabels" / f"Labels_{concept}_{part}.txt"
            path.write_text("\n".join(column[rows]) + "\n")
    for number, name in enumerate(NUS_NAMES):
        write_image(folder / "images" / name.replace("\\", "/"), noise(number))
    monkeypatch.setattr(nuswide, "FREQUENT", 2)
    monkeypatch.setattr(nuswide.NUSWIDE, "images", 12)
    monkeypatch.setattr(nuswide.NUSWIDE, "concepts", 3)
    protocols = {
        "nuswide21": replace(
            nuswide.NUSWIDE.protocols["nuswide21"], queries=2, train=4, database=7
        ),
        "nuswide81": replace(nuswide.NUSWIDE.protocols["nuswide81"], queries=2, train=4),
        "nuswide81-223k": replace(
            nuswide.NUSWIDE.protocols["nuswide81-223k"], queries=2, train=4, database=9
        ),
    }
    monkeypatch.setattr(nuswide.NUSWIDE, "protocols", protocols)
    return tmp_path / "root"
