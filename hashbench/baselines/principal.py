"""Principal directions of a training set: what PCAH, ITQ and SH begin with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

#: Variances below this share of the largest are rounding noise around zero.
_NO_VARIANCE = 1e-10


def principal_directions(
    features: NDArray[np.floating], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions of largest variance, in float64 so that they hardly move with the last place.

    Args:
        features: `(n, dim)` training features.
        count: how many directions are wanted.

    Returns:
        the `(dim,)` mean, and `(dim, rank)` orthonormal directions, largest variance
        first, each with its largest entry positive; rank is at most `count` and leaves
        out directions without variance.
    """
    rows = features.astype(np.float64)
    mean = rows.mean(axis=0)
    rows -= mean
    n, dim = rows.shape
    # The smaller of the two Gram matrices has the same eigenvalues.
    gram = rows.T @ rows if dim <= n else rows @ rows.T
    size = len(gram)
    values, vectors = eigh(gram, subset_by_index=[max(0, size - count), size - 1])
    kept = np.flatnonzero(values > _NO_VARIANCE * max(values[-1], 0.0))[::-1]
    directions = vectors[:, kept] if dim <= n else rows.T @ vectors[:, kept]
    directions /= np.linalg.norm(directions, axis=0)
    largest = directions[np.argmax(np.abs(directions), axis=0), np.arange(len(kept))]
    return mean, directions * np.sign(largest)
