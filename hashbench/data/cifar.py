"""What CIFAR-10 and CIFAR-100 share: the official archive, or folders of image files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hashbench.data.batches import read_batch
from hashbench.data.dataset import Dataset, Status
from hashbench.data.fetch import fetch, unpack
from hashbench.data.images import SUFFIXES, FileSource, PlaneSource
from hashbench.data.labelled import LabelledImages
from hashbench.data.named import NamedSource
from hashbench.data.protocols import Protocol
from hashbench.errors import InputError, shown
from hashbench.items import ImageSource
from hashbench.parsing import in_number


@dataclass(frozen=True)
class Archive:
    """The official archive, as published.

    Attributes:
        name: its file name, also at the official address.
        md5: its checksum.
        folder: what it holds.
        batches: checksums of the batches of each part, by file name.
        labels: the key of a batch's labels.
    """

    name: str
    md5: str
    folder: str
    batches: Mapping[str, Mapping[str, str]]
    labels: bytes

    @property
    def url(self) -> str:
        """Where it is to be had."""
        return f"https://www.cs.toronto.edu/~kriz/{self.name}"


class CIFAR(Dataset):
    """Colour images of 32 x 32 pixels, one class each.

    Both forms list the images in the same order and under the same ids,
    `<train|test>/<class>/<position>`: a class's images are numbered in the
    order of the official archive, or of their file names, so that a folder
    whose files were written in the archive's order gives the same splits.
    """

    licence = "no licence stated; free for research, cite the report"
    shareable = True
    url = "https://www.cs.toronto.edu/~kriz/cifar.html"
    archive: ClassVar[Archive]
    classes: ClassVar[tuple[str, ...]]
    #: Images of each class in the official training and test set.
    sizes: ClassVar[Mapping[str, int]]

    def status(self) -> Status:
        """Which of the three forms is there."""
        for path in (self.folder / self.archive.folder, self.folder / self.archive.name):
            if path.exists():
                return Status(True, str(path))
        if all((self.folder / part).is_dir() for part in self.sizes):
            return Status(True, str(self.folder))
        return Status(
            False,
            str(self.folder),
            f"run `hashbench data prepare {self.name} --download` (170 MB) or put "
            f"{self.archive.name}, {self.archive.folder}/ or train/<class>/* and test/<class>/* "
            f"into {self.folder}",
        )

    def load(self, protocol: Protocol) -> LabelledImages:
        """All 60,000 images: training set then test set, class by class."""
        status = self.status()
        if not status.prepared:
            raise InputError(f"{self.name} is not at {status.where}: {status.hint}")
        if Path(status.where) != self.folder:
            return self._from_archive()
        return self._from_folders()

    def labelled(self, protocol: Protocol) -> LabelledImages:
        """Ids and labels, which follow from the sizes: images are ordered class by class."""
        sizes = {part: np.full(len(self.classes), size) for part, size in self.sizes.items()}
        ids = [name for part, counts in sizes.items() for name in self._ids(part, counts)]
        targets = [np.repeat(np.arange(len(counts)), counts) for counts in sizes.values()]
        return self._labelled(NamedSource(ids), np.concatenate(targets))

    def prepare(self, *, download: bool = False) -> None:
        """Verify what is there, unpacking the archive, and downloading it first if asked.

        Raises:
            InputError: if it is missing, damaged, or cannot be fetched or written.
        """
        if download and not self.status().prepared:
            fetch(self.archive.url, self.folder / self.archive.name, self.archive.md5)
        self.load(self.protocol())

    def _from_archive(self) -> LabelledImages:
        unpack(self.folder / self.archive.name, self.archive.md5, self.archive.folder)
        folder, key = self.folder / self.archive.folder, self.archive.labels
        files = [(folder / n, md5) for part in self._batches() for n, md5 in part.items()]
        with ThreadPoolExecutor(len(files), "batch") as pool:
            found = list(pool.map(lambda file: read_batch(file[0], file[1], key), files))
        target = np.concatenate([labels for _pixels, labels in found])
        rows: list[NDArray[np.int64]] = []
        ids: list[str] = []
        start = 0
        for part, size in self.sizes.items():  # class by class, archive order within
            stop = start + size * len(self.classes)
            rows.append(start + np.argsort(target[start:stop], kind="stable"))
            ids += self._ids(part, np.bincount(target[start:stop], minlength=len(self.classes)))
            start = stop
        order = np.concatenate(rows)
        return self._labelled(
            PlaneSource([pixels for pixels, _ in found], order, ids), target[order]
        )

    def _batches(self) -> list[Mapping[str, str]]:
        return [self.archive.batches[part] for part in self.sizes]

    def _from_folders(self) -> LabelledImages:
        paths: list[Path] = []
        targets: list[int] = []
        ids: list[str] = []
        for part, size in self.sizes.items():
            for target, name in enumerate(self.classes):
                folder = self.folder / part / name
                if not folder.is_dir():
                    raise InputError(f"there is no folder {folder}: put {size:,} images there")
                try:
                    listed = os.listdir(folder)  # noqa: PTH208 - names alone
                except OSError as error:
                    raise InputError(
                        f"{folder} cannot be listed ({shown(error)}): make it readable"
                    ) from error
                files = sorted(filter(_is_image, listed), key=natural)
                if len(files) != size:
                    raise InputError(
                        f"{folder} holds {in_number(len(files), 'image', 'images')} instead of "
                        f"{size:,}: put in what "
                        f"is missing, or take out what is not {self.title}'s"
                    )
                paths += [folder / file for file in files]
                targets += [target] * size
            ids += self._ids(part, np.full(len(self.classes), size))
        return self._labelled(FileSource(paths, ids), np.asarray(targets))

    def _labelled(self, source: ImageSource, targets: NDArray[np.int64]) -> LabelledImages:
        labels = np.eye(len(self.classes), dtype=np.uint8)[targets]
        return LabelledImages(source, labels, self.classes)

    def _ids(self, part: str, counts: NDArray[np.int64]) -> list[str]:
        return [
            f"{part}/{name}/{position:04d}"
            for name, count in zip(self.classes, counts, strict=True)
            for position in range(count)
        ]


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122 - hot


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key that puts 2.png before 10.png."""
    return [(int(run), "") if run.isdecimal() else (-1, run) for run in re.split(r"(\d+)", name)]
