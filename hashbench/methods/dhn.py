"""DHN: deep hashing network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from hashbench.hyper import number
from hashbench.methods.pairs import logistic, pair_mean, similarity
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class DHN(DeepHasher):
    """Logistic pair loss, and the log cosh of each output's distance to -1 or +1.

        L = mean_ij w_ij [log(1 + exp(alpha <h_i, h_j>)) - alpha s_ij <h_i, h_j>]
        Q = mean_ik log cosh(|h_ik| - 1)

    minimising L + lambda Q, with h = tanh(z).

    The paper has alpha = 1, no weights (w = 1), and sums. Ours: alpha = 10/K,
    because the sigmoid is saturated once K outputs reach 1; class-balance
    weights, because dissimilar pairs are most pairs; means over entries, so
    that lambda means the same at every K.

    Args:
        slope: alpha times K.
        quantization: lambda, the weight of Q.
    """

    name = "dhn"
    title = "DHN"
    year = 2016
    summary = "logistic pair loss with a log cosh quantisation loss"
    citation = (
        "Zhu, Long, Wang, Cao: Deep Hashing Network for Efficient Similarity Retrieval. AAAI 2016"
    )
    bibtex = """@inproceedings{zhu2016dhn,
  author    = {Han Zhu and Mingsheng Long and Jianmin Wang and Yue Cao},
  title     = {Deep Hashing Network for Efficient Similarity Retrieval},
  booktitle = {AAAI Conference on Artificial Intelligence},
  year      = {2016},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "slope": [1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 14.0, 20.0],
    }

    slope: float = number(10.0, above=0)
    quantization: float = number(0.1, low=0)

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L + lambda Q."""
        codes = torch.tanh(outputs)
        similar = similarity(labels)
        inner = self.slope / self.bits * (codes @ codes.T)
        pairs = pair_mean(step.balance.weights(similar) * logistic(inner, similar))
        return pairs + self.quantization * log_cosh(codes.abs() - 1).mean()


def log_cosh(x: Tensor) -> Tensor:
    """Log of the hyperbolic cosine, without overflow."""
    return x.abs() + functional.softplus(-2 * x.abs()) - math.log(2)
