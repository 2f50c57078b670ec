"""MDSHC: hash centres separated by a minimal distance."""

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
from hashbench.methods.bank import Bank, mean_over
from hashbench.methods.classes import Centres, directions, membership
from hashbench.seeds import derive
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class MDSHC(DeepHasher):
    """One far-apart centre a class, classes told by cosine; similar items drawn together.

        L = - mean_ic [y_ic log p_ic + (1 - y_ic) log(1 - p_ic)]
            + beta mean_{similar ij} log(1 + exp((1 - cos(h_i, u_j)) / 2))
            + lambda mean_ik (|h_ik| - 1)^2

    with h = tanh(BatchNorm(z)), p_i = softmax_c(sqrt(K) cos(h_i, centre_c)), u_j item j's
    last h, j all other training items; y has a 1 for each of an item's labels.

    The centres keep the distance Gilbert and Varshamov promise (`hashbench/codebooks.py`),
    which the authors add to their objective and reach by alternating optimisation. Ours:
    the bank holds the network's own last codes, not those of a momentum encoder; the pair
    term begins at a share of the training, 9 epochs in 60 of the linear head's.

    Args:
        attraction: beta, the weight of similar pairs.
        quantization: lambda.
        start: share of the training after which similar pairs count.
    """

    name = "mdshc"
    title = "MDSHC"
    year = 2023
    summary = "class centres of a guaranteed distance, and similar items drawn together"
    citation = (
        "Wang, Pan, Liu, Lai, Yin, Liu: Deep Hashing with Minimal-Distance-Separated Hash "
        "Centers. CVPR 2023"
    )
    bibtex = """@inproceedings{wang2023mdshc,
  author    = {Liangdao Wang and Yan Pan and Cong Liu and Hanjiang Lai and Jian Yin and Ye Liu},
  title     = {Deep Hashing with Minimal-Distance-Separated Hash Centers},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  pages     = {23455--23464},
  year      = {2023},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "attraction": [0.1, 0.3, 3.0, 10.0],
        "quantization": [0.0001, 0.01],
    }

    attraction: float = number(1.0, low=0)
    quantization: float = number(1e-4, low=0)
    start: float = number(0.15, low=0, high=1)

    def hash_layer(self, width: int) -> nn.Module:
        """Linear, then BatchNorm."""
        return nn.Sequential(nn.Linear(width, self.bits), nn.BatchNorm1d(self.bits))

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The bank, and the centres."""
        bank = Bank(labels, self.bits)
        seed = derive(self.seed, self.name, "centres")
        bank.add_module("centres", Centres(labels.shape[1], self.bits, seed))
        return bank

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L."""
        codes = torch.tanh(outputs)
        bank = step.state
        bank.refresh(step.rows, codes)
        ways = directions(codes)
        inside, outside = membership(ways @ bank.centres.codes.to(codes).T)
        loss = -torch.where(labels > 0, inside, outside).mean()
        loss = loss + self.quantization * (codes.abs() - 1).square().mean()
        if step.progress < self.start:
            return loss
        cosines = ways @ directions(bank.outputs.to(codes)).T
        similar = (labels @ bank.labels.to(labels).T).clamp(max=1) * bank.partners(step.rows)
        return loss + self.attraction * mean_over(functional.softplus((1 - cosines) / 2), similar)
