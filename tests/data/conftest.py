"""Writers of tiny data sets in the exact official formats."""

from __future__ import annotations

import hashlib
import json
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CLASSES = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip
CIFAR_SIZES = {"train": 10, "test": 2}  # images a class


def write_image(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def noise(seed: int, height: int = 32, width: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


class TinyCifar:
    """Writes the same tiny CIFAR-10 as official batches and as folders of PNG files."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        self.parts = {}
        for part, size in CIFAR_SIZES.items():
            labels = rng.permutation(np.repeat(np.arange(10), size))
            pixels = rng.integers(0, 256, (len(labels), 3, 32, 32), dtype=np.uint8)
            self.parts[part] = (pixels, labels)

    def archive(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """`cifar-10-batches-py/` in the official layout; its checksums become torchvision's."""
        from torchvision.datasets import cifar

        base = folder / "cifar-10-batches-py"
        base.mkdir(parents=True)
        pixels, labels = self.parts["train"]
        batches = {}
        for number, rows in enumerate(np.array_split(np.arange(len(labels)), 5), 1):
            batches[f"data_batch_{number}"] = (pixels[rows], labels[rows])
        batches["test_batch"] = self.parts["test"]
        digests = {}
        for name, (images, targets) in batches.items():
            content = {"data": images.reshape(len(images), -1), "labels": targets.tolist()}
            digests[name] = self._pickle(base / name, content)
        names = CLASSES
        meta = self._pickle(base / "batches.meta", {"label_names": names})
        train = [[name, digests[name]] for name in digests if name != "test_batch"]
        monkeypatch.setattr(cifar.CIFAR10, "train_list", train)
        monkeypatch.setattr(cifar.CIFAR10, "test_list", [["test_batch", digests["test_batch"]]])
        monkeypatch.setitem(cifar.CIFAR10.meta, "md5", meta)
        return base

    def packed(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """`cifar-10-python.tar.gz` alone."""
        import shutil

        from torchvision.datasets import cifar

        base = self.archive(folder, monkeypatch)
        path = folder / "cifar-10-python.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            tar.add(base, "cifar-10-batches-py")
        shutil.rmtree(base)
        monkeypatch.setattr(cifar.CIFAR10, "tgz_md5", hashlib.md5(path.read_bytes()).hexdigest())
        return path

    def folders(self, folder: Path) -> None:
        """`train/<class>/N.png` and `test/<class>/N.png`, numbered in archive order."""
        names = CLASSES
        for part, (pixels, labels) in self.parts.items():
            for target, name in enumerate(names):
                for number, row in enumerate(np.flatnonzero(labels == target)):
                    image = pixels[row].transpose(1, 2, 0)
                    write_image(folder / part / name / f"{number}.png", image)

    @staticmethod
    def _pickle(path: Path, content: object) -> str:
        path.write_bytes(pickle.dumps(content, protocol=2))
        return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def tiny_cifar(monkeypatch: pytest.MonkeyPatch) -> TinyCifar:
    """A writer; the loader and the protocols expect its counts for the test's duration."""
    from dataclasses import replace

    from hashbench.data import cifar10

    monkeypatch.setattr(cifar10, "SIZES", CIFAR_SIZES)
    small = {
        "cifar10": (20, 30, 70),
        "cifar10-1": (20, 30, 100),
        "cifar10-2": (20, None, 100),
    }
    protocols = {
        name: replace(
            protocol,
            queries=small[name][0],
            train=small[name][1],
            database=small[name][2],
            pins={},
        )
        for name, protocol in cifar10.CIFAR10.protocols.items()
    }
    monkeypatch.setattr(cifar10.CIFAR10, "protocols", protocols)
    return TinyCifar()


#: image -> category ids, by part; 2 of the 10 images have no instance
COCO = {
    "train2014": {9: [3, 1], 25: [1], 30: [], 34: [90, 3, 3], 36: [90], 49: [1, 90]},
    "val2014": {42: [3], 73: [], 74: [1], 133: [3, 90]},
}
COCO_KINDS = {1: "person", 3: "car", 90: "toothbrush"}


@pytest.fixture
def tiny_coco(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with a tiny COCO in the official layout."""
    from dataclasses import replace

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
    from dataclasses import replace

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
    }
    monkeypatch.setattr(nuswide.NUSWIDE, "protocols", protocols)
    return tmp_path / "root"
