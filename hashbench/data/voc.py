"""PASCAL VOC 2007 and 2012, from the official image sets of the classification task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hashbench.data.dataset import Dataset, Status
from hashbench.data.images import FileSource
from hashbench.data.labelled import LabelledImages
from hashbench.data.names import path_parts
from hashbench.data.protocols import Protocol
from hashbench.errors import InputError, shown
from hashbench.files import open_regular
from hashbench.parsing import in_number

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa",
    "train", "tvmonitor",
)  # fmt: skip


class VOC(Dataset):
    """Photographs with 20 classes, several to an image.

    Images are in the order of the official sets and keep their names. The official files say
    1 where an image has an object of the class, -1 where it has none, and 0 where it has none
    but difficult ones: whether those count is a matter of the protocol.
    """

    licence = "images under Flickr's terms; for research"
    year: ClassVar[str]
    #: Official image sets and the images of each; a test set holds the queries.
    sets: ClassVar[Mapping[str, int]]
    #: Protocols in which difficult objects count.
    difficult: ClassVar[frozenset[str]] = frozenset()

    def status(self) -> Status:
        """Whether the image sets of every class and a folder of images are there."""
        base = self._base()
        needed = [base / "JPEGImages"]
        needed += [base / "ImageSets" / "Main" / f"{name}.txt" for name in self._files()]
        missing = [path for path in needed if not path.exists()]
        if not missing:
            return Status(True, str(base))
        return Status(
            False,
            str(base),
            f"{missing[0].name} is not there: unpack VOCtrainval"
            f"{' and VOCtest' if 'test' in self.sets else ''} of {self.year} into {self.folder} "
            f"({self.url})",
        )

    def load(self, protocol: Protocol) -> LabelledImages:
        """All images of the official sets.

        Raises:
            InputError: if files are missing, damaged or not the official ones.
        """
        status = self.status()
        if not status.prepared:
            raise InputError(f"{self.name} is not at {status.where}: {status.hint}")
        return self.labelled(protocol)

    def labelled(self, protocol: Protocol) -> LabelledImages:
        """The same from the official image sets alone, whether the images are there or not."""
        names: list[str] = []
        parts = []
        for part in self.sets:
            mine, labels = self._read(part)
            names += mine
            parts.append(labels)
        marks = np.concatenate(parts)
        least = 0 if protocol.name in self.difficult else 1
        folder = self._base() / "JPEGImages"
        files = [f"{name}.jpg" for name in names]
        source = FileSource([folder / file for file in files], files)
        queries = None
        if "test" in self.sets:
            queries = np.arange(len(names) - self.sets["test"], len(names))
        return LabelledImages(source, (marks >= least).astype(np.uint8), CLASSES, queries=queries)

    def _base(self) -> Path:
        """The folder VOC<year>, wherever the archive was unpacked."""
        name = f"VOC{self.year}"
        for base in (self.folder / "VOCdevkit" / name, self.folder / name):
            if base.is_dir():
                return base
        return self.folder

    def _files(self) -> list[str]:
        return [f"{name}_{part}" for part in self.sets for name in CLASSES]

    def _read(self, part: str) -> tuple[list[str], NDArray[np.int8]]:
        """Names of the images of a set, and the mark of every class."""
        names: list[str] = []
        marks = np.empty((self.sets[part], len(CLASSES)), np.int8)
        for column, kind in enumerate(CLASSES):
            path = self._base() / "ImageSets" / "Main" / f"{kind}_{part}.txt"
            mine, column_marks = _marks(path)
            if len(mine) != self.sets[part] or (names and mine != names):
                raise InputError(
                    f"{path} lists {in_number(len(mine), 'image', 'images')} and not the "
                    f"{self.sets[part]:,} of the "
                    f"official set {part}, in its order: unpack the archive again"
                )
            names = mine
            marks[:, column] = column_marks
        return names, marks


def _marks(path: Path) -> tuple[list[str], list[int]]:
    try:
        with open_regular(path) as stream:
            lines = stream.read().decode("utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read ({shown(error)}): unpack the archive again"
        ) from error
    names: list[str] = []
    marks: list[int] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        where = f"{path}, line {number}"
        if len(words) != 2 or words[1] not in ("-1", "0", "1"):
            raise InputError(
                f"{where}: '{shown(line, 40)}' is no image and -1, 0 or 1: unpack the archive again"
            )
        if path_parts(words[0], where) != [words[0]]:
            raise InputError(f"{where}: '{shown(words[0])}' is in another folder")
        names.append(words[0])
        marks.append(int(words[1]))
    if len(set(names)) != len(names):
        raise InputError(f"{path} lists an image twice: unpack the archive again")
    return names, marks


class VOC2007(VOC):
    """9,963 images; the official test set asks, the official training set is searched."""

    name = "voc2007"
    title = "VOC 2007"
    summary = "PASCAL VOC 2007, 9,963 images, 20 classes"
    citation = "Everingham et al., IJCV 2010"
    bibtex = """@article{everingham2010voc,
  author  = {Mark Everingham and Luc {Van Gool} and Christopher K. I. Williams and John Winn and
             Andrew Zisserman},
  title   = {The {PASCAL} Visual Object Classes ({VOC}) Challenge},
  journal = {International Journal of Computer Vision},
  volume  = {88},
  number  = {2},
  pages   = {303--338},
  year    = {2010},
}"""
    url = "http://host.robots.ox.ac.uk/pascal/VOC/voc2007/"
    year = "2007"
    sets = {"trainval": 5011, "test": 4952}  # noqa: RUF012 - declared ClassVar in VOC
    difficult = frozenset({"voc2007"})
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "voc2007": Protocol(
            name="voc2007",
            queries=4952,
            train=None,
            train_in_database=True,
            summary="test asks, 5,011 trainval is training set and database; difficult counted",
            database=5011,
        ),
        "voc2007-easy": Protocol(
            name="voc2007-easy",
            queries=4952,
            train=None,
            train_in_database=True,
            summary="the same; difficult objects are none",
            database=5011,
            unlabelled=True,
        ),
    }
    default_protocol = "voc2007"


class VOC2012(VOC):
    """11,540 images; the labels of the official test set are not public."""

    name = "voc2012"
    title = "VOC 2012"
    summary = "PASCAL VOC 2012, 11,540 images, 20 classes"
    citation = "Everingham et al., IJCV 2015"
    bibtex = """@article{everingham2015voc,
  author  = {Mark Everingham and S. M. Ali Eslami and Luc {Van Gool} and
             Christopher K. I. Williams and John Winn and Andrew Zisserman},
  title   = {The {PASCAL} Visual Object Classes Challenge: A Retrospective},
  journal = {International Journal of Computer Vision},
  volume  = {111},
  number  = {1},
  pages   = {98--136},
  year    = {2015},
}"""
    url = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/"
    year = "2012"
    sets = {"trainval": 11_540}  # noqa: RUF012 - declared ClassVar in VOC
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "voc2012": Protocol(
            name="voc2012",
            queries=1000,
            train=4000,
            train_in_database=False,
            summary="1k queries, 4k training images outside the 6,540 database",
            database=6540,
            pins={0: "c65494776ff1844f8ee09738337d93256f7d758e129cf5762e40394d12cacb60"},
        ),
    }
    default_protocol = "voc2012"
