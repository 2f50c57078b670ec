"""CIFAR-10, from the official archive or from folders of image files."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hashbench.data.dataset import Dataset, LabelledImages, Status
from hashbench.data.images import SUFFIXES, FileSource, PixelSource
from hashbench.data.protocols import Protocol
from hashbench.errors import InputError

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

#: Images of each class in the official training and test set.
SIZES = {"train": 5000, "test": 1000}

ARCHIVE = "cifar-10-python.tar.gz"
UNPACKED = "cifar-10-batches-py"


class CIFAR10(Dataset):
    """60,000 colour images of 32 x 32 pixels in 10 classes.

    Both forms list the images in the same order and under the same ids,
    `<train|test>/<class>/<position>`: a class's images are numbered in the
    order of the official archive, or of their file names, so that a folder
    whose files were written in the archive's order gives the same splits.
    """

    name = "cifar10"
    title = "CIFAR-10"
    summary = "60,000 images of 32x32 in 10 classes"
    citation = "Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"
    bibtex = """@techreport{krizhevsky2009cifar,
  author      = {Alex Krizhevsky},
  title       = {Learning Multiple Layers of Features from Tiny Images},
  institution = {University of Toronto},
  year        = {2009},
}"""
    licence = "no licence stated; free for research, cite the report"
    url = "https://www.cs.toronto.edu/~kriz/cifar.html"
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "cifar10": Protocol(
            id="cifar10",
            queries=1000,
            train=5000,
            train_in_database=False,
            summary="1k queries, 5k training images outside the 54k database (DCH, HashNet)",
            balanced=True,
            database=54_000,
            pins={0: "38478ac8f8554ad7cb96ecfafad8a588b23977443c875ae4094b3242264156ef"},
        ),
        "cifar10-1": Protocol(
            id="cifar10-1",
            queries=1000,
            train=5000,
            train_in_database=True,
            summary="1k queries, 59k database that holds the 5k training images (DSH, DPSH)",
            balanced=True,
            database=59_000,
            pins={0: "650515fe3675f10b866b1f955e62b54e8990053e63c95b9d5144ea19b0b18828"},
        ),
        "cifar10-2": Protocol(
            id="cifar10-2",
            queries=10_000,
            train=None,
            train_in_database=True,
            summary="10k queries, 50k database that is the training set too (GreedyHash)",
            balanced=True,
            database=50_000,
            pins={0: "0197abf5b2fe41283afc4a9cd8fc5091c4ee407169167e0b26f742d1f6aea604"},
        ),
    }
    default_protocol = "cifar10"

    def status(self) -> Status:
        """Which of the three forms is there."""
        for path in (self.folder / UNPACKED, self.folder / ARCHIVE):
            if path.exists():
                return Status(True, str(path))
        if (self.folder / "train").is_dir() and (self.folder / "test").is_dir():
            return Status(True, str(self.folder))
        return Status(
            False,
            str(self.folder),
            f"run `hashbench data prepare cifar10` (170 MB download) or put {ARCHIVE}, {UNPACKED}/ "
            f"or train/<class>/* and test/<class>/* into {self.folder}",
        )

    def load(self, protocol: Protocol) -> LabelledImages:
        """All 60,000 images: training set then test set, class by class."""
        status = self.status()
        if not status.prepared:
            raise InputError(f"cifar10 is not at {status.where}: {status.hint}")
        if Path(status.where) != self.folder:
            return self._from_archive()
        return self._from_folders()

    def prepare(self, *, download: bool = False) -> None:
        """Verify and unpack the archive, downloading it first if asked.

        Raises:
            InputError: if it is missing, damaged, or cannot be fetched or written.
        """
        from torchvision.datasets import cifar
        from torchvision.datasets.utils import check_integrity, download_url, extract_archive

        archive = self.folder / ARCHIVE
        if (self.folder / UNPACKED).exists():
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if download:  # fetches only what is missing or damaged
                download_url(cifar.CIFAR10.url, self.folder, ARCHIVE, cifar.CIFAR10.tgz_md5)
            if not check_integrity(archive, cifar.CIFAR10.tgz_md5):
                raise InputError(
                    f"{archive} is missing or damaged: fetch it from {cifar.CIFAR10.url}"
                )
            # Unpacked aside and renamed: two runs at once must not read half a batch.
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".unpack-") as aside:
                extract_archive(str(archive), aside)
                if not (self.folder / UNPACKED).exists():
                    (Path(aside) / UNPACKED).rename(self.folder / UNPACKED)
        except InputError:
            raise
        except (OSError, RuntimeError) as error:
            raise InputError(f"{archive} could not be prepared: {error}") from error

    def _from_archive(self) -> LabelledImages:
        from torchvision.datasets import cifar

        self.prepare()
        pixels: list[NDArray[np.uint8]] = []
        targets: list[NDArray[np.int64]] = []
        ids: list[str] = []
        for part in SIZES:
            try:  # torchvision verifies the md5 of every batch before it opens one
                official = cifar.CIFAR10(self.folder, train=part == "train")
            except (OSError, RuntimeError) as error:
                raise InputError(
                    f"{self.folder / UNPACKED} does not match CIFAR-10's published checksums: "
                    f"remove it and unpack {ARCHIVE} again"
                ) from error
            target = np.asarray(official.targets)
            order = np.argsort(target, kind="stable")  # class by class, archive order within
            pixels.append(official.data[order])
            targets.append(target[order])
            ids += _ids(part, np.bincount(target, minlength=len(CLASSES)))
        source = PixelSource(np.concatenate(pixels), ids)
        return _labelled(source, np.concatenate(targets))

    def _from_folders(self) -> LabelledImages:
        paths: list[Path] = []
        targets: list[int] = []
        ids: list[str] = []
        for part, size in SIZES.items():
            for target, name in enumerate(CLASSES):
                folder = self.folder / part / name
                if not folder.is_dir():
                    raise InputError(f"there is no folder {folder}: put {size:,} images there")
                try:
                    found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
                except OSError as error:
                    reason = error.strerror or error
                    raise InputError(
                        f"{folder} cannot be listed ({reason}): make it readable"
                    ) from error
                files = sorted(found, key=lambda path: _natural(path.name))
                if len(files) != size:
                    raise InputError(
                        f"{folder} holds {len(files):,} images instead of {size:,}: "
                        "put in what is missing, or take out what is not CIFAR-10's"
                    )
                paths += files
                targets += [target] * size
            ids += _ids(part, np.full(len(CLASSES), size))
        return _labelled(FileSource(paths, ids), np.asarray(targets))


def _labelled(source: FileSource | PixelSource, targets: NDArray[np.int64]) -> LabelledImages:
    return LabelledImages(source, np.eye(len(CLASSES), dtype=np.uint8)[targets], CLASSES)


def _ids(part: str, counts: NDArray[np.int64]) -> list[str]:
    return [
        f"{part}/{name}/{position:04d}"
        for name, count in zip(CLASSES, counts, strict=True)
        for position in range(count)
    ]


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key that puts 2.png before 10.png."""
    return [(int(run), "") if run.isdecimal() else (-1, run) for run in re.split(r"(\d+)", name)]
