"""Networks of the head mode: standardised features in, the hash layer's outputs out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.training.recipes import Recipe

#: A feature whose standard deviation is below this share of its magnitude counts as constant.
CONSTANT = 1e-6
#: Values of a 16-bit draw.
LEVELS = 2**16


class Standardise(nn.Module):
    """Features minus their training mean, over their training standard deviation.

    A feature that never varied in training says nothing and becomes 0.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))

    def learn(self, features: NDArray[np.float32]) -> None:
        """Take the statistics of `(n, dim)` training features."""
        mean = features.mean(0, dtype=np.float64)
        deviation = features.std(0, dtype=np.float64)
        varies = deviation > CONSTANT * np.maximum(np.abs(mean), CONSTANT)
        scale = np.where(varies, 1 / np.where(varies, deviation, 1), 0)
        self.mean.copy_(torch.from_numpy(mean.astype(np.float32)))
        self.scale.copy_(torch.from_numpy(scale.astype(np.float32)))

    def forward(self, features: Tensor) -> Tensor:
        """`(n, dim)` standardised features."""
        return (features - self.mean) * self.scale

    def in_place(self, features: Tensor) -> Tensor:
        """The same, to the same bits, in the features' own memory."""
        return features.sub_(self.mean).mul_(self.scale)


class Dropout(nn.Module):
    """Each value dropped with probability `share`, the others scaled up; eval mode passes all.

    As `nn.Dropout`, with `share` in 65,536ths. A linear head on a CPU would spend a third of
    its training in Bernoulli draws; 16 bits of randomness a value are a quarter of that.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.dropped = round(share * LEVELS)

    def forward(self, values: Tensor) -> Tensor:
        """`(n, dim)` values, some of them 0."""
        if not self.training or not self.dropped:
            return values
        mask, scale = self.mask(values), LEVELS / (LEVELS - self.dropped)
        if values.requires_grad:
            return values * mask.mul_(scale)
        return mask.mul_(values).mul_(scale)  # the same, in the mask's own memory

    def mask(self, values: Tensor) -> Tensor:
        """As many draws as values, 0 for what is dropped and 1 for what stays, of their type."""
        kept = torch.empty_like(values)
        if values.device.type != "cpu":  # where draws are not what takes long
            return kept.copy_(
                torch.rand(values.shape, device=values.device) >= self.dropped / LEVELS
            )
        draws = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        shorts = draws.view(torch.int16)[: values.numel()].view(values.shape)
        # Into floats at once: a CPU takes five times as long to turn bools into them.
        return torch.ge(shorts, self.dropped - LEVELS // 2, out=kept)


def trunk(head: str, dim: int, recipe: Recipe) -> tuple[nn.Module, int]:
    """What lies between features and hash layer, and the width it ends in.

    Args:
        head: "linear" for nothing but standardisation, "mlp" for one hidden layer.
        dim: number of features.
        recipe: hidden units and dropout.
    """
    layers: list[nn.Module] = [Standardise(dim), Dropout(recipe.input_dropout)]
    if head == "linear":
        return nn.Sequential(*layers), dim
    layers += [
        nn.Linear(dim, recipe.hidden),
        nn.BatchNorm1d(recipe.hidden),
        nn.ReLU(),
        Dropout(recipe.dropout),
    ]
    return nn.Sequential(*layers), recipe.hidden
