"""Binary class centres by Fisher's criterion: near their items, far from each other (DFH)."""

from __future__ import annotations

import torch
from torch import Tensor

#: The authors' step length.
RATE = 0.03


def refit(
    centres: Tensor,
    labels: Tensor,
    codes: Tensor,
    separation: float,
    binarity: float,
    steps: int,
) -> Tensor:
    """Relaxed centres v, `(classes, bits)`, after some steps of gradient descent.

    They minimise

        mean_ik (sum_{c in y_i} v_ck - b_ik)^2
            + separation mean_cd (v_c . v_d - K (2 [c = d] - 1))^2
            + binarity mean_ck (v_ck - sgn v_ck)^2

    Steps are the authors', or shorter where those would diverge: with few classes and many bits.

    Args:
        centres: `(classes, bits)` v to begin with.
        labels: `(n, classes)` multi-hot.
        codes: `(n, bits)` b, of -1 and +1.
        separation: weight of the second term.
        binarity: weight of the third term.
        steps: how many.
    """
    count, bits = centres.shape
    wanted = bits * (2 * torch.eye(count).to(centres) - 1)
    # Twice the curvature the three terms can have while entries are about 1.
    exact = torch.float32 if labels.device.type == "mps" else torch.float64
    curvature = (  # a tensor: a number would have to be read back from a GPU
        4 * labels.sum(1).mean().to(exact) / bits
        + 32 * separation * bits / count
        + 4 * binarity / centres.numel()
    )
    rate = 1 / curvature.clamp(min=1 / RATE)
    for _ in range(steps):
        slope = 2 * labels.T @ (labels @ centres - codes) / codes.numel()
        gaps = centres @ centres.T - wanted
        slope = slope + 4 * separation / count**2 * gaps @ centres
        slope = slope + 2 * binarity / centres.numel() * (centres - centres.sign())
        centres = centres - rate * slope
    return centres
