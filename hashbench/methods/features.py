"""What unsupervised losses take from features: how alike two items look."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.methods.classes import directions
from hashbench.methods.pairs import pair_mean

#: Rows of the distance matrix made at once.
BLOCK = 1024
#: Bins of the histogram of cosine distances, 0.01 wide over [0, 2].
BINS = 200


def cosines(vectors: Tensor) -> Tensor:
    """`(n, n)` cosines of `(n, dim)` vectors; 0 for a vector of zeros."""
    ways = directions(vectors)
    return ways @ ways.T


def cosine_gap(codes: Tensor, features: Tensor) -> Tensor:
    """Mean over pairs of distinct items of (cos(b_i, b_j) - cos(x_i, x_j))^2."""
    return pair_mean((cosines(codes) - cosines(features)).square())


class Centred(nn.Module):
    """Features minus their mean over the training set, for `DeepHasher.loss_state`.

    Features that are never negative all have large cosines with each other. Codes that
    keep them crowd into few balls, their bits nearly constant; about the mean, balanced
    bits can keep them.

    Args:
        features: `(n, dim)` of the training set.
    """

    mean: Tensor

    def __init__(self, features: NDArray[np.float32]) -> None:
        super().__init__()
        mean = features.mean(0, dtype=np.float64).astype(np.float32)
        self.register_buffer("mean", torch.from_numpy(mean))

    def forward(self, features: Tensor) -> Tensor:
        """`(n, dim)` centred features."""
        return features - self.mean


def half_gaussians(features: Tensor) -> tuple[float, float, float]:
    """The mode of the cosine distances of distinct items, and the deviations left and right of it.

    The mode is the lower edge of the fullest bin. Each side, mirrored at the mode, is a
    Gaussian whose deviation is the root mean square distance from it.
    """
    ways = directions(features.double())
    parts = [slice(start, start + BLOCK) for start in range(0, len(features), BLOCK)]

    def distances(part: slice) -> Tensor:
        found = (1 - ways[part] @ ways.T).clamp(0, 2)
        others = torch.ones_like(found, dtype=torch.bool)
        rows = torch.arange(len(found))
        others[rows, rows + part.start] = False
        return found[others]

    counts = sum(torch.histc(distances(part), BINS, 0, 2) for part in parts)
    mode = 2 / BINS * int(torch.as_tensor(counts).argmax())
    squares, numbers = torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    for part in parts:
        gaps = distances(part) - mode
        for side, chosen in enumerate((gaps <= 0, gaps > 0)):
            squares[side] += gaps[chosen].square().sum()
            numbers[side] += chosen.sum()
    left, right = (squares / numbers.clamp(min=1)).sqrt().tolist()
    return mode, left, right
