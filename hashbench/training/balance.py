"""Class-balance weights of a training set's pairs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: Rows of the pair matrix counted at once; bounds memory at `BLOCK * groups` floats.
BLOCK = 1024


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
        """The weight of each pair of an `(n, n)` similarity matrix of 0 and 1."""
        return self.dissimilar + (self.similar - self.dissimilar) * similar
