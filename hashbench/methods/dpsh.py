"""DPSH: deep pairwise-supervised hashing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.hyper import number
from hashbench.methods.bank import Bank, likelihood
from hashbench.methods.binary import signs
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class DPSH(DeepHasher):
    """Logistic likelihood of every pair of a batch's item with a training item.

        L = mean_ij w_ij [log(1 + exp(theta_ij)) - s_ij theta_ij],  theta_ij = <u_i, u_j>/2
        Q = mean_i |u_i - sgn(u_i)|^2

    minimising L + eta Q, u = z without any activation; j runs over all training
    items, with the outputs they had when last visited (`methods/bank.py`).

    The paper sums over pairs and items; the authors' code divides both terms by
    the number of training items, and with 5,000 of them its eta of 50 is our
    0.01. Several labels: a pair is similar if it shares one.

    Ours, as for every pair loss here: class-balance weights, because most pairs are
    dissimilar and a network that cannot tell the classes apart does best to push
    everything apart; `balanced=False` is the paper's.

    Args:
        quantization: eta, the weight of Q.
        balanced: weigh pairs by class balance.
    """

    name = "dpsh"
    title = "DPSH"
    year = 2016
    summary = "logistic pair likelihood against a memory of all training items"
    citation = (
        "Li, Wang, Kang: Feature Learning based Deep Supervised Hashing with Pairwise Labels. "
        "IJCAI 2016"
    )
    bibtex = """@inproceedings{li2016dpsh,
  author    = {Wu-Jun Li and Sheng Wang and Wang-Cheng Kang},
  title     = {Feature Learning based Deep Supervised Hashing with Pairwise Labels},
  booktitle = {International Joint Conference on Artificial Intelligence (IJCAI)},
  year      = {2016},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "quantization": [0.0, 0.001, 0.003, 0.03, 0.1, 0.3, 1.0, 3.0],
    }

    quantization: float = number(0.01, low=0)
    balanced: bool = True

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The memory of outputs."""
        return Bank(labels, self.bits)

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L + eta Q."""
        gap = (outputs - signs(outputs)).square().sum(1).mean()
        pairs = likelihood(outputs, labels, step, step.state, balanced=self.balanced)
        return pairs + self.quantization * gap
