"""ITQ: principal components, rotated towards the corners of the cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hashbench.baselines.base import ShallowHasher
from hashbench.baselines.principal import principal_directions
from hashbench.baselines.rotation import itq_rotation
from hashbench.hyper import whole


@dataclass(kw_only=True, repr=False, eq=False)
class ITQ(ShallowHasher):
    """Iterative quantisation of principal components (Gong & Lazebnik, CVPR 2011).

    Centred features are projected onto the `bits` directions of largest variance,
    and an orthogonal rotation is learnt that minimises `||B - V R||_F^2`,
    alternating between `B = sgn(V R)` and the Procrustes solution for `R`
    (section 2.2 of the paper). Labels are not used.

    Where the training set has a rank below `bits`, the rotation spreads its
    components over all bits, which is what the paper's rotation does with components
    of variance zero.

    Args:
        bits: code length.
        seed: draws the first rotation.
        iterations: alternations of the rotation.

    Attributes:
        mean_: `(dim,)` float64 training mean.
        projection_: `(dim, bits)` float64, directions times rotation.
        objective_: `||B - V R||_F^2` after each iteration; never rises.
    """

    name: ClassVar[str] = "itq"
    title: ClassVar[str] = "ITQ"
    year: ClassVar[int] = 2011
    supervised: ClassVar[bool] = False
    summary: ClassVar[str] = "principal components, rotated to fit binary codes"
    citation: ClassVar[str] = "Gong, Lazebnik, CVPR 2011"
    bibtex: ClassVar[str] = """@inproceedings{gong2011itq,
  author    = {Yunchao Gong and Svetlana Lazebnik},
  title     = {Iterative Quantization: A {Procrustean} Approach to Learning Binary Codes},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2011},
}"""

    iterations: int = whole(50, low=0)

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.mean_, directions = principal_directions(features, self.bits)
        outputs = (features.astype(np.float64) - self.mean_) @ directions
        rotation, self.objective_ = itq_rotation(
            outputs, self.bits, self.iterations, self._generator("rotation")
        )
        self.projection_ = directions @ rotation

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        return (features.astype(np.float64) - self.mean_) @ self.projection_
