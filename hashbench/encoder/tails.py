"""Shallow hash functions as PyTorch modules, so that they can be exported behind a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.errors import InputError
from hashbench.hasher import Hasher
from hashbench.items import items_from_features

#: Outputs of a module may differ by this much from the method's own, as a share of the largest.
ROUNDING = 1e-4

Step = Callable[[Tensor], Tensor]


class Tail(nn.Module):
    """Steps in double precision, as the methods compute.

    Args:
        steps: from `(n, dim)` features to `(n, bits)` outputs.
    """

    def __init__(self, *steps: nn.Module) -> None:
        super().__init__()
        self.steps = nn.Sequential(*steps)

    def forward(self, features: Tensor) -> Tensor:
        """`(n, bits)` outputs."""
        outputs: Tensor = self.steps(features.double())
        return outputs.float()


class Affine(nn.Module):
    """`(x - mean) / scale`."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: NDArray[Any], scale: NDArray[Any] | float = 1.0) -> None:
        super().__init__()
        self.register_buffer("mean", _double(mean))
        self.register_buffer("scale", _double(scale))

    def forward(self, values: Tensor) -> Tensor:
        """Of `(n, dim)` values."""
        return (values - self.mean) / self.scale


class Unit(nn.Module):
    """Rows of length 1; a row of zeros stays one."""

    def forward(self, values: Tensor) -> Tensor:
        """Of `(n, dim)` values."""
        length = values.square().sum(1, keepdim=True).sqrt()
        return values / torch.where(length > 0, length, torch.ones_like(length))


class Kernel(nn.Module):
    """`exp(-||x - a||^2 / denominator)` for anchors a."""

    anchors: Tensor
    squares: Tensor

    def __init__(self, anchors: NDArray[Any], denominator: float) -> None:
        super().__init__()
        self.register_buffer("anchors", _double(anchors))
        self.register_buffer("squares", _double((np.asarray(anchors, np.float64) ** 2).sum(1)))
        self.denominator = float(denominator)

    def forward(self, rows: Tensor) -> Tensor:
        """`(n, anchors)` values."""
        squares = rows.square().sum(1, keepdim=True) + self.squares
        distances = (squares - 2 * (rows @ self.anchors.T)).clamp(min=0)
        return (-distances / self.denominator).exp()


class Project(nn.Module):
    """`x P`; one row of P more than x has columns is a constant."""

    weights: Tensor
    constant: Tensor

    def __init__(self, weights: NDArray[Any], columns: int) -> None:
        super().__init__()
        self.register_buffer("weights", _double(weights[:columns]))
        self.register_buffer("constant", _double(weights[columns:].sum(axis=0)))

    def forward(self, values: Tensor) -> Tensor:
        """`(n, bits)` outputs."""
        return values @ self.weights + self.constant


class Waves(nn.Module):
    """`cos(x_side * frequency)`, spectral hashing's eigenfunctions."""

    side: Tensor
    frequency: Tensor

    def __init__(self, side: NDArray[Any], frequency: NDArray[Any]) -> None:
        super().__init__()
        self.register_buffer("side", torch.from_numpy(np.asarray(side, np.int64)))
        self.register_buffer("frequency", _double(frequency))

    def forward(self, values: Tensor) -> Tensor:
        """`(n, bits)` outputs."""
        return torch.cos(values[:, self.side] * self.frequency)


def tail_of(hasher: Hasher) -> Tail:
    """The hash function of a fitted shallow hasher, from features to outputs.

    It is put together from what the method has learned, and compared with what the method
    computes: one that is made otherwise is refused rather than exported wrongly.

    Raises:
        InputError: if the method's hash function is none of those known here.
    """
    refusal = InputError(
        f"the hash function of {hasher.name} is none that can be exported: its codes come from "
        "`hashbench encode` alone"
    )
    try:
        tail = Tail(*_steps(hasher)).eval()
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise refusal from error
    dim = hasher.feature_dim() or 1
    generator = np.random.default_rng(0)
    features = generator.normal(size=(64, dim)).astype(np.float32)
    wanted = hasher.encode(items_from_features(features)).relaxed
    with torch.no_grad():
        found = tail(torch.from_numpy(features)).numpy()
    if wanted is None or wanted.shape != found.shape:
        raise refusal
    if not np.abs(found - wanted).max() <= ROUNDING * max(1.0, float(np.abs(wanted).max())):
        raise refusal
    return tail


def _steps(hasher: Any) -> list[nn.Module]:
    learned = hasher.learned()
    if "directions_" in learned:  # spectral hashing
        directions = learned["directions_"]
        return [
            Affine(learned["mean_"]),
            Project(directions, len(directions)),
            Affine(learned["low_"]),
            Waves(learned["side_"], learned["frequency_"]),
        ]
    weights = learned["projection_"]
    if "kernel_" in learned:
        kernel = learned["kernel_"]
        steps = _unit(kernel._prepare)
        steps.append(Kernel(kernel.anchors, kernel._denominator))
        if "means_" in learned:
            steps.append(Affine(learned["means_"]))
        return [*steps, Project(weights, len(kernel.anchors))]
    if "prepare_" in learned:
        return [*_unit(learned["prepare_"]), Project(weights, len(weights))]
    if "scaler_" in learned:
        return [_scaled(learned["scaler_"]), Project(weights, len(weights))]
    return [Affine(learned["mean_"]), Project(weights, len(weights))]


def _unit(prepare: Any) -> list[nn.Module]:
    return [_scaled(prepare._scaler), Unit()]


def _scaled(scaler: Any) -> nn.Module:
    return Affine(scaler.mean_, scaler.scale_)


def _double(values: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.asarray(values, np.float64)))
