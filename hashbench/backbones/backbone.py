"""What a backbone is: its weights, its preprocessing, and how to build its network.

PyTorch is not imported: features that are cached are used without it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from hashbench.backbones.network import Trunk

#: Images up to this many pixels a side are enlarged inside the network's graph.
TINY = 64


def tiny(shape: tuple[int, ...]) -> bool:
    """Whether images of a data set of typically this shape are enlarged, not cropped."""
    return max(shape[:2]) <= TINY


@dataclass(frozen=True)
class Preprocessing:
    """How a decoded image becomes a network's input.

    Images of a data set of tiny images (at most `TINY` pixels a side) are
    enlarged whole to `enlarged` pixels by bicubic interpolation; others are
    resized to `resize` pixels on the short side and cropped in the centre.

    Attributes:
        resize: short side before cropping, pixels.
        crop: side of the centre crop, pixels.
        enlarged: side of an enlarged tiny image, pixels.
        mean: subtracted from 0..255 RGB values.
        std: divided by afterwards.
        bicubic: resize by bicubic rather than bilinear interpolation.
    """

    resize: int = 256
    crop: int = 224
    enlarged: int = 192
    mean: tuple[float, float, float] = (127.0, 127.0, 127.0)
    std: tuple[float, float, float] = (128.0, 128.0, 128.0)
    bicubic: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Everything features depend on, for the cache's key."""
        return asdict(self) | {"tiny": TINY}

    @property
    def sha256(self) -> str:
        """Digest of it, as `Evidence` has it."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def side(self, shape: tuple[int, ...]) -> int:
        """The side in pixels of what the network sees of images of this shape."""
        return self.enlarged if tiny(shape) else self.crop

    def at(self, side: int, shape: tuple[int, ...]) -> Preprocessing:
        """The same for a network that sees `side` pixels of images of this shape."""
        if tiny(shape):
            return replace(self, enlarged=side)
        return replace(self, crop=side, resize=round(side * self.resize / self.crop))

    def frame(self, image: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """An image as the uint8 array the graph takes.

        Args:
            image: `(height, width, 3)` uint8 RGB.
            shape: typical shape of the data set's images; decides the regime.
        """
        height, width = image.shape[:2]
        if tiny(shape):
            if (height, width) == tuple(shape[:2]):
                return image
            resized = Image.fromarray(image).resize((shape[1], shape[0]), self._filter)
            return np.asarray(resized)
        scale = self.resize / min(height, width)
        # The crop box in source pixels: resizing only what is kept costs less.
        kept = self.crop / scale
        left, top = (width - kept) / 2, (height - kept) / 2
        # Rounding must not put a box of the whole short side outside the image.
        box = (max(left, 0), max(top, 0), min(left + kept, width), min(top + kept, height))
        resized = Image.fromarray(image).resize((self.crop, self.crop), self._filter, box=box)
        return np.asarray(resized)

    @property
    def _filter(self) -> Image.Resampling:
        return Image.Resampling.BICUBIC if self.bicubic else Image.Resampling.BILINEAR


@dataclass(frozen=True)
class Backbone:
    """A named feature extractor.

    Attributes:
        name: what `--backbone` calls it.
        summary: one line for listings.
        dim: columns of its features.
        preprocessing: from image to input.
        weights: finds the verified weight file; its sha256 is part of the cache's key.
        build: a trunk with the weights loaded, in eval mode, for inputs of the given side.
        multi_dim: columns of `NAME:multi`, 0 where there is no such variant.
        empty: the same trunk untrained, for weights that come from elsewhere.
        pretrained_on: the data its weights were trained on, for those who compare scores.
    """

    name: str
    summary: str
    dim: int
    preprocessing: Preprocessing
    weights: Callable[[], str]
    build: Callable[[int], Trunk]
    multi_dim: int = 0
    empty: Callable[[int], Trunk] | None = None
    pretrained_on: str = "not said"
