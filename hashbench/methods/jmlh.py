"""JMLH: just-maximizing-likelihood hashing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hashbench.hyper import number
from hashbench.methods.binary import straight_through
from hashbench.methods.classes import cross_entropy
from hashbench.training.deep import DeepHasher
from hashbench.training.recipes import Recipe
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class JMLH(DeepHasher):
    """A linear classifier on drawn bits, and the price of the bits in nats.

        L = mean_i CE(W b_i + c, y_i) + lambda mean_i sum_k KL(p_ik || 1/2)

    with p = sigmoid(z) and b_ik = 1 where p_ik exceeds a uniform number drawn for it;
    the gradient passes straight through the drawing to p. Codes are b at 1/2.

    Several labels share the cross-entropy equally; an item without any pays for its
    bits alone.

    Args:
        information: lambda, the weight of the divergence.
        classifier_rate: learning rate of W and c, in units of the head's. Ours: at the
            head's own they are far from fitted when training ends.
    """

    name = "jmlh"
    title = "JMLH"
    year = 2019
    summary = "classification of drawn bits under an information bottleneck"
    citation = (
        "Shen, Qin, Chen, Liu, Zhu, Shen: Embarrassingly Simple Binary Representation "
        "Learning. ICCV Workshops 2019"
    )
    bibtex = """@inproceedings{shen2019jmlh,
  author    = {Yuming Shen and Jie Qin and Jiaxin Chen and Li Liu and Fan Zhu and Ziyi Shen},
  title     = {Embarrassingly Simple Binary Representation Learning},
  booktitle = {IEEE/CVF International Conference on Computer Vision (ICCV) Workshops},
  year      = {2019},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "information": [0.01, 0.03, 0.3, 1.0],
        "classifier_rate": [10.0, 30.0],
    }

    information: float = number(0.1, low=0)
    classifier_rate: float = number(10.0, above=0)

    def recipe(self) -> Recipe:
        """The training's, with the classifier's learning rate."""
        return replace(super().recipe(), loss_rate=self.classifier_rate)

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The classifier."""
        return nn.Linear(self.bits, labels.shape[1])

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L."""
        p = torch.sigmoid(outputs)
        drawn = torch.rand(p.shape, generator=step.generator, device=p.device)
        bits = straight_through(p, (p > drawn).to(p))
        logs = functional.logsigmoid(outputs), functional.logsigmoid(-outputs)
        divergence = (p * logs[0] + (1 - p) * logs[1] + math.log(2)).sum(1)
        return cross_entropy(step.state(bits), labels) + self.information * divergence.mean()
