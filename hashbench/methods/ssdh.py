"""SSDH: semantic structure-based unsupervised deep hashing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.hyper import number
from hashbench.methods.features import cosines, half_gaussians
from hashbench.methods.pairs import pair_mean
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class SSDH(DeepHasher):
    """Pairs that look clearly alike or clearly unlike, learnt as pairs; others left alone.

        L = mean_{i != j} |s_ij| (h_i . h_j / K - s_ij)^2,      h = tanh(z)

    with d_ij the cosine distance of features and s_ij = 1 where d_ij < m - alpha sigma_l,
    -1 where d_ij > m + beta sigma_r, else 0. m is the mode of all distances of the training
    set, sigma_l and sigma_r the deviations of the half Gaussians left and right of it
    (`half_gaussians`, without the n x n matrix).

    Args:
        alpha: deviations below the mode that make a pair similar.
        beta: deviations above the mode that make a pair dissimilar.
    """

    name = "ssdh"
    title = "SSDH"
    year = 2018
    summary = "unsupervised: pairs clearly alike or unlike by their features' distances"
    citation = (
        "Yang, Deng, Liu, Liu, Tao: Semantic Structure-based Unsupervised Deep Hashing. IJCAI 2018"
    )
    bibtex = """@inproceedings{yang2018ssdh,
  author    = {Erkun Yang and Cheng Deng and Tongliang Liu and Wei Liu and Dacheng Tao},
  title     = {Semantic Structure-based Unsupervised Deep Hashing},
  booktitle = {International Joint Conference on Artificial Intelligence (IJCAI)},
  pages     = {1064--1070},
  year      = {2018},
}"""
    supervised = False
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "alpha": [1.0, 1.5, 2.5, 3.0],
        "beta": [1.0, 2.0],
    }

    alpha: float = number(2.0, low=0)
    beta: float = number(2.0, low=0)

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The two thresholds."""
        mode, left, right = half_gaussians(torch.from_numpy(features))
        state = nn.Module()
        state.register_buffer("near", torch.tensor(mode - self.alpha * left))
        state.register_buffer("far", torch.tensor(mode + self.beta * right))
        return state

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L."""
        distance = 1 - cosines(step.features)
        structure = (distance < step.state.near).to(outputs) - (distance > step.state.far).to(
            outputs
        )
        codes = torch.tanh(outputs)
        error = codes @ codes.T / self.bits - structure
        return pair_mean(structure.abs() * error.square())
