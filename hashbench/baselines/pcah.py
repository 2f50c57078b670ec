"""PCAH: signs of principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hashbench.baselines.base import ShallowHasher
from hashbench.baselines.principal import principal_directions


@dataclass(kw_only=True, repr=False, eq=False)
class PCAH(ShallowHasher):
    """Principal component hashing, which has no paper of its own.

    Toolboxes that have it name none (willard-yuan/hashing-baseline-for-image-retrieval). We
    cite semi-supervised hashing (Wang, Kumar, Chang, CVPR 2010), which by its abstract
    weighs errors on labelled pairs against variance and independence of the bits: without
    labels that leaves the directions of the greatest variance. The text of the paper was
    not at hand.

    Bit k is 1 where the k-th principal component of the centred features is above 0. Later
    bits carry less and less variance; bits beyond the rank of the training set have none
    and are 0 for every item. Labels are not used.

    Args:
        bits: code length.
        seed: not used; nothing is drawn.

    Attributes:
        mean_: `(dim,)` float64 training mean.
        projection_: `(dim, bits)` float64 orthonormal directions, zeros beyond the rank.
    """

    name: ClassVar[str] = "pcah"
    title: ClassVar[str] = "PCAH"
    year: ClassVar[int] = 2010
    supervised: ClassVar[bool] = False
    summary: ClassVar[str] = "signs of principal components"
    citation: ClassVar[str] = "Wang, Kumar, Chang, CVPR 2010"
    bibtex: ClassVar[str] = """@inproceedings{wang2010pcah,
  author    = {Jun Wang and Sanjiv Kumar and Shih-Fu Chang},
  title     = {Semi-Supervised Hashing for Scalable Image Retrieval},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2010},
}"""

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.mean_, directions = principal_directions(features, self.bits)
        self.projection_ = np.zeros((features.shape[1], self.bits))
        self.projection_[:, : directions.shape[1]] = directions

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        return (features.astype(np.float64) - self.mean_) @ self.projection_
