"""ITQ-CCA: canonical correlation directions, rotated towards the corners of the cube."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from sklearn.preprocessing import StandardScaler
from sklearn.utils.extmath import svd_flip

from hashbench.baselines.base import ShallowHasher
from hashbench.baselines.rotation import itq_rotation
from hashbench.hyper import number, whole

#: What the authors' code adds to the diagonal of X^T X.
_PUBLISHED_RIDGE = 1e-4
#: Added to Y^T Y so that classes without an image do not make it singular.
_LABEL_RIDGE = 1e-4
#: Correlations below this are rounding noise around zero.
_NO_CORRELATION = 1e-6


@dataclass(kw_only=True, repr=False, eq=False)
class ITQCCA(ShallowHasher):
    """Iterative quantisation on canonical correlation analysis.

    Features are standardised by the training set. The `bits` directions of
    largest canonical correlation with the labels are each scaled by their
    correlation, and an orthogonal rotation is learnt that minimises
    `||B - V R||_F^2`, alternating between `B = sgn(V R)` and the Procrustes
    solution for `R` (Gong & Lazebnik, TPAMI 2013, section 3 and equation 2).

    With `c` classes at most `c` correlations differ from zero; the scaling
    gives every further direction weight zero, so that the rotation spreads the
    label signal over all bits instead of diluting it with noise.

    Args:
        bits: code length.
        seed: draws the first rotation.
        ridge: added to the diagonal of the features' covariance, whose own
            diagonal is 1; "published" is the authors' 1e-4 on that of `X^T X`, which
            is 1e-4 / n here.
        scaling: power of the correlation that scales a direction: 1 as
            published; more spends the bits of long codes on fewer directions,
            which makes codes of one class meet more often within a small radius.
        iterations: alternations of the rotation.

    Attributes:
        scaler_: the fitted standardisation.
        correlations_: `(rank,)` canonical correlations in use, largest first.
        projection_: `(dim, bits)` float64, scaled directions times rotation.
        objective_: `||B - V R||_F^2` after each iteration; never rises.
    """

    name: ClassVar[str] = "itq-cca"
    title: ClassVar[str] = "ITQ-CCA"
    year: ClassVar[int] = 2011
    summary: ClassVar[str] = "canonical correlation directions, rotated to fit binary codes"
    citation: ClassVar[str] = "Gong, Lazebnik, Gordo, Perronnin, TPAMI 2013"
    bibtex: ClassVar[str] = """@inproceedings{gong2011itq,
  author    = {Yunchao Gong and Svetlana Lazebnik},
  title     = {Iterative Quantization: A {Procrustean} Approach to Learning Binary Codes},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2011},
}"""
    version: ClassVar[str] = "2"
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "ridge": [1.0, 10.0],
        "scaling": [0.0, 2.0, 4.0, 6.0],
    }

    ridge: float | str = number(1.0, above=0, words=("published",))
    scaling: float = number(1.0, low=0)
    iterations: int = whole(50, low=0)

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.scaler_ = StandardScaler().fit(features)
        scaled = self.scaler_.transform(features)
        ridge = _PUBLISHED_RIDGE / len(scaled) if self.ridge == "published" else float(self.ridge)
        directions, self.correlations_ = cca_directions(scaled, labels, ridge, self.bits)
        weights = directions * self.correlations_**self.scaling
        rotation, self.objective_ = itq_rotation(
            scaled @ weights, self.bits, self.iterations, self._generator("rotation")
        )
        self.projection_ = weights @ rotation

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        return self.scaler_.transform(features).astype(np.float64) @ self.projection_


def cca_directions(
    features: NDArray[np.floating], labels: NDArray[np.uint8], ridge: float, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions in feature space of largest canonical correlation with the labels.

    Solves `X^T Y (Y^T Y + rho I)^-1 Y^T X w = lambda^2 (X^T X + n ridge I) w`
    by a Cholesky factor of either side and the SVD of the `(dim, classes)`
    matrix between them, so that no `(dim, dim)` eigenproblem is solved.

    Args:
        features: `(n, dim)`, centred.
        labels: `(n, classes)` multi-hot.
        ridge: relative to the covariance `X^T X / n`.
        count: how many directions are wanted.

    Returns:
        `(dim, rank)` directions with `w^T (X^T X + n ridge I) w = n`, and their
        `(rank,)` correlations; rank is at most `count` and leaves out those
        without correlation.
    """
    n = len(features)
    # A small ridge is lost in the rounding of float32.
    rows, targets = features.astype(np.float64), labels.astype(np.float64)
    gram = rows.T @ rows / n
    gram[np.diag_indices_from(gram)] += ridge
    cross = rows.T @ targets / n
    label_gram = targets.T @ targets
    label_gram[np.diag_indices_from(label_gram)] += _LABEL_RIDGE
    lower = cholesky(gram, lower=True, overwrite_a=True)
    label_lower = np.linalg.cholesky(label_gram / n)
    whitened = solve_triangular(lower, cross, lower=True)
    whitened = solve_triangular(label_lower, whitened.T, lower=True).T
    left, correlations, right = np.linalg.svd(whitened, full_matrices=False)
    left, _ = svd_flip(left, right)
    rank = min(count, int(np.count_nonzero(correlations > _NO_CORRELATION)))
    directions = solve_triangular(lower, left[:, :rank], lower=True, trans="T")
    return directions, correlations[:rank]
