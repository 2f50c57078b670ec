"""OrthoHash: one cosine loss against fixed binary targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.hyper import number
from hashbench.methods.classes import Centres, cross_entropy, directions
from hashbench.seeds import derive
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class OrthoHash(DeepHasher):
    """Cross-entropy over classes of scaled cosines to their codewords, with a margin.

        L = -mean_i log softmax_c(s (cos(z_i, C_c) - m [c = y_i]))

    The hash layer has no bias and ends in batch normalisation, which balances
    the bits; there is no quantisation loss: a cosine of 1 leaves none.

    Several labels: the margin is taken off each of them, and they share the
    target distribution equally, as in the authors' code. Items without a label
    are left out.

    Ours: the codewords are far apart by construction (`hashbench/codebooks.py`);
    the paper draws them by coin tosses.

    Args:
        scale: s.
        margin: m.
    """

    name = "orthohash"
    title = "OrthoHash"
    year = 2021
    summary = "margin softmax of cosines to fixed codewords, after batch normalisation"
    citation = (
        "Hoe, Ng, Zhang, Chan, Song, Xiang: One Loss for All: Deep Hashing with a Single "
        "Cosine Similarity based Learning Objective. NeurIPS 2021"
    )
    bibtex = """@inproceedings{hoe2021orthohash,
  author    = {Jiun Tian Hoe and Kam Woh Ng and Tianyu Zhang and Chee Seng Chan and
               Yi-Zhe Song and Tao Xiang},
  title     = {One Loss for All: Deep Hashing with a Single Cosine Similarity based Learning
               Objective},
  booktitle = {Advances in Neural Information Processing Systems (NeurIPS)},
  year      = {2021},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "scale": [4.0, 6.0, 12.0, 20.0],
        "margin": [0.1, 0.2],
    }

    scale: float = number(8.0, above=0)
    margin: float = number(0.2, low=0, high=2)

    def hash_layer(self, width: int) -> nn.Module:
        """Linear without bias, then batch normalisation."""
        return nn.Sequential(nn.Linear(width, self.bits, bias=False), nn.BatchNorm1d(self.bits))

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The codewords."""
        return Centres(labels.shape[1], self.bits, derive(self.seed, self.name, "centres"))

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """The margin softmax."""
        cosine = directions(outputs) @ directions(step.state.codes.to(outputs)).T
        return cross_entropy(self.scale * (cosine - self.margin * labels), labels)
