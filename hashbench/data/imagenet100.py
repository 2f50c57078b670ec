"""ImageNet-100, the hundred classes of ImageNet that HashNet's lists made usual."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from hashbench.data.dataset import Dataset, Status
from hashbench.data.images import SUFFIXES, FileSource
from hashbench.data.labelled import LabelledImages
from hashbench.data.lists import ImageLists
from hashbench.data.names import path_parts
from hashbench.data.protocols import Protocol
from hashbench.errors import InputError, shown
from hashbench.files import open_regular
from hashbench.parsing import in_number

_LISTS = ("test.txt", "train.txt", "database.txt")


class ImageNet100(Dataset):
    """Photographs of 100 classes, one each: the validation images ask, the others are searched.

    In two forms: HashNet's three lists with a 0 or 1 for each class, which say themselves what
    is trained on; or `train/<class>/*` and `val/<class>/*` of ImageNet with `classes.txt`, the
    hundred classes (as `n01440764`) one a line, from which the protocol draws the training set.
    """

    name = "imagenet100"
    title = "ImageNet-100"
    summary = "100 classes of ImageNet (ILSVRC 2012), about 128,500 images to search"
    citation = "Russakovsky et al., IJCV 2015; Cao et al., ICCV 2017"
    bibtex = """@article{russakovsky2015imagenet,
  author  = {Olga Russakovsky and Jia Deng and Hao Su and Jonathan Krause and Sanjeev Satheesh and
             Sean Ma and Zhiheng Huang and Andrej Karpathy and Aditya Khosla and
             Michael Bernstein and Alexander C. Berg and Li Fei-Fei},
  title   = {{ImageNet} Large Scale Visual Recognition Challenge},
  journal = {International Journal of Computer Vision},
  volume  = {115},
  number  = {3},
  pages   = {211--252},
  year    = {2015},
}"""
    licence = "for research, under ImageNet's terms"
    url = "https://www.image-net.org/challenges/LSVRC/2012/"
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "imagenet100": Protocol(
            name="imagenet100",
            queries=5000,
            train=13_000,
            train_in_database=True,
            summary="5k queries, 13k training images (130 a class) inside the database (HashNet)",
            balanced=True,
        ),
        "imagenet100-10k": Protocol(
            name="imagenet100-10k",
            queries=5000,
            train=10_000,
            train_in_database=True,
            summary="5k queries, 10k training images (100 a class) inside the database",
            balanced=True,
        ),
    }
    default_protocol = "imagenet100"
    #: Classes, and query images of each.
    classes: ClassVar[int] = 100
    each: ClassVar[int] = 50

    def status(self) -> Status:
        """Which of the two forms is there."""
        if all((self.folder / name).is_file() for name in _LISTS):
            return Status(True, str(self.folder))
        folders = ("train", "val")
        if (self.folder / "classes.txt").is_file() and all(
            (self.folder / name).is_dir() for name in folders
        ):
            return Status(True, str(self.folder))
        return Status(
            False,
            str(self.folder),
            f"put HashNet's {', '.join(_LISTS)} and their images, or classes.txt with "
            f"{self.classes} lines such as n01440764, train/<class>/* and val/<class>/* into "
            f"{self.folder}",
        )

    def load(self, protocol: Protocol) -> LabelledImages:
        """The images of the hundred classes.

        Raises:
            InputError: if files are missing, or there are other numbers of them than published.
        """
        status = self.status()
        if not status.prepared:
            raise InputError(f"{self.name} is not at {status.where}: {status.hint}")
        if all((self.folder / name).is_file() for name in _LISTS):
            return self._listed(protocol)
        return self._in_folders()

    def _listed(self, protocol: Protocol) -> LabelledImages:
        lists = ImageLists(self.root, self.folder)
        images = lists.load(lists.protocol())
        assert images.parts is not None
        found = (len(images.classes), len(images.parts[0]), len(images.parts[1]))
        wanted = (self.classes, protocol.queries, protocol.train)
        if found != wanted:
            raise InputError(
                f"the lists in {self.folder} have {in_number(found[0], 'class', 'classes')}, "
                f"{in_number(found[1], 'query', 'queries')} and "
                f"{found[2]:,} training images and protocol {protocol.name} has {wanted[0]}, "
                f"{wanted[1]:,} and {wanted[2]:,}: take another protocol, or HashNet's own lists"
            )
        return images

    def _in_folders(self) -> LabelledImages:
        classes = self._class_list()
        names: list[str] = []
        targets: list[int] = []
        searched = 0
        for part in ("train", "val"):
            for target, kind in enumerate(classes):
                mine = _images(self.folder / part / kind)
                if part == "val" and len(mine) != self.each:
                    raise InputError(
                        f"{self.folder / part / kind} holds "
                        f"{in_number(len(mine), 'image', 'images')} instead of "
                        f"{self.each}: put in what is missing"
                    )
                names += [f"{part}/{kind}/{file}" for file in mine]
                targets += [target] * len(mine)
            if part == "train":
                searched = len(names)
        source = FileSource([self.folder / name for name in names], names)
        labels = np.eye(len(classes), dtype=np.uint8)[targets]
        queries = np.arange(searched, len(names))
        return LabelledImages(source, labels, classes, queries=queries)

    def _class_list(self) -> tuple[str, ...]:
        path = self.folder / "classes.txt"
        try:
            with open_regular(path) as stream:
                lines = stream.read().decode("utf-8-sig").split("\n")
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read ({shown(error)}): write it again") from error
        classes = tuple(line.strip() for line in lines if line.strip())
        if len(classes) != self.classes or len(set(classes)) != len(classes):
            raise InputError(
                f"{path} names {in_number(len(set(classes)), 'class', 'classes')} instead of "
                f"{self.classes}: write one "
                "a line"
            )
        for kind in classes:
            if path_parts(kind, str(path)) != [kind]:
                raise InputError(f"{path}: '{shown(kind)}' is no class's folder")
        return classes


def _images(folder: Path) -> list[str]:
    """Names of the image files in a folder, sorted."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names alone
    except OSError as error:
        raise InputError(f"{folder} cannot be listed ({shown(error)}): put it there") from error
    return sorted(name for name in names if os.path.splitext(name)[1].lower() in SUFFIXES)  # noqa: PTH122
