"""HyP2 loss: proxies, and pairs of items that proxies cannot tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.codebooks import codebook, minimum_distance
from hashbench.hyper import number
from hashbench.methods.classes import Proxies, directions
from hashbench.methods.pairs import similarity
from hashbench.training.deep import DeepHasher
from hashbench.training.recipes import Recipe
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class HyP2(DeepHasher):
    """Cosines to learnable proxies of the labels, and between items without a label in common.

        L = mean over positive (i, c) of 1 - cos(z_i, P_c)
          + mean over negative (i, c) of max(0, cos(z_i, P_c) - zeta)
          + beta mean over irrelevant pairs of max(0, cos(z_i, z_j) - zeta)

    A pair is irrelevant if it shares no label and both have at least two: with
    single labels the last term is 0, and proxies do all the work.

    zeta is the cosine of as many codewords as there are classes, as far apart
    as can be. The authors read it from a table of best known codes; ours is
    1 - 2 d/K with d the smallest distance of our codebook of that size.

    Args:
        beta: weight of the pairs of items.
        zeta: cosine above which negatives cost something; None follows the
            code length and the number of classes.
        proxy_rate: learning rate of the proxies in units of the hash layer's.
    """

    name = "hyp2"
    title = "HyP2"
    year = 2022
    summary = "learnable proxies, and pairs without a label in common"
    citation = (
        "Xu, Chai, Xu, Yuan, Fan, Wang: HyP2 Loss: Beyond Hypersphere Metric Space for "
        "Multi-label Image Retrieval. ACM Multimedia 2022"
    )
    bibtex = """@inproceedings{xu2022hyp2,
  author    = {Chengyin Xu and Zenghao Chai and Zhengzhuo Xu and Chun Yuan and Yanbo Fan and
               Jue Wang},
  title     = {{HyP2} Loss: Beyond Hypersphere Metric Space for Multi-label Image Retrieval},
  booktitle = {ACM International Conference on Multimedia},
  year      = {2022},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "beta": [0.1, 0.25, 1.0, 2.0],
        "proxy_rate": [10.0, 30.0],
    }

    beta: float = number(0.5, low=0)
    zeta: float | None = number(None, low=-1, high=1)
    proxy_rate: float = number(10.0, above=0)

    def recipe(self) -> Recipe:
        """With the proxies' own rate."""
        return replace(super().recipe(), loss_rate=self.proxy_rate)

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The proxies, and zeta."""
        state, zeta, classes = Proxies(labels.shape[1], self.bits), self.zeta, labels.shape[1]
        if zeta is None:
            zeta = 1 - 2 * minimum_distance(codebook(classes, self.bits)) / self.bits
        state.register_buffer("zeta", torch.tensor(zeta))
        return state

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L; each mean is 0 where there is nothing to average."""
        cosine, zeta = step.state(outputs), step.state.zeta
        positive, several = labels > 0, labels.sum(1) > 1
        irrelevant = (similarity(labels) == 0) & several[:, None] & several[None, :]
        units = directions(outputs)
        pairs = torch.relu(units @ units.T - zeta)
        pull = mean_where(1 - cosine, positive)
        push = mean_where(torch.relu(cosine - zeta), ~positive)
        return pull + push + self.beta * mean_where(pairs, irrelevant)


def mean_where(values: Tensor, where: Tensor) -> Tensor:
    """Mean of the values that a mask keeps; 0 where it keeps none."""
    return (values * where).sum() / where.sum().clamp(min=1)
