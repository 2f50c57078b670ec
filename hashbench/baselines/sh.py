"""SH: signs of the analytic eigenfunctions of a box around the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hashbench.baselines.base import ShallowHasher
from hashbench.baselines.principal import principal_directions


@dataclass(kw_only=True, repr=False, eq=False)
class SH(ShallowHasher):
    """Spectral hashing (Weiss, Torralba, Fergus, NIPS 2008).

    The centred training set is taken for a uniform distribution on a box whose
    sides are its principal directions. The Laplacian of such a box has the
    eigenfunctions `cos(k pi (x - low) / range)` along each side, with eigenvalues
    `(k pi / range)^2`; the `bits` smallest over all sides and modes k = 1, 2, ... give
    the bits, 1 where the function is above 0 (section 3 of the paper). Labels are not used.

    Long sides get several modes before short ones get their first. As many sides as
    bits are looked at, or as the training set has; where it has none, every bit is 0.

    Args:
        bits: code length.
        seed: not used; nothing is drawn.

    Attributes:
        mean_: `(dim,)` float64 training mean.
        directions_: `(dim, sides)` float64 principal directions.
        low_: `(sides,)` float64 least training value along each.
        side_: `(bits,)` int64 side of each bit.
        frequency_: `(bits,)` float64 `k pi / range` of each bit, rising.
    """

    name: ClassVar[str] = "sh"
    title: ClassVar[str] = "SH"
    year: ClassVar[int] = 2008
    supervised: ClassVar[bool] = False
    summary: ClassVar[str] = "signs of the eigenfunctions of a box around the data"
    citation: ClassVar[str] = "Weiss, Torralba, Fergus, NIPS 2008"
    bibtex: ClassVar[str] = """@inproceedings{weiss2008sh,
  author    = {Yair Weiss and Antonio Torralba and Rob Fergus},
  title     = {Spectral Hashing},
  booktitle = {Advances in Neural Information Processing Systems (NIPS)},
  year      = {2008},
}"""

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.mean_, self.directions_ = principal_directions(features, self.bits)
        values = (features.astype(np.float64) - self.mean_) @ self.directions_
        self.low_ = values.min(axis=0)
        self.side_, self.frequency_ = smallest_modes(values.max(axis=0) - self.low_, self.bits)

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        if not len(self.side_):
            return np.zeros((len(features), self.bits))
        values = (features.astype(np.float64) - self.mean_) @ self.directions_ - self.low_
        return np.cos(values[:, self.side_] * self.frequency_)


def smallest_modes(
    ranges: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The sides and frequencies `k pi / range` of the `count` smallest eigenvalues of a box.

    Args:
        ranges: `(sides,)` length of each side, above 0.
        count: how many are wanted; fewer sides have more modes each.
    """
    # The longest side alone has `count` modes below any beyond its `count`-th.
    frequencies = np.pi * np.arange(1, count + 1)[:, None] / ranges
    sides = np.broadcast_to(np.arange(len(ranges)), frequencies.shape)
    order = np.lexsort((sides.ravel(), frequencies.ravel()))[:count]
    return sides.ravel()[order], frequencies.ravel()[order]
