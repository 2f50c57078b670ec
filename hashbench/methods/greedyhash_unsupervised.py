"""GreedyHash without labels: hard codes that keep the cosines of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.hyper import number
from hashbench.methods.binary import straight_through
from hashbench.methods.features import Centred, cosine_gap
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class GreedyHashUnsupervised(DeepHasher):
    """Sign forwards, identity backwards, on the cosines of features.

        L = mean_{i != j} (cos(b_i, b_j) - cos(x_i, x_j))^2 + alpha mean_ik ||z_ik| - 1|^3

    with b = sgn(z). Ours: all pairs of a batch, where the authors pair its first half
    with its second; and features x about their training mean (`Centred`).

    Args:
        penalty: alpha.
        centred: False for the published cosines.
    """

    name = "greedyhash-unsupervised"
    title = "GreedyHash (unsupervised)"
    year = 2018
    summary = "unsupervised: cosines of features kept by signs, the gradient straight through"
    citation = (
        "Su, Zhang, Han, Tian: Greedy Hash: Towards Fast Optimization for Accurate Hash "
        "Coding in CNN. NeurIPS 2018"
    )
    bibtex = """@inproceedings{su2018greedyhash,
  author    = {Shupeng Su and Chao Zhang and Kai Han and Yonghong Tian},
  title     = {Greedy Hash: Towards Fast Optimization for Accurate Hash Coding in {CNN}},
  booktitle = {Advances in Neural Information Processing Systems (NeurIPS)},
  year      = {2018},
}"""
    supervised = False
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "penalty": [0.001, 0.003, 0.01, 0.03, 0.2, 0.3, 0.5, 1.0],
    }

    penalty: float = number(0.1, low=0)
    centred: bool = True

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """What centres the features, or leaves them."""
        return Centred(features) if self.centred else nn.Identity()

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L."""
        gap = (outputs.abs() - 1).abs().pow(3).mean()
        codes = straight_through(outputs)
        return cosine_gap(codes, step.state(step.features)) + self.penalty * gap
