"""The contract every data set keeps, built in or not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hashbench.data.protocols import Protocol
from hashbench.data.split import Split
from hashbench.items import ImageSource, Items, TrainItems


@dataclass(frozen=True)
class Status:
    """Whether a data set is ready to use on this machine.

    Attributes:
        prepared: True when `load` would succeed.
        where: the folder or archive found or expected.
        hint: one sentence on how to get the data; empty when prepared.
    """

    prepared: bool
    where: str
    hint: str = ""


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Every image of a data set with its labels.

    Attributes:
        source: the images.
        labels: `(len(source), classes)` uint8 multi-hot.
        classes: class names, in label order.
        notes: what a reader of scores on these images must know.
    """

    source: ImageSource
    labels: NDArray[np.uint8]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Dataset(ABC):
    """A data set, and the protocols that split it.

    Args:
        root: the data root; a data set keeps its files in `<root>/<name>/`.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    citation: ClassVar[str] = ""
    licence: ClassVar[str] = ""
    url: ClassVar[str] = ""
    protocols: ClassVar[Mapping[str, Protocol]]
    default_protocol: ClassVar[str]
    default_backbone: ClassVar[str] = "efficientnet_lite0"

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def folder(self) -> Path:
        """Where this data set's files are expected."""
        return self.root / self.name

    @abstractmethod
    def status(self) -> Status:
        """Whether the data set is prepared here; cheap, reads no image."""

    @abstractmethod
    def load(self, protocol: Protocol) -> LabelledImages:
        """The images and labels `protocol` draws from.

        Raises:
            InputError: if files are missing or damaged.
        """

    def split(self, protocol: str | None = None, seed: int = 0) -> Split:
        """Draw the named protocol's split; the same arguments give the same ids.

        Raises:
            InputError: for an unknown protocol, or data that cannot fill it.
        """
