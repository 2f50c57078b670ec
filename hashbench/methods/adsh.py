"""ADSH: asymmetric deep supervised hashing, with database codes for the training set alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.baselines.sdh import discrete_descent
from hashbench.hyper import number
from hashbench.methods.bank import Bank
from hashbench.methods.binary import signs
from hashbench.seeds import derive
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step

#: Rows of the similarity matrix made at once.
BLOCK = 1024


@dataclass(kw_only=True, eq=False)
class ADSH(DeepHasher):
    """A network for queries meets free binary codes of the database, in turn.

        J = sum_ij (h_i . v_j - K s_ij)^2 + gamma sum_i |v_i - h_i|^2

    with h = tanh(z), v_j in {-1, +1}^K, and s_ij 1 for similar pairs and -r for
    dissimilar ones, r their numbers' ratio (so the authors' two releases; -1 in the
    paper). The loss is J per query, per database item and per K^2. Between epochs V
    is found bit by bit with the outputs the epoch left, exactly in each bit.

    Not as published: there V are the codes of the whole database, whose labels are read;
    here j runs over the training images, every item is encoded by the network, and the
    row is marked. All of them are queries in each round, which is an epoch (authors:
    2,000 drawn anew, three epochs). V starts from random projections of the features;
    from the authors' zeros the first round can only shrink h.

    Args:
        gamma: weight of the network's distance to an item's own code.
        balanced: 1 for the released r, 0 for the paper's -1, or between.
    """

    name = "adsh"
    title = "ADSH (network codes)"
    year = 2018
    summary = "a network fitted to free binary codes of the training images, in turn"
    citation = "Jiang, Li: Asymmetric Deep Supervised Hashing. AAAI 2018"
    bibtex = """@inproceedings{jiang2018adsh,
  author    = {Qing-Yuan Jiang and Wu-Jun Li},
  title     = {Asymmetric Deep Supervised Hashing},
  booktitle = {AAAI Conference on Artificial Intelligence},
  year      = {2018},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "gamma": [1.0, 10.0, 30.0, 100.0, 400.0, 1000.0, 3000.0, 10000.0],
    }

    gamma: float = number(200.0, low=0)
    balanced: float = number(1.0, low=0, high=1)

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The bank of the network's outputs, and V: `(n, bits)` codes."""
        bank = Bank(labels, self.bits)
        draw = np.random.default_rng(derive(self.seed, self.name, "codes"))
        ways = draw.standard_normal((features.shape[1], self.bits))
        first = (features - features.mean(0, dtype=np.float64)) @ ways
        bank.register_buffer("codes", signs(torch.from_numpy(first)).float())
        return bank

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """J, per query and database item."""
        relaxed, bank = torch.tanh(outputs), step.state
        bank.refresh(step.rows, relaxed)
        codes = bank.codes.to(relaxed)
        error = relaxed @ codes.T / self.bits - self.similarity(labels, bank.labels, step)
        gap = (codes[step.rows] - relaxed).square().sum(1) / self.bits**2
        return error.square().mean() + self.gamma / len(codes) * gap.mean()

    def similarity(self, labels: Tensor, others: Tensor, step: Step) -> Tensor:
        """`(m, n)`: s of each item of a batch with each training item."""
        ratio = step.balance.dissimilar / step.balance.similar if step.balance.similar else 0.0
        apart = self.balanced * ratio + (1 - self.balanced)
        return (labels @ others.to(labels).T).clamp(max=1) * (1 + apart) - apart

    def between_epochs(self, labels: Tensor, step: Step) -> None:
        """V, one sweep over its bits: v_k = sgn(q_k - sum_{l != k} v_l (U^T U)_lk)."""
        bank = step.state
        wanted = self.gamma * bank.outputs
        for start in range(0, len(labels), BLOCK):
            part = slice(start, start + BLOCK)
            alike = self.similarity(labels[part], labels, step)
            wanted = wanted + self.bits * alike.T @ bank.outputs[part]
        # On the CPU: Apple's GPUs have no float64.
        codes, wanted, outputs = (
            tensor.cpu().double().numpy() for tensor in (bank.codes, wanted, bank.outputs)
        )
        found = discrete_descent(codes, wanted, outputs.T @ outputs, sweeps=1)
        bank.codes.copy_(torch.from_numpy(found))
