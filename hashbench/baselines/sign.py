"""Sign: the signs of centred features, what a code is worth before anything is learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from hashbench.baselines.base import ShallowHasher


@dataclass(kw_only=True, repr=False, eq=False)
class Sign(ShallowHasher):
    """A floor: bit k is 1 where a feature is above its training mean. Labels are not used.

    With fewer bits than features, a random subset of the features that vary in
    training, without repetition; with more, all of them, and for the bits left over
    signs of random hyperplanes through the mean, as in LSH.

    Args:
        bits: code length.
        seed: draws the subset and the hyperplanes.

    Attributes:
        scaler_: the fitted standardisation; a sign does not depend on the scale.
        projection_: `(dim, bits)` float64, a one in every column, or a hyperplane.
    """

    name: ClassVar[str] = "sign"
    title: ClassVar[str] = "Sign"
    role: ClassVar[Literal["method", "floor"]] = "floor"
    supervised: ClassVar[bool] = False
    summary: ClassVar[str] = "signs of centred features: what a code is worth without learning"
    citation: ClassVar[str] = "a floor of hashbench"

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.scaler_ = StandardScaler().fit(features)
        varying = np.flatnonzero(np.ptp(features, axis=0) > 0)
        chosen = self._generator("subset").permutation(varying)[: self.bits]
        shape = (features.shape[1], self.bits)
        self.projection_ = self._generator("hyperplanes").standard_normal(shape)
        self.projection_[:, : len(chosen)] = 0.0
        self.projection_[chosen, np.arange(len(chosen))] = 1.0

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        return self.scaler_.transform(features).astype(np.float64) @ self.projection_
