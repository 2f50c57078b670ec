"""DTSH: deep supervised hashing with triplet labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional

from hashbench.hyper import number
from hashbench.methods.binary import signs
from hashbench.methods.pairs import drawn_negatives, similarity
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class DTSH(DeepHasher):
    """Logistic likelihood of triplets: a positive is more alike than a negative by a margin.

        L = mean over triplets (i, p, n) of log(1 + exp(-(theta_ip - theta_in - alpha)))
        Q = mean_ik (u_ik - sgn(u_ik))^2

    minimising L + lambda Q, theta_ij = <u_i, u_j>/2, u = z without any
    activation. The mean is taken over an anchor's triplets first, then over
    the anchors that have any.

    As in the authors' code theta is halved and alpha is half the code length;
    their eta of 100 for 22,500 triplets an anchor is our lambda of 0.2 at 48
    bits. Ours: triplets are drawn within the batch, every similar pair meeting
    one item drawn anew that is dissimilar to its anchor. Nothing is clamped.

    Args:
        margin: alpha as a share of the code length.
        quantization: lambda, the weight of Q.
    """

    name = "dtsh"
    title = "DTSH"
    year = 2016
    summary = "logistic likelihood of triplets of inner products"
    citation = "Wang, Shi, Kitani: Deep Supervised Hashing with Triplet Labels. ACCV 2016"
    bibtex = """@inproceedings{wang2016dtsh,
  author    = {Xiaofang Wang and Yi Shi and Kris M. Kitani},
  title     = {Deep Supervised Hashing with Triplet Labels},
  booktitle = {Asian Conference on Computer Vision (ACCV)},
  year      = {2016},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "margin": [0.1, 0.25, 0.75, 1.0],
        "quantization": [0.05, 0.2],
    }

    margin: float = number(0.5, low=0)
    quantization: float = number(0.2, low=0)

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L + lambda Q; L is 0 for a batch without any triplet."""
        theta = outputs @ outputs.T / 2
        drawn, valid = drawn_negatives(similarity(labels), step.generator)
        ahead = theta - theta.gather(1, drawn) - self.margin * self.bits
        triplets = (functional.softplus(-ahead) * valid).sum(1) / valid.sum(1).clamp(min=1)
        anchors = valid.any(1).sum().clamp(min=1)
        gap = (outputs - signs(outputs)).square().mean()
        return triplets.sum() / anchors + self.quantization * gap
