"""Augmented views of training images: random crops and horizontal flips.

Everything is uint8 and drawn from a generator of the caller's, on the CPU, so
that a seed gives the same views on every device. They are cut there too, or on
the device where the canvases are: to the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hashbench.backbones.backbone import Preprocessing, tiny

#: Raised when views change, so that cached ones of the old code are not taken for new.
VERSION = 1

#: A tiny image can move by this share of its side, the rim filled by reflection.
MARGIN = 1 / 8


class Draw(NamedTuple):
    """How each image of a batch is seen.

    Attributes:
        corners: `(n, 2)` int64, top and left of the window within the canvas.
        flips: `(n,)` bool, whether the window is mirrored.
    """

    corners: NDArray[np.int64]
    flips: NDArray[np.bool_]


@dataclass(frozen=True)
class Viewer:
    """Windows onto images: the whole image as the canvas, what the network sees as the window.

    A tiny image's canvas is the image with a reflected rim and its window is of
    the image's size; of a larger image the canvas is its centre square, resized
    as before cropping, and the window is of the size of the crop (in the
    hashing papers 256 and 224 pixels).

    Attributes:
        preprocessing: of the backbone, for the side that is trained.
        shape: typical shape of the data set's images; decides the regime.
    """

    preprocessing: Preprocessing
    shape: tuple[int, ...]

    @property
    def window(self) -> tuple[int, int]:
        """Height and width of a view."""
        if tiny(self.shape):
            return self.shape[0], self.shape[1]
        return self.preprocessing.crop, self.preprocessing.crop

    @property
    def rim(self) -> tuple[int, int]:
        """How far the window can move from the centre, up and to the left."""
        if tiny(self.shape):
            return round(self.shape[0] * MARGIN), round(self.shape[1] * MARGIN)
        room = (self.preprocessing.resize - self.preprocessing.crop) // 2
        return room, room

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width of a canvas."""
        return self.window[0] + 2 * self.rim[0], self.window[1] + 2 * self.rim[1]

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The canvas of an image, `(height, width, 3)` uint8."""
        if tiny(self.shape):
            frame = self.preprocessing.frame(image, self.shape)
            rim = [(width, width) for width in self.rim]
            return np.pad(frame, [*rim, (0, 0)], mode="reflect")
        whole = replace(self.preprocessing, resize=self.canvas[0], crop=self.canvas[0])
        return whole.frame(image, self.shape)

    def draw(self, generator: np.random.Generator, count: int) -> Draw:
        """Random windows for `count` images."""
        room = 2 * np.asarray(self.rim)
        return Draw(
            generator.integers(0, room, (count, 2), endpoint=True),
            generator.random(count) < 0.5,
        )

    def centred(self, count: int) -> Draw:
        """Windows in the centre, not mirrored: what encoding sees."""
        return Draw(np.tile(np.asarray(self.rim), (count, 1)), np.zeros(count, dtype=bool))

    def look(self, canvases: NDArray[np.uint8], draw: Draw) -> NDArray[np.uint8]:
        """`(n, height, width, 3)` uint8 views of `(n, height, width, 3)` canvases."""
        height, width = self.window
        views = np.empty((len(canvases), height, width, 3), np.uint8)
        for view, canvas, (top, left), flip in zip(views, canvases, *draw, strict=True):
            seen = canvas[top : top + height, left : left + width]
            view[...] = seen[:, ::-1] if flip else seen
        return views

    def look_there(self, canvases: Tensor, rows: NDArray[np.int64], draw: Draw) -> Tensor:
        """What `look` gives of `canvases[rows]`, cut on the device where the canvases are.

        Args:
            canvases: `(m, height, width, 3)` uint8.
            rows: `(n,)` which of them.
            draw: how each is seen.

        Returns:
            `(n, height, width, 3)` uint8, on that device.
        """
        height, width = self.window
        across = np.arange(width)
        columns = np.where(draw.flips[:, None], across[::-1], across) + draw.corners[:, 1:]
        down = np.arange(height) + draw.corners[:, :1]
        at = (rows[:, None, None], down[:, :, None], columns[:, None, :])
        return canvases[tuple(_moved(index, canvases.device) for index in at)]


def _moved(index: NDArray[np.int64], device: torch.device) -> Tensor:
    """Positions on a device, where they go without being waited for."""
    found = torch.from_numpy(np.ascontiguousarray(index))
    if device.type != "cuda":
        return found.to(device)
    return found.pin_memory().to(device, non_blocking=True)
