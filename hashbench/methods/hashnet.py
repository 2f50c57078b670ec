"""HashNet: hashing by continuation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from hashbench.hyper import choice, number
from hashbench.methods.pairs import jaccard, logistic, pair_mean, similarity
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step

#: The paper's 10,000 iterations, beta raised every 200.
STAGES = 50


@dataclass(kw_only=True, eq=False)
class HashNet(DeepHasher):
    """Weighted logistic pair loss on tanh(beta z), beta growing towards sgn.

        L = mean_ij w_ij [log(1 + exp(alpha <g_i, g_j>)) - alpha s_ij <g_i, g_j>]

    with g = tanh(beta z), w_ij = c_ij times the class-balance weight, and c_ij
    the share of labels that two similar items have in common (1 for dissimilar
    ones). Continuation: beta = (1 + 0.005 t)^0.5 over t = 10,000 iterations,
    raised every 200; here the same 50 stages over a training of any length, so
    that the last of them has beta^2 = 50, one stage short of the end at 51.

    The released trainings, Caffe and PyTorch, halve the learning rate every 2,000
    iterations while beta rises, which `schedule=step` resembles from pixels; ours
    follows the recipe of every other method. They weigh similar pairs by
    |S|/|S1|, set by hand, and dissimilar ones by 1, whatever labels they share:
    `weights=released`.

    Args:
        slope: alpha times K; 10 as in the paper.
        beta: where the continuation ends; it starts at 1. No part of the search
            space: with an end near 1 there is no continuation left.
        weights: of pairs, the "paper"'s or those "released".
    """

    name = "hashnet"
    title = "HashNet"
    year = 2017
    summary = "weighted logistic pair loss on tanh(beta z) with growing beta"
    citation = "Cao, Long, Wang, Yu: HashNet: Deep Learning to Hash by Continuation. ICCV 2017"
    bibtex = """@inproceedings{cao2017hashnet,
  author    = {Zhangjie Cao and Mingsheng Long and Jianmin Wang and Philip S. Yu},
  title     = {{HashNet}: Deep Learning to Hash by Continuation},
  booktitle = {IEEE International Conference on Computer Vision (ICCV)},
  year      = {2017},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "slope": [1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 14.0, 20.0],
    }

    slope: float = number(10.0, above=0)
    beta: float = number(math.sqrt(51), low=1)
    weights: str = choice("paper", ("paper", "released"))

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """The weighted logistic loss at the current beta."""
        codes = torch.tanh(self.beta_at(step) * outputs)
        similar = similarity(labels)
        inner = self.slope / self.bits * (codes @ codes.T)
        if self.weights == "paper":
            common = 1 - similar + jaccard(labels)  # which is 0 where nothing is shared
            weights = step.balance.weights(similar) * common
        else:
            weights = 1 + (step.balance.similar - 1) * similar
        return pair_mean(weights * logistic(inner, similar))

    def beta_at(self, step: Step) -> float:
        """Beta at a step: beta^2 grows from 1 in equal stages."""
        stage = step.index * STAGES // max(step.total, 1) / STAGES
        return math.sqrt(1 + (self.beta**2 - 1) * stage)
