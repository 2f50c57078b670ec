"""The anchor graph: every item as weights on its nearest cluster centres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hashbench.baselines.kernel import UnitRows, squared_distances

#: Rounds of k-means: centres need to cover the data, not to settle.
_ROUNDS = 10


class AnchorGraph:
    """`Z_ij ~ exp(-||x_i - u_j||^2 / t)` on the nearest anchors of x_i, rows summing to 1.

    Anchors are centres of k-means on unit rows, and t is the squared mean distance to
    the last of the nearest anchors, the rule of Liu et al., ICML 2011.

    Args:
        features: `(n, dim)` training features.
        anchors: how many; all rows if there are fewer.
        nearest: anchors that represent an item.
        generator: draws the first centres.
    """

    def __init__(
        self,
        features: NDArray[np.floating],
        anchors: int,
        nearest: int,
        generator: np.random.Generator,
    ) -> None:
        self._prepare = UnitRows(features)
        rows = self._prepare(features).astype(np.float64)
        self.anchors = k_means(rows, min(anchors, len(rows)), generator)
        self._nearest = min(nearest, len(self.anchors))
        _, distances = self._closest(rows)
        scale = float(np.sqrt(distances[:, -1]).mean()) ** 2
        self._scale = scale if scale > 0 else 1.0

    def __len__(self) -> int:
        return len(self.anchors)

    def __call__(self, features: NDArray[np.floating]) -> csr_array:
        """`(n, anchors)` Z of `(n, dim)` features."""
        columns, distances = self._closest(self._prepare(features).astype(np.float64))
        # Relative to the nearest, so that the weights of a far item do not all vanish.
        weights = np.exp((distances[:, :1] - distances) / self._scale)
        weights /= weights.sum(axis=1, keepdims=True)
        starts = np.arange(len(columns) + 1) * self._nearest
        shape = (len(columns), len(self.anchors))
        return csr_array((weights.ravel(), columns.ravel(), starts), shape=shape)

    def _closest(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """`(n, nearest)` columns of the nearest anchors, nearest first, and squared distances."""
        squared = squared_distances(rows, self.anchors)
        columns = np.argsort(squared, axis=1, kind="stable")[:, : self._nearest]
        return columns, np.take_along_axis(squared, columns, axis=1)


def k_means(
    rows: NDArray[np.float64], count: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """`(count, dim)` centres of `(n, dim)` rows by Lloyd's rounds from random rows.

    A centre that no row is nearest to stays where it is.
    """
    centres = rows[np.sort(generator.choice(len(rows), count, replace=False))]
    places = np.arange(len(rows))
    for _ in range(_ROUNDS):
        owner = np.argmin(squared_distances(rows, centres), axis=1)
        members = csr_array((np.ones(len(rows)), (owner, places)), shape=(count, len(rows)))
        sizes = np.bincount(owner, minlength=count)[:, None]
        moved = np.where(sizes > 0, (members @ rows) / np.maximum(sizes, 1), centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres
