"""CIBHash: contrastive information bottleneck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from hashbench.hyper import number
from hashbench.methods.binary import signs, straight_through
from hashbench.methods.features import cosines
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class CIBHash(DeepHasher):
    """Codes of two views of an item agree, and differ from those of all other items.

        L = mean over both views of all items of - log(e^{cos(b, b')/T} / sum e^{cos(b, .)/T})
            + beta mean_i [KL(p_i || p'_i) + KL(p'_i || p_i)] / 2

    with p = sigmoid(z) of one view and p' of the other, b = sgn(p - 1/2), its gradient
    passed straight through to p; the sum runs over every other view in the batch. The
    divergence is summed over bits, its second argument held fixed, as in the authors' code.

    Views decide the result. On cached features they are two draws of dropout
    (`input_dropout`), from pixels two augmentations.

    Args:
        temperature: T.
        bottleneck: beta.
    """

    name = "cibhash"
    title = "CIBHash"
    year = 2021
    summary = "unsupervised: contrastive loss on the codes of two views"
    citation = (
        "Qiu, Su, Ou, Yu, Chen: Unsupervised Hashing with Contrastive Information "
        "Bottleneck. IJCAI 2021"
    )
    bibtex = """@inproceedings{qiu2021cibhash,
  author    = {Zexuan Qiu and Qinliang Su and Zijing Ou and Jianxing Yu and Changyou Chen},
  title     = {Unsupervised Hashing with Contrastive Information Bottleneck},
  booktitle = {International Joint Conference on Artificial Intelligence (IJCAI)},
  year      = {2021},
}"""
    supervised = False
    two_views = True
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "temperature": [0.1, 0.2, 0.5, 1.0],
        "bottleneck": [0.001, 0.01],
    }

    temperature: float = number(0.3, above=0)
    bottleneck: float = number(1e-3, low=0)

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L."""
        both = torch.cat([outputs, step.second])
        p = torch.sigmoid(both)
        alike = cosines(straight_through(p, signs(both))) / self.temperature
        itself = torch.eye(len(both), dtype=torch.bool, device=both.device)
        count = len(outputs)
        other = torch.arange(2 * count, device=both.device).roll(count)
        contrast = functional.cross_entropy(alike.masked_fill(itself, -torch.inf), other)
        gap = divergence(outputs, step.second) + divergence(step.second, outputs)
        return contrast + self.bottleneck / 2 * gap


def divergence(first: Tensor, second: Tensor) -> Tensor:
    """KL(sigmoid(first) || sigmoid(second)), summed over bits, a mean over items; second fixed."""
    p, fixed = torch.sigmoid(first), second.detach()
    log = functional.logsigmoid
    ones, zeros = log(first) - log(fixed), log(-first) - log(-fixed)
    return (p * ones + (1 - p) * zeros).sum(1).mean()
