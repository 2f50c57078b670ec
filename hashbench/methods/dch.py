"""DCH: deep Cauchy hashing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from hashbench.hyper import number
from hashbench.methods.pairs import pair_mean, similarity
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step

#: Distances of dissimilar pairs are held above this: log(1 + gamma/d) is infinite at 0.
SMALLEST = 1e-6


@dataclass(kw_only=True, eq=False)
class DCH(DeepHasher):
    """Cauchy cross-entropy on normalised distances, and a Cauchy quantisation loss.

    With h = tanh(z) and d(a, b) = (K/2)(1 - cos(a, b)), eq 6 of the paper:

        L = mean_ij w_ij [s_ij log(d_ij/gamma) + log(1 + gamma/d_ij)]      (eq 8)
        Q = mean_i log(1 + d(|h_i|, 1)/gamma)                              (eq 9)

    minimising L + lambda Q (eq 7), w_ij the class-balance weights (eq 2). The
    paper has sums where this has means, so its lambda is another number.

    Args:
        gamma: scale of the Cauchy distribution, in bits of Hamming distance;
            None is 10 for the linear head and 20 for the MLP head.
        quantization: lambda, the weight of Q.
    """

    name = "dch"
    title = "DCH"
    year = 2018
    summary = "Cauchy cross-entropy: concentrates similar codes within a small Hamming ball"
    citation = "Cao, Long, Liu, Wang: Deep Cauchy Hashing for Hamming Space Retrieval. CVPR 2018"
    bibtex = """@inproceedings{cao2018dch,
  author    = {Yue Cao and Mingsheng Long and Bin Liu and Jianmin Wang},
  title     = {Deep {Cauchy} Hashing for {Hamming} Space Retrieval},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2018},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "gamma": [5.0, 14.0, 20.0, 40.0],
        "quantization": [0.01, 0.1],
    }

    gamma: float | None = number(None, above=0)
    quantization: float = number(0.1, low=0)

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """Eq 7."""
        codes = torch.tanh(outputs)
        similar = similarity(labels)
        pairs = self.pair_weights(similar, step) * self.pair_loss(codes, similar)
        return pair_mean(pairs) + self.quantization * self.quantization_loss(codes).mean()

    def pair_weights(self, similar: Tensor, step: Step) -> Tensor:
        """`(n, n)` weights of the pairs, eq 2."""
        return step.balance.weights(similar)

    def pair_loss(self, codes: Tensor, similar: Tensor) -> Tensor:
        """`(n, n)` unweighted pair losses, eq 8."""
        return cauchy_cross_entropy(hamming_cosine(codes), similar, self.scale)

    def quantization_loss(self, codes: Tensor) -> Tensor:
        """`(n,)` quantisation losses, eq 9."""
        bits = codes.shape[1]
        cosine = functional.normalize(codes, dim=1).abs().sum(1) / math.sqrt(bits)
        return torch.log1p(bits / 2 * (1 - cosine) / self.scale)

    @property
    def scale(self) -> float:
        """Gamma, or its default for the head."""
        if self.gamma is not None:
            return self.gamma
        return 10.0 if self.head == "linear" else 20.0

    def in_use(self) -> dict[str, Any]:
        """The recipe's, and gamma."""
        return super().in_use() | {"gamma": self.scale}


def hamming_cosine(codes: Tensor) -> Tensor:
    """`(n, n)` distances (K/2)(1 - cos), eq 6: the Hamming distance of codes of -1 and +1."""
    directions = functional.normalize(codes, dim=1)
    return codes.shape[1] / 2 * (1 - directions @ directions.T)


def cauchy_cross_entropy(distance: Tensor, similar: Tensor, gamma: float) -> Tensor:
    """Cross-entropy under p(s=1) = gamma/(gamma + d), pair by pair, eq 8.

    Similar pairs cost log(1 + d/gamma), dissimilar ones log(1 + gamma/d). The
    literal form is infinity minus infinity for a similar pair at d = 0, and
    rounding takes d to 0 and below once tanh saturates.
    """
    attract, repel = distance / gamma, gamma / distance.clamp(min=SMALLEST)
    # One logarithm of what counts; log(1 + x), which a CPU vectorises and log1p it does not.
    return torch.log(1 + similar * attract + (1 - similar) * repel)
