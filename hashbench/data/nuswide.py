"""NUS-WIDE, from the official image list and ground truth and a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hashbench.data.dataset import Dataset, LabelledImages, Status
from hashbench.data.images import FileSource
from hashbench.data.names import path_parts
from hashbench.data.protocols import Protocol
from hashbench.errors import InputError, shown
from hashbench.files import open_regular
from hashbench.parsing import printable

#: How many of the most frequent concepts the usual variant keeps.
FREQUENT = 21


class NUSWIDE(Dataset):
    """Flickr images with 81 concepts.

    Images are in the order of the official list and keep its names, with slashes
    for backslashes; images without any of the protocol's concepts are not part of it.
    """

    name = "nuswide"
    title = "NUS-WIDE"
    summary = "NUS-WIDE, 269,648 Flickr images, 81 concepts (21 in the usual protocol)"
    citation = "Chua et al., CIVR 2009"
    bibtex = """@inproceedings{chua2009nuswide,
  author    = {Tat-Seng Chua and Jinhui Tang and Richang Hong and Haojie Li and Zhiping Luo and
               Yantao Zheng},
  title     = {{NUS-WIDE}: A Real-World Web Image Database from {National University of Singapore}},
  booktitle = {ACM International Conference on Image and Video Retrieval (CIVR)},
  year      = {2009},
}"""
    licence = "for research; images under Flickr's terms"
    url = "https://lms.comp.nus.edu.sg/wp-content/uploads/2019/research/nuswide/NUS-WIDE.html"
    protocols = {  # noqa: RUF012 - declared ClassVar in Dataset
        "nuswide21": Protocol(
            name="nuswide21",
            queries=2100,
            train=10_500,
            train_in_database=True,
            summary="21 concepts, 100 queries and 500 training images each, 193,734 database",
            balanced=True,
            database=193_734,
        ),
        "nuswide81": Protocol(
            name="nuswide81",
            queries=5000,
            train=10_000,
            train_in_database=True,
            summary="81 concepts, 5k queries, the other labelled images are the database (DCH)",
        ),
    }
    default_protocol = "nuswide21"
    #: Images in the official list, and concepts of the ground truth.
    images: ClassVar[int] = 269_648
    concepts: ClassVar[int] = 81

    def status(self) -> Status:
        """Whether list, ground truth and an image folder are there."""
        needed = [self.folder / name for name in ("ImageList", "Groundtruth", "images")]
        missing = [f"{path.name}/" for path in needed if not path.is_dir()]
        if not missing:
            return Status(True, str(self.folder))
        return Status(
            False,
            str(self.folder),
            f"put {', '.join(missing)} into {self.folder}: ImageList.zip and Groundtruth.zip from "
            f"{self.url}, and the images from wherever you have them",
        )

    def load(self, protocol: Protocol) -> LabelledImages:
        """The images with at least one of the protocol's concepts.

        Raises:
            InputError: if the list or the ground truth is missing, damaged or
                not the official one.
        """
        if (self.folder / "Groundtruth" / "AllLabels").is_dir():
            names, concepts, labels = self._read("ImageList/Imagelist.txt", "AllLabels", "")
        else:
            parts = [
                self._read(f"ImageList/{part}Imagelist.txt", "TrainTestLabels", f"_{part}")
                for part in ("Train", "Test")
            ]
            names = parts[0][0] + parts[1][0]
            concepts = parts[0][1]
            if parts[1][1] != concepts:
                raise InputError(f"{self.folder / 'Groundtruth'} lacks files of some concepts")
            labels = np.concatenate([parts[0][2], parts[1][2]])
        if len(names) != self.images or len(concepts) != self.concepts:
            raise InputError(
                f"{self.folder} lists {len(names):,} images with {len(concepts)} concepts and not "
                f"{self.images:,} with {self.concepts}: unpack ImageList.zip and Groundtruth.zip"
            )
        if protocol.id == "nuswide21":
            order = np.argsort(-labels.sum(axis=0, dtype=np.int64), kind="stable")
            columns = np.sort(order[:FREQUENT])
        else:
            columns = np.arange(len(concepts))
        labels = labels[:, columns]
        kept = np.flatnonzero(labels.any(axis=1))
        names = [names[row] for row in kept]
        source = FileSource(self._paths(names), names)
        return LabelledImages(source, labels[kept], tuple(concepts[column] for column in columns))

    def _read(
        self, list_name: str, folder: str, suffix: str
    ) -> tuple[list[str], list[str], NDArray[np.uint8]]:
        """Names, concepts and labels from a list and the ground truth in its order."""
        path = self.folder / list_name
        try:
            with open_regular(path) as stream:
                lines = stream.read().decode("utf-8-sig").split("\n")
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path} cannot be read ({shown(error)}): unpack ImageList.zip"
            ) from error
        listed = [line.strip() for line in lines if line.strip()]
        names = [
            "/".join(path_parts(name, f"{path}, image {number}"))
            for number, name in enumerate(listed, 1)
        ]
        if len(set(names)) != len(names):
            raise InputError(f"{path} lists an image twice: unpack ImageList.zip again")
        truth = self.folder / "Groundtruth" / folder
        files = sorted(truth.glob(f"Labels_*{suffix}.txt"))
        if not files:
            raise InputError(f"{truth} holds no Labels_*{suffix}.txt: unpack Groundtruth.zip")
        concepts = [file.stem.removeprefix("Labels_").removesuffix(suffix) for file in files]
        if not all(map(printable, concepts)):
            raise InputError(f"{truth} holds a file without a printable name: unpack it again")
        return names, concepts, np.stack([_column(file, len(names)) for file in files], axis=1)

    def _paths(self, names: list[str]) -> list[Path]:
        """Image files: in folders as listed, or all in one folder."""
        root = self.folder / "images"
        nested = any((root / name.split("/")[0]).is_dir() for name in names[:1000] if "/" in name)
        return [root / (name if nested else name.rsplit("/", 1)[-1]) for name in names]


def _column(path: Path, rows: int) -> NDArray[np.uint8]:
    """One concept's ground truth: a 0 or a 1 on every line."""
    try:
        with open_regular(path) as stream:
            content = stream.read()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({shown(error)}): unpack Groundtruth.zip"
        ) from error
    digits = np.frombuffer(content.translate(None, b" \t\r\n"), np.uint8)
    if len(digits) != rows or not np.isin(digits, (48, 49)).all():
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip() not in (b"0", b"1"):
                held = shown(line[:40].decode("ascii", "replace"))
                raise InputError(
                    f"{path}, line {number}: '{held}' is neither 0 nor 1: "
                    "unpack Groundtruth.zip again"
                )
        raise InputError(
            f"{path} has {len(digits):,} lines for {rows:,} images: unpack Groundtruth.zip again"
        )
    return digits - np.uint8(48)
