"""The rotation of iterative quantisation: real outputs towards the corners of the cube."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def itq_rotation(
    outputs: NDArray[np.floating], bits: int, iterations: int, generator: np.random.Generator
) -> tuple[NDArray[np.float64], list[float]]:
    """The rotation that brings real outputs nearest to binary codes.

    Outputs of rank below `bits` stand for `(n, bits)` outputs padded with zero
    columns: only the first `rank` rows of the `(bits, bits)` rotation meet
    anything but zeros, and only they are kept.

    Args:
        outputs: `(n, rank)`, rank at most `bits`.
        bits: code length.
        iterations: alternations.
        generator: draws the first rotation.

    Returns:
        `(rank, bits)` matrix with orthonormal rows, and `||B - V R||_F^2` after
        each iteration.
    """
    values = outputs.astype(np.float64)
    rank = values.shape[1]
    first, _ = np.linalg.qr(generator.standard_normal((bits, bits)))
    rotation = first[:rank]
    history = []
    for _ in range(iterations):
        codes = np.where(values @ rotation > 0, 1.0, -1.0)
        # Procrustes: argmax tr(R^T V^T B) is U W^T for the SVD U S W^T of V^T B.
        left, _, right = np.linalg.svd(values.T @ codes, full_matrices=False)
        rotation = left @ right
        history.append(float(np.sum((codes - values @ rotation) ** 2)))
    return rotation, history
