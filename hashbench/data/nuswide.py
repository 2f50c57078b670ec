"""NUS-WIDE, from the official image list and ground truth and a folder of images."""

from __future__ import annotations

import hashlib
from collections import Counter
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
from hashbench.parsing import in_number, printable

#: How many of the most frequent concepts the usual variant keeps.
FREQUENT = 21

#: A fault of the official ground truth: file, line, what it reads.
FAULT = ("Labels_lake_Train.txt", 78_372, b"-1130179")

#: Digests of the official lists, each as one copy's owner gives it: SHA-256, or SHA-1 of git.
OFFICIAL = {
    "Imagelist.txt": "bf7c7142636d84acfeaf08c58bffa8e14aebdae2",
    "TrainImagelist.txt": "838a44827b23df690164cd73e4ef24fac166c609",
    "TestImagelist.txt": "5ded9bb33dd95b3a241bcf0aed14e9398dc49ade500cbb49b00f3850f2c001a2",
}

#: The images that could still be had when HashNet's lists were made, labelled or not.
AVAILABLE = "nuswide81-223k"


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
        AVAILABLE: Protocol(
            name=AVAILABLE,
            queries=5000,
            train=10_000,
            train_in_database=True,
            summary="81 concepts, the 223,496 images still to be had, labelled or not (HashNet)",
            database=218_496,
            unlabelled=True,
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
        notes: list[str] = []
        if (self.folder / "Groundtruth" / "AllLabels").is_dir():
            names, concepts, labels = self._read("Imagelist.txt", "AllLabels", "", notes)
        else:
            parts = [
                self._read(f"{part}Imagelist.txt", "TrainTestLabels", f"_{part}", notes)
                for part in ("Train", "Test")
            ]
            names = parts[0][0] + parts[1][0]
            concepts = parts[0][1]
            if parts[1][1] != concepts:
                raise InputError(f"{self.folder / 'Groundtruth'} lacks files of some concepts")
            labels = np.concatenate([parts[0][2], parts[1][2]])
        if len(names) != self.images or len(concepts) != self.concepts:
            raise InputError(
                f"{self.folder} lists {in_number(len(names), 'image', 'images')} with "
                f"{in_number(len(concepts), 'concept', 'concepts')} and not "
                f"{self.images:,} with {self.concepts}: unpack ImageList.zip and Groundtruth.zip"
            )
        notes += _listed_twice(names)
        if protocol.name == "nuswide21":
            order = np.argsort(-labels.sum(axis=0, dtype=np.int64), kind="stable")
            columns = np.sort(order[:FREQUENT])
        else:
            columns = np.arange(len(concepts))
        labels = labels[:, columns]
        if protocol.name == AVAILABLE:
            missing = FileSource(self._paths(names), names).missing()
            kept = np.setdiff1d(np.arange(len(names)), missing)
        else:
            kept = np.flatnonzero(labels.any(axis=1))
        names = [names[row] for row in kept]
        return LabelledImages(
            FileSource(self._paths(names), names),
            labels[kept],
            tuple(concepts[column] for column in columns),
            notes=tuple(notes),
        )

    def _read(
        self, list_name: str, folder: str, suffix: str, notes: list[str]
    ) -> tuple[list[str], list[str], NDArray[np.uint8]]:
        """Names, concepts and labels from a list and the ground truth in its order."""
        path = self.folder / "ImageList" / list_name
        try:
            with open_regular(path) as stream:
                content = stream.read()
            lines = content.decode("utf-8-sig").split("\n")
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path} cannot be read ({shown(error)}): unpack ImageList.zip"
            ) from error
        if OFFICIAL[list_name] not in (_git_sha1(content), hashlib.sha256(content).hexdigest()):
            notes.append(
                f"{list_name} is not the official list a known copy of which has the digest "
                f"{OFFICIAL[list_name][:16]}."
            )
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
        columns = [_column(file, len(names), notes) for file in files]
        return names, concepts, np.stack(columns, axis=1)

    def _paths(self, names: list[str]) -> list[Path]:
        """Image files: in folders as listed, or all in one folder."""
        root = self.folder / "images"
        nested = any((root / name.split("/")[0]).is_dir() for name in names[:1000] if "/" in name)
        return [root / (name if nested else name.rsplit("/", 1)[-1]) for name in names]


def _listed_twice(names: list[str]) -> list[str]:
    """A note on photographs that are listed under two names, known by Flickr's number."""
    numbers = Counter(name.rpartition("_")[2].partition(".")[0] for name in names)
    twice = [number for number, count in numbers.items() if count > 1 and number.isdigit()]
    if not twice:
        return []
    first = ", ".join(twice[:6]) + (" and so on" if len(twice) > 6 else "")
    return [f"{len(twice)} photographs are listed twice under other names (Flickr {first})."]


def _git_sha1(content: bytes) -> str:
    """What git calls a file of this content."""
    head = f"blob {len(content)}\0".encode()
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def _column(path: Path, rows: int, notes: list[str]) -> NDArray[np.uint8]:
    """One concept's ground truth: a 0 or a 1 on every line."""
    try:
        with open_regular(path) as stream:
            content = stream.read()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({shown(error)}): unpack Groundtruth.zip"
        ) from error
    name, bad, read = FAULT
    if path.name == name and read in content:
        lines = content.split(b"\n")
        if len(lines) >= bad and lines[bad - 1].strip() == read:
            lines[bad - 1] = b"0"
            content = b"\n".join(lines)
            notes.append(f"{name}, line {bad:,} reads {read.decode()}, taken as 0.")
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
