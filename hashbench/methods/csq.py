"""CSQ: central similarity quantisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hashbench.hyper import number
from hashbench.methods.classes import Centres, labelled_mean
from hashbench.seeds import derive
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class CSQ(DeepHasher):
    """Binary cross-entropy between each output and its bit of the class's centre.

        L = mean_ik log(1 + exp(-2 t_ik z_ik))
        Q = mean_ik (|u_ik| - 1)^2

    minimising L + lambda Q, u = tanh(z), t_i in {-1, +1}^K the centre of the
    item's class. L is the binary cross-entropy of (u + 1)/2 against (t + 1)/2,
    whose literal form takes the logarithm of 0 once u saturates.

    Several labels: bit by bit what most of the item's centres say; ties are
    filled from one random word. Items without a label are left out.

    Ours: centres are rows of a Hadamard matrix at 12, 24, 36 and 48 bits too,
    with signs and order drawn by the seed (`hashbench/codebooks.py`). The paper
    smooths |.| in Q by log cosh, its code does not. The released training adds a
    pairwise term that the paper does not have, and so do we not.

    Args:
        quantization: lambda, the weight of Q.
    """

    name = "csq"
    title = "CSQ"
    year = 2020
    summary = "binary cross-entropy against a Hadamard centre for each class"
    citation = (
        "Yuan, Wang, Zhang, Tay, Jie, Liu, Feng: Central Similarity Quantization for "
        "Efficient Image and Video Retrieval. CVPR 2020"
    )
    bibtex = """@inproceedings{yuan2020csq,
  author    = {Li Yuan and Tao Wang and Xiaopeng Zhang and Francis E. H. Tay and Zequn Jie and
               Wei Liu and Jiashi Feng},
  title     = {Central Similarity Quantization for Efficient Image and Video Retrieval},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2020},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "quantization": [0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
    }

    quantization: float = number(1e-4, low=0)

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The centres."""
        return Centres(labels.shape[1], self.bits, derive(self.seed, self.name, "centres"))

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L + lambda Q."""
        central = functional.softplus(-2 * step.state.target(labels) * outputs).mean(1)
        gap = (torch.tanh(outputs).abs() - 1).square().mean(1)
        return labelled_mean(central + self.quantization * gap, labels)
