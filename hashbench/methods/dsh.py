"""DSH: deep supervised hashing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from hashbench.hyper import number
from hashbench.methods.pairs import pair_mean, similarity
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class DSH(DeepHasher):
    """Contrastive loss on squared distances, and an absolute penalty that draws outputs to +-1.

        L = mean_ij w_ij [s_ij d_ij + (1 - s_ij) max(0, m - d_ij)] / 2,  d_ij = |u_i - u_j|^2
        Q = mean_i sum_k ||u_ik| - 1|

    minimising L + alpha Q, u = z without any activation. Both means are those of
    the authors' code. Several labels: a pair is similar if it shares one.

    Ours, as for every pair loss here: class-balance weights, because most pairs are
    dissimilar and a network that cannot tell the classes apart does best to push
    everything apart; `balanced=False` is the paper's.

    Args:
        margin: m over the code length; 2 as in the paper.
        quantization: alpha, the weight of Q.
        balanced: weigh pairs by class balance.
    """

    name = "dsh"
    title = "DSH"
    year = 2016
    summary = "contrastive loss on squared distances with an absolute penalty"
    citation = "Liu, Wang, Shan, Chen: Deep Supervised Hashing for Fast Image Retrieval. CVPR 2016"
    bibtex = """@inproceedings{liu2016dsh,
  author    = {Haomiao Liu and Ruiping Wang and Shiguang Shan and Xilin Chen},
  title     = {Deep Supervised Hashing for Fast Image Retrieval},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2016},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "margin": [1.0, 1.5, 3.0, 4.0],
        "quantization": [0.01, 0.1],
    }

    margin: float = number(2.0, above=0)
    quantization: float = number(0.01, low=0)
    balanced: bool = True

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L + alpha Q."""
        squares = outputs.square().sum(1)
        distance = squares[:, None] + squares[None, :] - 2 * outputs @ outputs.T
        hinge = torch.relu(self.margin * self.bits - distance)
        similar = similarity(labels)
        pairs = (similar * distance + (1 - similar) * hinge) / 2
        if self.balanced:
            pairs = pairs * step.balance.weights(similar)
        return pair_mean(pairs) + self.quantization * (outputs.abs() - 1).abs().sum(1).mean()
