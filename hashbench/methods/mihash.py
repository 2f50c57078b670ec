"""MIHash: hashing with mutual information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from hashbench.hyper import number, whole
from hashbench.methods.pairs import similarity
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step

#: Added to a probability within its logarithm: the slope of p log p is infinite at 0.
SMALLEST = 1e-12


@dataclass(kw_only=True, eq=False)
class MIHash(DeepHasher):
    """Mutual information of an item's distances to others and of being similar to them.

        L = -mean_i [H(D_i) - sum_s p_i(s) H(D_i | s)],  d_ij = (K - <u_i, u_j>)/2

    with u = tanh(a z / 2). D_i is the histogram of i's distances to the rest of
    the batch, s whether they are similar; each distance falls into its two
    nearest bins by a triangular kernel. Entropies are in bits.

    An item that is similar to all or to none has nothing to tell them by, and
    counts with information 0. Several labels: a pair is similar if it shares one.

    Args:
        bins: intervals of the histogram; None for half the code length.
        slope: a, of the sigmoid.
    """

    name = "mihash"
    title = "MIHash"
    year = 2017
    summary = "mutual information of distances and similarity, by soft histograms"
    citation = (
        "Cakir, He, Bargal, Sclaroff: MIHash: Online Hashing with Mutual Information. ICCV 2017"
    )
    bibtex = """@inproceedings{cakir2017mihash,
  author    = {Fatih Cakir and Kun He and Sarah Adel Bargal and Stan Sclaroff},
  title     = {{MIHash}: Online Hashing with Mutual Information},
  booktitle = {IEEE International Conference on Computer Vision (ICCV)},
  year      = {2017},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "slope": [0.3, 0.5, 0.7, 1.4, 2.0, 3.0, 5.0, 10.0],
    }

    bins: int | None = whole(None)
    slope: float = number(1.0, above=0)

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L."""
        codes = torch.tanh(self.slope * outputs / 2)
        bins = self.intervals
        place = ((self.bits - codes @ codes.T) / 2).clamp(0, self.bits) * (bins / self.bits)
        low = place.detach().nan_to_num().floor().clamp(max=bins - 1)
        similar = similarity(labels)
        others = 1 - torch.eye(len(codes)).to(similar)
        counts = []
        for kind in (similar * others, (1 - similar) * others):
            parts = [(1 - (place - low)) * kind, (place - low) * kind]
            empty = place.new_zeros(len(codes), bins + 1)
            filled = empty.scatter_add(1, low.long(), parts[0])
            counts.append(filled.scatter_add(1, low.long() + 1, parts[1]))
        total = max(len(codes) - 1, 1)
        information = entropy((counts[0] + counts[1]) / total)
        for count in counts:
            size = count.detach().sum(1, keepdim=True).round()
            information = information - size[:, 0] / total * entropy(count / size.clamp(min=1))
        return -information.mean()

    @property
    def intervals(self) -> int:
        """How many bins, or their default for the code length."""
        return self.bins or max(self.bits // 2, 1)

    def in_use(self) -> dict[str, Any]:
        """The recipe's, and the number of bins."""
        return super().in_use() | {"bins": self.intervals}


def entropy(probabilities: Tensor) -> Tensor:
    """`(n,)` entropies of `(n, bins)` distributions, in bits."""
    return -(probabilities * torch.log2(probabilities + SMALLEST)).sum(1)
