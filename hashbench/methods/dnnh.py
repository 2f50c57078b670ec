"""DNNH: triplet ranking with a divide-and-encode hash layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hashbench.hyper import number, whole
from hashbench.methods.pairs import drawn_negatives, similarity
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step

#: Features a bit is encoded from in the paper.
SLICE = 50


@dataclass(kw_only=True, eq=False)
class DNNH(DeepHasher):
    """Simultaneous feature learning and hash coding (also NINH).

        L = mean over triplets of max(0, m + ||F - F+||^2 - ||F - F-||^2)

    with F = g(sigmoid(z)) in [0, 1]^K. The piecewise threshold g sends s to 0
    below 0.5 - epsilon, to 1 above 0.5 + epsilon, and to itself between.

    Divide and encode: each bit is encoded from a slice of features of its own,
    after a ReLU. That is a hidden layer, of `slice_width` units a bit, and with
    the linear head no other method has one: there the hash layer is linear unless
    `slice_width` is set.

    Triplets are drawn within the batch: every similar pair meets one item,
    drawn anew at each step, that is dissimilar to its anchor.

    Ours: g has no gradient outside its middle piece, so bits would die there;
    we pass the gradient straight through it. The paper's margin of 1 is one bit
    of Hamming distance whatever K; ours is a share of K.

    Args:
        margin: m as a share of the code length.
        epsilon: half the width of the piece between 0 and 1.
        slice_width: features each bit is encoded from; 0 for a linear hash layer;
            None for the paper's 50 with the MLP head and 0 with the linear one.
    """

    name = "dnnh"
    title = "DNNH"
    year = 2015
    summary = "triplet ranking loss with a divide-and-encode hash layer"
    citation = (
        "Lai, Pan, Liu, Yan: Simultaneous Feature Learning and Hash Coding with Deep "
        "Neural Networks. CVPR 2015"
    )
    bibtex = """@inproceedings{lai2015dnnh,
  author    = {Hanjiang Lai and Yan Pan and Ye Liu and Shuicheng Yan},
  title     = {Simultaneous Feature Learning and Hash Coding with Deep Neural Networks},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2015},
}"""
    version: ClassVar[str] = "4"
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "margin": [0.1, 0.2, 0.35, 0.5],
        "epsilon": [0.0, 0.1],
    }

    margin: float = number(0.25, above=0)
    epsilon: float = number(0.1, low=0, high=0.5)
    slice_width: int | None = whole(None, low=0)

    def hash_layer(self, width: int) -> nn.Module:
        """Divide and encode, or a linear layer."""
        slices = self.slices
        return DivideAndEncode(width, self.bits, slices) if slices else super().hash_layer(width)

    @property
    def slices(self) -> int:
        """Features each bit is encoded from, or their default for the head."""
        if self.slice_width is not None:
            return self.slice_width
        return SLICE if self.head == "mlp" else 0

    def in_use(self) -> dict[str, Any]:
        """The recipe's, and the width of slices."""
        return super().in_use() | {"slice_width": self.slices}

    def relax(self, outputs: Tensor) -> Tensor:
        """F, moved from [0, 1] to [-1, 1]."""
        return 2 * piecewise(torch.sigmoid(outputs), self.epsilon) - 1

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """The triplet ranking loss; 0 for a batch without any triplet."""
        soft = torch.sigmoid(outputs)
        codes = soft + (piecewise(soft, self.epsilon) - soft).detach()
        squares = codes.square().sum(1)
        distance = squares[:, None] + squares[None, :] - 2 * codes @ codes.T
        drawn, valid = drawn_negatives(similarity(labels), step.generator)
        hinge = torch.relu(self.margin * self.bits + distance - distance.gather(1, drawn))
        return (hinge * valid).sum() / valid.sum().clamp(min=1)


class DivideAndEncode(nn.Module):
    """`(n, width)` features to `(n, bits)` outputs, each from a slice of its own."""

    def __init__(self, width: int, bits: int, slice_width: int) -> None:
        super().__init__()
        self.divide = nn.Linear(width, bits * slice_width)
        self.weight = nn.Parameter(torch.empty(bits, slice_width))
        self.bias = nn.Parameter(torch.zeros(bits))
        nn.init.normal_(self.weight, std=0.1)

    def forward(self, features: Tensor) -> Tensor:
        """The outputs before the sigmoid."""
        slices = torch.relu(self.divide(features)).unflatten(1, self.weight.shape)
        return (slices * self.weight).sum(2) + self.bias


def piecewise(soft: Tensor, epsilon: float) -> Tensor:
    """The piecewise threshold of values in [0, 1]."""
    middle = (soft - 0.5).abs() <= epsilon
    return torch.where(middle, soft, (soft > 0.5).to(soft))
