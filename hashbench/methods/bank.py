"""A memory of every training item's latest outputs: batches are paired with all of them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hashbench.training.step import Step


class Bank(nn.Module):
    """The outputs that each training item had when it was last in a batch, without gradients.

    Args:
        labels: `(n, classes)` of the training set.
        bits: code length.
    """

    outputs: Tensor
    labels: Tensor
    visited: Tensor

    def __init__(self, labels: NDArray[np.uint8], bits: int) -> None:
        super().__init__()
        self.register_buffer("outputs", torch.zeros(len(labels), bits))
        self.register_buffer("labels", torch.from_numpy(labels.astype(np.float32)))
        self.register_buffer("visited", torch.zeros(len(labels), dtype=torch.bool))

    def refresh(self, rows: Tensor, outputs: Tensor) -> None:
        """Remember a batch's outputs as those of `rows`."""
        self.outputs[rows] = outputs.detach().to(self.outputs)
        self.visited[rows] = True

    def partners(self, rows: Tensor) -> Tensor:
        """`(n, items)` of 0 and 1: the pairs of a batch's items with others that were visited."""
        pairs = self.visited.to(self.outputs).repeat(len(rows), 1)
        pairs[torch.arange(len(rows), device=rows.device), rows] = 0
        return pairs


def likelihood(
    outputs: Tensor, labels: Tensor, step: Step, bank: Bank, *, balanced: bool
) -> Tensor:
    """DPSH's negative log-likelihood of a batch's pairs with all items visited so far.

    mean_ij w_ij [log(1 + exp(theta_ij)) - s_ij theta_ij] with theta = <u_i, u_j>/2, u
    the outputs themselves; the bank is refreshed first. Items not visited yet are left
    out, where the authors' zeros would add log 2 without a gradient. w_ij are the
    class-balance weights if `balanced`, else 1.
    """
    bank.refresh(step.rows, outputs)
    inner = outputs @ (bank.outputs.to(outputs) / 2).T
    similar = (labels @ bank.labels.to(labels).T).clamp(max=1).to(outputs)
    pairs = bank.partners(step.rows)
    high, low = (step.balance.similar, step.balance.dissimilar) if balanced else (1.0, 1.0)
    # A million pairs a step: the cross-entropy of a sigmoid, exact for any theta, in one pass.
    total = functional.binary_cross_entropy_with_logits(
        inner, similar, weight=(low + (high - low) * similar) * pairs, reduction="sum"
    )
    return total / pairs.sum().clamp(min=1)


def mean_over(values: Tensor, chosen: Tensor) -> Tensor:
    """Mean of the finite `values` that a tensor of 0 and 1 chooses; 0 if it chooses none."""
    return (values * chosen).sum() / chosen.sum().clamp(min=1)
