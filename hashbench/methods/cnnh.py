"""CNNH: convolutional neural network hashing, in two stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hashbench.hyper import whole
from hashbench.methods.factorisation import factorise
from hashbench.seeds import derive
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class CNNH(DeepHasher):
    """Codes from the similarity matrix first, then a network that regresses them.

    Stage 1 factorises the similarities of the whole training set into codes H
    (`methods/factorisation.py`); stage 2 minimises mean (tanh(z_i) - H_i)^2.
    Row i of H belongs to training item i, whatever order batches come in.

    Args:
        sweeps: coordinate sweeps of stage 1 at most.

    Attributes:
        targets_: `(n, bits)` int8 codes of stage 1, -1 and +1.
    """

    name = "cnnh"
    title = "CNNH"
    year = 2014
    summary = "codes by factorising similarities, then regression onto them"
    citation = (
        "Xia, Pan, Lai, Liu, Yan: Supervised Hashing for Image Retrieval via Image "
        "Representation Learning. AAAI 2014"
    )
    bibtex = """@inproceedings{xia2014cnnh,
  author    = {Rongkai Xia and Yan Pan and Hanjiang Lai and Cong Liu and Shuicheng Yan},
  title     = {Supervised Hashing for Image Retrieval via Image Representation Learning},
  booktitle = {AAAI Conference on Artificial Intelligence},
  year      = {2014},
}"""
    sweeps: int = whole(10)

    targets_: Tensor = field(init=False, repr=False)

    def prepare(self, labels: NDArray[np.uint8]) -> None:
        """Stage 1."""
        seed = derive(self.seed, self.name, "factorisation")
        found = factorise(labels, self.bits, seed, self.sweeps)
        self.targets_ = torch.from_numpy(found.codes)

    def learned(self) -> dict[str, Any]:
        """What encoding needs: the targets are the training set's."""
        return {name: value for name, value in super().learned().items() if name != "targets_"}

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """Stage 2: squared error against the codes of the batch's own items."""
        if self.targets_.device != outputs.device:  # once, not the rows back in every step
            self.targets_ = self.targets_.to(outputs.device)
        targets = self.targets_[step.rows].to(outputs)
        return (torch.tanh(outputs) - targets).square().mean()
