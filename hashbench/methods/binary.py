"""Signs within a loss, whose gradient is 0 wherever it is defined."""

from __future__ import annotations

import torch
from torch import Tensor


def signs(outputs: Tensor) -> Tensor:
    """-1 or +1 for each output, as codes have it: the sign of 0 is -1. No gradient."""
    return torch.where(outputs.detach() > 0, 1.0, -1.0).to(outputs)


def straight_through(soft: Tensor, hard: Tensor | None = None) -> Tensor:
    """The values of `hard` forwards, by default the signs; backwards `soft` as it is.

    Exact however large `soft` is: soft + (hard - soft) would round `hard` away.
    """
    hard = signs(soft) if hard is None else hard
    return hard.detach() + (soft - soft.detach())
