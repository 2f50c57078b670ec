"""LSH: signs of random projections, the floor every learnt method must clear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from hashbench.baselines.base import ShallowHasher


@dataclass(kw_only=True, repr=False, eq=False)
class LSH(ShallowHasher):
    """Locality-sensitive hashing by random hyperplanes (Charikar, STOC 2002).

    Features are standardised by the training set, so that the hyperplanes pass
    through its mean; labels are not used.

    Args:
        bits: code length.
        seed: draws the hyperplanes.

    Attributes:
        scaler_: the fitted standardisation.
        projection_: `(dim, bits)` float64 standard normal hyperplanes.
    """

    name: ClassVar[str] = "lsh"
    title: ClassVar[str] = "LSH"
    year: ClassVar[int] = 2002
    role: ClassVar[Literal["method", "floor"]] = "floor"
    supervised: ClassVar[bool] = False
    summary: ClassVar[str] = "random hyperplanes: no learning, the floor of the field"
    citation: ClassVar[str] = "Charikar, STOC 2002"
    bibtex: ClassVar[str] = """@inproceedings{charikar2002lsh,
  author    = {Moses S. Charikar},
  title     = {Similarity Estimation Techniques from Rounding Algorithms},
  booktitle = {ACM Symposium on Theory of Computing (STOC)},
  year      = {2002},
}"""

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.scaler_ = StandardScaler().fit(features)
        shape = (features.shape[1], self.bits)
        self.projection_ = self._generator("hyperplanes").standard_normal(shape)

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        return self.scaler_.transform(features).astype(np.float64) @ self.projection_
