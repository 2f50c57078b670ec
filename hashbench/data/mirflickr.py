"""MIRFLICKR-25K with its 38 annotations, from the official images and annotation files."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hashbench.data.dataset import Dataset, Status
from hashbench.data.images import FileSource
from hashbench.data.labelled import LabelledImages
from hashbench.data.protocols import Protocol
from hashbench.errors import InputError, shown
from hashbench.files import open_regular

#: What may be in an image; of those marked "r1" there is a second, stricter annotation.
_POTENTIAL = (
    "animals", "baby", "bird", "car", "clouds", "dog", "female", "flower", "food", "indoor",
    "lake", "male", "night", "people", "plant_life", "portrait", "river", "sea", "sky",
    "structures", "sunset", "transport", "tree", "water",
)  # fmt: skip
_RELEVANT = (
    "baby", "bird", "car", "clouds", "dog", "female", "flower", "male", "night", "people",
    "portrait", "river", "sea", "tree",
)  # fmt: skip

#: In the order of the files' names.
CLASSES = tuple(sorted([*_POTENTIAL, *(f"{name}_r1" for name in _RELEVANT)]))

IMAGES, ANNOTATIONS = "mirflickr", "mirflickr25k_annotations_v080"


class MIRFlickr(Dataset):
    """25,000 photographs, 24 annotations and the 14 stricter ones, several to an image.

    Images are in the order of their numbers, `im1.jpg` first. 419 have no annotation: they are
    searched and never queries or training images.
    """

    name = "mirflickr25k"
    title = "MIRFLICKR-25K"
    summary = "MIRFLICKR, 25,000 Flickr images, 38 annotations"
    citation = "Huiskes and Lew, MIR 2008"
    bibtex = """@inproceedings{huiskes2008mirflickr,
  author    = {Mark J. Huiskes and Michael S. Lew},
  title     = {The {MIR} {Flickr} Retrieval Evaluation},
  booktitle = {ACM International Conference on Multimedia Information Retrieval (MIR)},
  year      = {2008},
}"""
    licence = "images under Creative Commons licences, said by image"
    url = "https://press.liacs.nl/mirflickr/"
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "mirflickr25k": Protocol(
            name="mirflickr25k",
            queries=1000,
            train=4000,
            train_in_database=False,
            summary="1k queries, 4k training images outside the 20k database with the unlabelled",
            database=20_000,
            pins={0: "9ead80504dba3d1df526e6ae51974e54e79c8b37bdd112a3b56c13f4fc60c983"},
            unlabelled=True,
        ),
    }
    default_protocol = "mirflickr25k"
    #: Images, as published.
    images: ClassVar[int] = 25_000

    def status(self) -> Status:
        """Whether the folders of images and annotations are there."""
        missing = [name for name in (IMAGES, ANNOTATIONS) if not (self.folder / name).is_dir()]
        if not missing:
            return Status(True, str(self.folder))
        return Status(
            False,
            str(self.folder),
            f"put {' and '.join(f'{name}/' for name in missing)} into {self.folder}: unpack "
            f"mirflickr25k.zip and {ANNOTATIONS}.zip from {self.url}",
        )

    def load(self, protocol: Protocol) -> LabelledImages:
        """All images, with the 38 annotations.

        Raises:
            InputError: if files are missing, damaged or not the official ones.
        """
        status = self.status()
        if not status.prepared:
            raise InputError(f"{self.name} is not at {status.where}: {status.hint}")
        labels = np.zeros((self.images, len(CLASSES)), np.uint8)
        for column, name in enumerate(CLASSES):
            labels[_numbers(self.folder / ANNOTATIONS / f"{name}.txt", self.images) - 1, column] = 1
        names = [f"im{number}.jpg" for number in range(1, self.images + 1)]
        source = FileSource([self.folder / IMAGES / name for name in names], names)
        return LabelledImages(source, labels, CLASSES)


def _numbers(path: Path, most: int) -> NDArray[np.int64]:
    """The image numbers of an annotation file, one a line."""
    try:
        with open_regular(path) as stream:
            lines = stream.read().split(b"\n")
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({shown(error)}): unpack {ANNOTATIONS}.zip again"
        ) from error
    numbers = []
    for number, line in enumerate(lines, 1):
        word = line.strip()
        if not word:
            continue
        if not word.isdigit() or len(word) > 6 or not 1 <= int(word) <= most:
            raise InputError(
                f"{path}, line {number}: '{shown(word[:40].decode('ascii', 'replace'))}' is no "
                f"image number from 1 to {most:,}: unpack {ANNOTATIONS}.zip again"
            )
        numbers.append(int(word))
    return np.asarray(numbers, dtype=np.int64)
