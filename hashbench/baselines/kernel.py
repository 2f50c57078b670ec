"""Radial basis functions around anchors: the features of the kernel methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler, normalize


class UnitRows:
    """Standardise by the training set, then scale every row to length 1.

    Both make distances comparable between backbones: standardised rows point
    all ways, and the mean squared distance of unit rows is then near 2.

    Args:
        features: `(n, dim)` training features.
    """

    def __init__(self, features: NDArray[np.floating]) -> None:
        self._scaler = StandardScaler().fit(features)

    def __call__(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        """Unit rows of `(n, dim)` features, in their own precision."""
        return normalize(self._scaler.transform(features), copy=False)


class AnchorKernel:
    """`k_j(x) = exp(-||x - a_j||^2 / (2 sigma^2))` for anchors `a_j`, on unit rows.

    The anchors are random training rows, and
    `sigma^2 = width^2 * mean ||x - a_j||^2` over all training rows and anchors;
    width 1 is the rule of Liu et al., CVPR 2012.

    Args:
        features: `(n, dim)` training features.
        anchors: how many anchors; all rows if there are fewer.
        width: bandwidth, relative to the root mean square distance.
        generator: draws the anchors.
    """

    def __init__(
        self,
        features: NDArray[np.floating],
        anchors: int,
        width: float,
        generator: np.random.Generator,
    ) -> None:
        self._prepare = UnitRows(features)
        rows = self._prepare(features)
        chosen = generator.choice(len(rows), min(anchors, len(rows)), replace=False)
        self.anchors = np.ascontiguousarray(rows[np.sort(chosen)])
        mean = float(squared_distances(rows, self.anchors).mean(dtype=np.float64))
        # Identical rows have no distances to take a scale from.
        self._denominator = 2.0 * width**2 * mean if mean > 0 else 1.0

    def __len__(self) -> int:
        return len(self.anchors)

    def __call__(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """`(n, anchors)` kernel values of `(n, dim)` features."""
        distances = squared_distances(self._prepare(features), self.anchors)
        return np.exp(distances.astype(np.float64) / -self._denominator)


def squared_distances(rows: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """`(n, m)` squared Euclidean distances of `(n, dim)` rows from `(m, dim)` others.

    Not 2 - 2 x.a even between unit rows: a row of zeros has length 0, not 1.
    """
    squares = np.sum(rows * rows, axis=1)[:, None] + np.sum(others * others, axis=1)
    return np.maximum(squares - 2.0 * (rows @ others.T), 0.0)
