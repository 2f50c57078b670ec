"""Pairwise supervision: who is similar to whom, how pairs are weighted, how they are averaged.

Every pair quantity here leaves out the diagonal: an item says nothing about itself.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def similarity(labels: Tensor) -> Tensor:
    """`(n, n)` of 0 and 1: whether two items share at least one positive label.

    Numbers, not bool: on a CPU, choosing by a product takes a tenth of `torch.where`'s time.

    Args:
        labels: `(n, classes)` multi-hot float labels.
    """
    return (labels @ labels.T).clamp(max=1)


def jaccard(labels: Tensor) -> Tensor:
    """`(n, n)` float: shared labels over all labels of a pair; 0 where neither has any."""
    shared = labels @ labels.T
    count = labels.sum(1)
    return shared / (count[:, None] + count[None, :] - shared).clamp(min=1)


def pair_mean(values: Tensor) -> Tensor:
    """Mean of `(n, n)` pair values over the pairs of distinct items; 0 without any."""
    count = len(values)
    # Behind the first value, rows of n + 1 of which the last lies on the diagonal.
    distinct = values.reshape(-1)[1:].view(max(count - 1, 0), count + 1)[:, :-1]
    return distinct.sum() / max(count * (count - 1), 1)


def logistic(inner: Tensor, similar: Tensor) -> Tensor:
    """Negative log-likelihood of s under p(s=1) = sigmoid(inner), pair by pair.

    log(1 + exp(t)) - s t, as softplus(-t) for similar and softplus(t) for
    dissimilar pairs: exact for any t, where the literal form overflows.

    Args:
        inner: `(n, n)` t.
        similar: `(n, n)` s, of 0 and 1.
    """
    return functional.softplus((1 - 2 * similar) * inner)


def drawn_negatives(similar: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """For each ordered pair, one item that is dissimilar to its first, drawn anew; and which count.

    Args:
        similar: `(n, n)` of 0 and 1.
        generator: of the draws.

    Returns:
        `(n, n)` positions of the items drawn, and `(n, n)` bool: pairs of distinct
        similar items whose first has a dissimilar one, which are the triplets there are.
    """
    itself = torch.eye(len(similar), dtype=torch.bool, device=similar.device)
    positive, negative = (similar > 0) & ~itself, similar == 0
    anchors = negative.any(1, keepdim=True)
    drawn = torch.multinomial(
        torch.where(anchors, negative, True).float(),
        len(similar),
        replacement=True,
        generator=generator,
    )
    return drawn, positive & anchors
