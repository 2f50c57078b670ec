"""The networks themselves: a trunk of stages, and the graph an engine runs."""

from __future__ import annotations

import torch
from torch import nn

from hashbench.backbones.backbone import Preprocessing


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
