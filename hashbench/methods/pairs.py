"""Pairwise supervision: who is similar to whom, how pairs are weighted, how they are averaged.

Every pair quantity here leaves out the diagonal: an item says nothing about itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

#: Rows of the pair matrix counted at once; bounds memory at `BLOCK * groups` floats.
BLOCK = 1024


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


@dataclass(frozen=True)
class PairBalance:
    """Class-balance weights of pairs (DCH eq 2): |S|/|S1| and |S|/|S0|.

    Counted over all ordered pairs of distinct training items, so that a batch's
    chance composition does not move them. A kind of pair that does not occur
    has weight 0.

    Attributes:
        similar: weight of a similar pair.
        dissimilar: weight of a dissimilar pair.
    """

    similar: float
    dissimilar: float

    @classmethod
    def of(cls, labels: Tensor) -> PairBalance:
        """The weights of an `(n, classes)` multi-hot training set.

        Items of one label vector are counted as one group: no n x n matrix.
        """
        # On the CPU: Apple's GPUs have no float64.
        groups, sizes = torch.unique(labels.cpu(), dim=0, return_counts=True)
        groups, weight = groups.float(), sizes.double()
        similar = sum(
            float(weight[start : start + BLOCK] @ ((part @ groups.T) > 0).double() @ weight)
            for start in range(0, len(groups), BLOCK)
            for part in (groups[start : start + BLOCK],)
        ) - float(weight[groups.sum(1) > 0].sum())  # items similar to themselves
        pairs = float(len(labels)) * (len(labels) - 1)
        dissimilar = pairs - similar
        return cls(pairs / similar if similar else 0.0, pairs / dissimilar if dissimilar else 0.0)

    def weights(self, similar: Tensor) -> Tensor:
        """The weight of each pair of an `(n, n)` bool similarity matrix."""
        return torch.where(similar, self.similar, self.dissimilar)


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
