"""DPN: deep polarised network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.hyper import number
from hashbench.methods.classes import Centres, labelled_mean, shares
from hashbench.seeds import derive
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class DPN(DeepHasher):
    """Hinge loss of each output against its bit of the class's target.

        L = mean_ik max(0, m - t_ik z_ik)

    t_i in {-1, +1}^K the target of the item's class; z leaves the interval
    [-m, m] on the target's side, and is not held there by anything else.

    Several labels: the mean of the hinges against each of the item's targets,
    as in the authors' code but for their sum. Items without a label are left out.

    Ours: targets are far apart by construction (`hashbench/codebooks.py`), and
    the mean over bits is taken; the variant that estimates targets anew (DPN-A)
    is not there.

    Args:
        margin: m.
    """

    name = "dpn"
    title = "DPN"
    year = 2020
    summary = "hinge loss against a codeword for each class"
    citation = (
        "Fan, Ng, Ju, Zhang, Chan: Deep Polarized Network for Supervised Learning of Accurate "
        "Binary Hashing Codes. IJCAI 2020"
    )
    bibtex = """@inproceedings{fan2020dpn,
  author    = {Lixin Fan and Kam Woh Ng and Ce Ju and Tianyu Zhang and Chee Seng Chan},
  title     = {Deep Polarized Network for Supervised Learning of Accurate Binary Hashing Codes},
  booktitle = {International Joint Conference on Artificial Intelligence (IJCAI)},
  year      = {2020},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "margin": [0.25, 0.35, 0.5, 0.7, 1.4, 2.0, 2.8, 4.0],
    }

    margin: float = number(1.0, above=0)

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The targets."""
        return Centres(labels.shape[1], self.bits, derive(self.seed, self.name, "centres"))

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """The polarisation loss."""
        # The share of an item's targets that say +1, for each bit.
        up = shares(labels) @ (step.state.codes.to(outputs) + 1) / 2
        hinges = [torch.relu(self.margin - side * outputs) for side in (1, -1)]
        return labelled_mean((up * hinges[0] + (1 - up) * hinges[1]).mean(1), labels)
