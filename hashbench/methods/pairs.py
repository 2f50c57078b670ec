"""Pairwise supervision: who is similar to whom, how pairs are weighted, how they are averaged.

Every pair quantity here leaves out the diagonal: an item says nothing about itself.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def similarity(labels: Tensor) -> Tensor:
    """`(n, n)` bool: whether two items share at least one positive label.

    Args:
        labels: `(n, classes)` multi-hot float labels.
    """
    return labels @ labels.T > 0


def jaccard(labels: Tensor) -> Tensor:
    """`(n, n)` float: shared labels over all labels of a pair; 0 where neither has any."""
    shared = labels @ labels.T
    count = labels.sum(1)
    return shared / (count[:, None] + count[None, :] - shared).clamp(min=1)


def pair_mean(values: Tensor) -> Tensor:
    """Mean of `(n, n)` pair values over the pairs of distinct items; 0 without any."""
    count = len(values)
    distinct = values.masked_fill(torch.eye(count, dtype=torch.bool, device=values.device), 0)
    return distinct.sum() / max(count * (count - 1), 1)


def logistic(inner: Tensor, similar: Tensor) -> Tensor:
    """Negative log-likelihood of s under p(s=1) = sigmoid(inner), pair by pair.

    log(1 + exp(t)) - s t, as softplus(-t) for similar and softplus(t) for
    dissimilar pairs: exact for any t, where the literal form overflows.
    """
    return functional.softplus(torch.where(similar, -inner, inner))


def drawn_negatives(similar: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """For each ordered pair, one item that is dissimilar to its first, drawn anew; and which count.

    Args:
        similar: `(n, n)` bool.
        generator: of the draws.

    Returns:
        `(n, n)` positions of the items drawn, and `(n, n)` bool: pairs of distinct
        similar items whose first has a dissimilar one, which are the triplets there are.
    """
    itself = torch.eye(len(similar), dtype=torch.bool, device=similar.device)
    positive, negative = similar & ~itself, ~similar
    anchors = negative.any(1, keepdim=True)
    drawn = torch.multinomial(
        torch.where(anchors, negative, True).float(),
        len(similar),
        replacement=True,
        generator=generator,
    )
    return drawn, positive & anchors
