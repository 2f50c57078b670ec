"""BiHalf: half of the items have a bit, half do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.hyper import number
from hashbench.methods.binary import straight_through
from hashbench.methods.features import Centred, cosine_gap
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class BiHalf(DeepHasher):
    """Cosines of features, kept by codes of which each bit is balanced in the batch.

        L = mean_{i != j} (cos(b_i, b_j) - cos(x_i, x_j))^2 + gamma/2 mean_ik (z_ik - b_ik)^2

    with b_ik = +1 for the half of the batch that has the larger z_.k, -1 for the others
    (one more of them in a batch of odd size). The gradient of the first term passes
    straight through b; that of the second is what the authors' layer adds to it.

    Ours: all pairs of a batch, where the authors pair its first half with its second: the
    same mean from more pairs; and features x about their training mean (`Centred`). Items
    are encoded by sgn(z): the halves are training's alone.

    Args:
        gamma: how fast z follows its halves.
        centred: False for the published cosines.
    """

    name = "bihalf"
    title = "BiHalf"
    year = 2021
    summary = "unsupervised: cosines of features kept by bits that halve every batch"
    citation = (
        "Li, van Gemert: Deep Unsupervised Image Hashing by Maximizing Bit Entropy. AAAI 2021"
    )
    bibtex = """@inproceedings{li2021bihalf,
  author    = {Yunqiang Li and Jan van Gemert},
  title     = {Deep Unsupervised Image Hashing by Maximizing Bit Entropy},
  booktitle = {AAAI Conference on Artificial Intelligence},
  pages     = {2002--2010},
  year      = {2021},
}"""
    supervised = False
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "gamma": [0.5, 1.0, 2.0, 3.0, 12.0, 20.0, 40.0, 60.0],
    }

    gamma: float = number(6.0, low=0)
    centred: bool = True

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """What centres the features, or leaves them."""
        return Centred(features) if self.centred else nn.Identity()

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L."""
        codes = halves(outputs)
        gap = self.gamma / 2 * (outputs - codes).square().mean()
        return cosine_gap(straight_through(outputs, codes), step.state(step.features)) + gap


def halves(outputs: Tensor) -> Tensor:
    """`(n, bits)` of -1 and +1: of each column, the n // 2 largest are +1, the first of equals."""
    order = outputs.detach().argsort(dim=0, descending=True, stable=True)
    codes = -torch.ones_like(outputs)
    return codes.scatter(0, order[: len(outputs) // 2], 1.0)
