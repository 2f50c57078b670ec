"""DHD: deep hash distillation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.hyper import number
from hashbench.methods.classes import Proxies, cross_entropy, directions
from hashbench.training.deep import DeepHasher
from hashbench.training.recipes import Recipe
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class DHD(DeepHasher):
    """Learnable proxies teach one view of an item; the other view follows the first.

        L = -mean_i log softmax_c(cos(h_i, P_c) / T)
          + lambda_1 mean_i (1 - cos(h'_i, h_i))
          + lambda_2 mean_ik [BCE(g(h_ik; 1), b_ik) + BCE(g(h_ik; -1), 1 - b_ik)]

    with h = tanh(LayerNorm(W x)) of one view and h' of the other, P the proxies,
    g(h; m) = exp(-(h - m)^2 / (2 sigma^2)), b 1 where h > 0, else 0. The second term moves
    h' alone; the first and the third see h alone.

    Formulae, LayerNorm, and the defaults of T, both lambdas and sigma are those of the
    authors' released code (youngkyunJang/Deep-Hash-Distillation, `loss.py`, `main_DHD.py`),
    where the teacher is the weakly augmented view. Ours: both views are equally strong, two
    draws of dropout on cached features, two augmentations from pixels; and the proxies have
    their own rate.

    Several labels share the cross-entropy equally, as there. An item without any is left out
    of it, distilled and quantised.

    Args:
        temperature: T.
        distillation: lambda_1.
        quantization: lambda_2.
        deviation: sigma.
        proxy_rate: learning rate of the proxies in units of the hash layer's.
    """

    name = "dhd"
    title = "DHD"
    year = 2022
    summary = "learnable proxies, and one view of an item taught by the other"
    citation = "Jang, Gu, Ko, Kang, Cho: Deep Hash Distillation for Image Retrieval. ECCV 2022"
    bibtex = """@inproceedings{jang2022dhd,
  author    = {Young Kyun Jang and Geonmo Gu and Byungsoo Ko and Isaac Kang and Nam Ik Cho},
  title     = {Deep Hash Distillation for Image Retrieval},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year      = {2022},
}"""
    two_views = True
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "temperature": [0.1, 0.4, 0.7, 1.0],
        "distillation": [0.1, 1.0],
    }

    temperature: float = number(0.2, above=0)
    distillation: float = number(0.1, low=0)
    quantization: float = number(0.1, low=0)
    deviation: float = number(0.5, above=0)
    proxy_rate: float = number(10.0, above=0)

    def recipe(self) -> Recipe:
        """With the proxies' own rate."""
        return replace(super().recipe(), loss_rate=self.proxy_rate)

    def hash_layer(self, width: int) -> nn.Module:
        """Linear without bias, then LayerNorm over an item's bits."""
        return nn.Sequential(nn.Linear(width, self.bits, bias=False), nn.LayerNorm(self.bits))

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The proxies."""
        return Proxies(labels.shape[1], self.bits)

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L."""
        teacher, student = torch.tanh(outputs), torch.tanh(step.second)
        named = cross_entropy(step.state(teacher) / self.temperature, labels)
        apart = 1 - (directions(student) * directions(teacher).detach()).sum(1).mean()
        return named + self.distillation * apart + self.quantization * self._binarity(teacher)

    def _binarity(self, codes: Tensor) -> Tensor:
        """The third mean: of -log g at the nearer of -1 and +1, and -log(1 - g) at the other."""
        near = ((1 - codes.abs()) / self.deviation).square() / 2
        far = ((1 + codes.abs()) / self.deviation).square() / 2
        return (near - torch.log(-torch.expm1(-far))).mean()
