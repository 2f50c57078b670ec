"""What a backbone is: a trunk of stages, its weights and its preprocessing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

#: Images up to this many pixels a side are enlarged inside the network's graph.
TINY = 64


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

    def side(self, shape: tuple[int, ...]) -> int:
        """The side in pixels of what the network sees of images of this shape."""
        return self.enlarged if max(shape[:2]) <= TINY else self.crop

    def frame(self, image: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """An image as the uint8 array the graph takes.

        Args:
            image: `(height, width, 3)` uint8 RGB.
            shape: shape of the data set's first image; decides the regime.
        """
        height, width = image.shape[:2]
        if max(shape[:2]) <= TINY:
            if (height, width) == tuple(shape[:2]):
                return image
            resized = Image.fromarray(image).resize((shape[1], shape[0]), self._filter)
            return np.asarray(resized)
        scale = self.resize / min(height, width)
        # The crop box in source pixels: resizing only what is kept costs less.
        left, top = (width - self.crop / scale) / 2, (height - self.crop / scale) / 2
        box = (left, top, left + self.crop / scale, top + self.crop / scale)
        resized = Image.fromarray(image).resize((self.crop, self.crop), self._filter, box=box)
        return np.asarray(resized)

    @property
    def _filter(self) -> Image.Resampling:
        return Image.Resampling.BICUBIC if self.bicubic else Image.Resampling.BILINEAR


class Trunk(nn.Module):
    """A network without its classifier.

    Args:
        stages: from `(n, 3, side, side)` normalised pixels to `(n, dim)` features;
            late stages can be trained on the cached output of early ones.
        taps: modules whose pooled inputs are the further columns of `:multi`.
    """

    def __init__(self, stages: nn.Sequential, taps: tuple[nn.Module, ...] = ()) -> None:
        super().__init__()
        self.stages = stages
        self._taps = taps  # a tuple, so that they are not registered a second time

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """`(n, dim)` features."""
        features: torch.Tensor = self.stages(pixels)
        return features

    def multi(self, pixels: torch.Tensor) -> torch.Tensor:
        """`(n, dim + taps)`: the features, then the globally pooled input of every tap."""
        pooled: list[torch.Tensor] = []

        def keep(_module: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
            pooled.append(args[0].mean((2, 3)))

        handles = [tap.register_forward_pre_hook(keep) for tap in self._taps]
        try:
            features = self(pixels)
        finally:
            for handle in handles:
                handle.remove()
        return torch.cat([features, *pooled], dim=1)


@dataclass(frozen=True)
class Backbone:
    """A named feature extractor.

    Attributes:
        name: what `--backbone` calls it.
        summary: one line for listings.
        dim: columns of its features.
        multi_dim: columns of `NAME:multi`, 0 where there is no such variant.
        preprocessing: from image to input.
        weights: finds the verified weight file; its sha256 is part of the cache's key.
        build: a trunk with the weights loaded, in eval mode, for inputs of the given side.
    """

    name: str
    summary: str
    dim: int
    preprocessing: Preprocessing
    weights: Callable[[], str]
    build: Callable[[int], Trunk]
    multi_dim: int = 0


class Graph(nn.Module):
    """From `(n, height, width, 3)` uint8 pixels to features: all that an engine runs.

    Args:
        trunk: the network, in eval mode.
        preprocessing: its normalisation.
        side: side in pixels of the network's input.
        multi: append the pooled outputs of late layers.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self, trunk: Trunk, preprocessing: Preprocessing, side: int, *, multi: bool = False
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.side = side
        self.features = trunk.multi if multi else trunk.forward
        self.register_buffer("mean", torch.tensor(preprocessing.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(preprocessing.std).view(1, 3, 1, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`(n, columns)` float32 features."""
        pixels = (images.permute(0, 3, 1, 2).float() - self.mean) / self.std
        if images.shape[1:3] != (self.side, self.side):
            size = (self.side, self.side)
            pixels = nn.functional.interpolate(
                pixels, size=size, mode="bicubic", align_corners=False
            )
        return self.features(pixels)
