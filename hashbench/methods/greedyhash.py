"""GreedyHash: signs forwards, the identity backwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.hyper import number
from hashbench.methods.binary import straight_through
from hashbench.methods.classes import cross_entropy
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class GreedyHash(DeepHasher):
    """Cross-entropy of a linear classifier that sees the signs of the outputs.

        L = -mean_i log softmax(W sgn(z_i))_{y_i} + alpha mean_ik ||z_ik| - 1|^3

    The gradient of sgn(z) is passed to z as it is; the second term keeps z near
    its signs. W has no bias, is trained with the hash layer, and is forgotten.

    Several labels share the target distribution equally; the paper has single
    labels, and one public port reads the first label alone. Items without a
    label are left out of the cross-entropy.

    Args:
        penalty: alpha; the authors have 0.1 on CIFAR-10 and 1 on ImageNet.
    """

    name = "greedyhash"
    title = "GreedyHash"
    year = 2018
    summary = "a classifier on the signs, whose gradient is passed straight through"
    citation = (
        "Su, Zhang, Han, Tian: Greedy Hash: Towards Fast Optimization for Accurate Hash Coding "
        "in CNN. NeurIPS 2018"
    )
    bibtex = """@inproceedings{su2018greedyhash,
  author    = {Shupeng Su and Chao Zhang and Kai Han and Yonghong Tian},
  title     = {Greedy Hash: Towards Fast Optimization for Accurate Hash Coding in {CNN}},
  booktitle = {Advances in Neural Information Processing Systems (NeurIPS)},
  year      = {2018},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "penalty": [0.001, 0.003, 0.01, 0.03, 0.3, 1.0, 3.0, 10.0],
    }

    penalty: float = number(0.1, low=0)

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The classifier W."""
        return nn.Linear(self.bits, labels.shape[1], bias=False)

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L."""
        logits = step.state(straight_through(outputs))
        return (
            cross_entropy(logits, labels) + self.penalty * (outputs.abs() - 1).abs().pow(3).mean()
        )
