"""IDHN: improved deep hashing with soft pairwise similarity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from hashbench.hyper import number
from hashbench.methods.pairs import pair_mean
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step

#: Cosines of labels this near to 0 or 1 are hard similarities, as in the authors' code.
HARD = 0.01


@dataclass(kw_only=True, eq=False)
class IDHN(DeepHasher):
    """Logistic loss for all-or-nothing similarity, squared loss for what lies between.

        L = mean_ij l_ij + lambda mean_ik ||h_ik| - 1|,      h = z / (1 + |z|)
        l_ij = log(1 + exp(t)) - s t, t = (alpha/K) h_i . h_j     where s = s_ij is 0 or 1
        l_ij = gamma K ((h_i . h_j + K) / (2K) - s)^2             elsewhere

    with s_ij the cosine of the two items' label vectors. Single-label data have hard
    pairs alone. Items without labels are similar to nobody. As the authors' code; a
    much copied port replaces (h_i . h_j + K) / 2K by terms that cannot reach s.

    Args:
        slope: alpha.
        soft: gamma, the weight of soft pairs.
        quantization: lambda.
    """

    name = "idhn"
    title = "IDHN"
    year = 2019
    summary = "logistic loss for hard pairs, squared loss for pairs that share some labels"
    citation = (
        "Zhang, Zou, Lin, Chen, Wang: Improved Deep Hashing with Soft Pairwise Similarity "
        "for Multi-label Image Retrieval. IEEE TMM 2019"
    )
    bibtex = """@article{zhang2019idhn,
  author    = {Zheng Zhang and Qin Zou and Yuewei Lin and Long Chen and Song Wang},
  title     = {Improved Deep Hashing with Soft Pairwise Similarity for Multi-label Image
               Retrieval},
  journal   = {IEEE Transactions on Multimedia},
  volume    = {22},
  number    = {2},
  pages     = {540--553},
  year      = {2019},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "slope": [1.0, 1.5, 2.5, 3.5, 7.0, 10.0, 14.0, 20.0],
    }

    slope: float = number(5.0, above=0)
    soft: float = number(0.1, low=0)
    quantization: float = number(0.1, low=0)

    def relax(self, outputs: Tensor) -> Tensor:
        """Softsign."""
        return functional.softsign(outputs)

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L."""
        codes = functional.softsign(outputs)
        directions = functional.normalize(labels, dim=1)
        shared = directions @ directions.T
        mean = codes @ codes.T / self.bits  # in [-1, 1]
        hard = (shared < HARD) | (shared > 1 - HARD)
        apart = functional.softplus(self.slope * mean) - shared * self.slope * mean
        between = self.soft * self.bits * ((mean + 1) / 2 - shared).square()
        gap = (codes.abs() - 1).abs().mean()
        return pair_mean(torch.where(hard, apart, between)) + self.quantization * gap
