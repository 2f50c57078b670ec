"""DFH: deep Fisher hashing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hashbench.hyper import number, whole
from hashbench.methods.bank import Bank, mean_over
from hashbench.methods.binary import signs
from hashbench.methods.fisher import refit
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class DFH(DeepHasher):
    """Logistic pair loss with a margin, and codes drawn towards binary class centres.

        L = mean_ij softplus(m - theta_ij) or, of a dissimilar pair, softplus(m + theta_ij)
            + eta mean_ik (b_ik - z_ik)^2,      b_i = sgn(mu sum_{c in y_i} sgn(v_c) + z_i)

    with theta_ij = z_i . u_j / 2, u_j item j's last outputs, j all other training items.
    The relaxed centres v are refitted at every step, by gradient descent on

        mean_ik (sum_{c in y_i} v_ck - b_ik)^2 + nu mean_cd (v_c . v_d - K (2 [c = d] - 1))^2
            + tau mean_ck (v_ck - sgn v_ck)^2

    Ours: 20 steps from where the last refit ended, where the authors take 200, and
    shorter ones where theirs would diverge. Nothing is clamped.

    Args:
        margin: m. The authors' released criterion takes one and does not use it.
        attraction: mu, the weight of the centres in b.
        separation: nu, how far centres are pushed apart.
        binarity: tau, how near centres are held to -1 and +1.
        quantization: eta.
        refits: gradient steps of a refit.
    """

    name = "dfh"
    title = "DFH"
    year = 2019
    summary = "pair loss with a margin, and Fisher's criterion on binary class centres"
    citation = "Li, Pei, Zha, van Gemert: Push for Quantization: Deep Fisher Hashing. BMVC 2019"
    bibtex = """@inproceedings{li2019dfh,
  author    = {Yunqiang Li and Wenjie Pei and Yufei Zha and Jan van Gemert},
  title     = {Push for Quantization: Deep {Fisher} Hashing},
  booktitle = {British Machine Vision Conference (BMVC)},
  year      = {2019},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "margin": [0.0, 0.5, 2.0, 4.0],
        "quantization": [0.1, 0.5],
    }

    margin: float = number(1.0, low=0)
    attraction: float = number(1.0, low=0)
    separation: float = number(1.0, low=0)
    binarity: float = number(1.0, low=0)
    quantization: float = number(0.5, low=0)
    refits: int = whole(20, low=0)

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """The bank, and the centres: `(classes, bits)`, 0 until their first refit."""
        bank = Bank(labels, self.bits)
        bank.register_buffer("centres", torch.zeros(labels.shape[1], self.bits))
        return bank

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """L, with the centres as the step before left them, which are refitted then."""
        bank = step.state
        bank.refresh(step.rows, outputs)
        centres = bank.centres.to(outputs)
        codes = signs(self.attraction * (labels @ centres.sign()) + outputs.detach())
        found = refit(centres, labels, codes, self.separation, self.binarity, self.refits)
        bank.centres.copy_(found)
        theta = outputs @ bank.outputs.to(outputs).T / 2
        similar = (labels @ bank.labels.to(labels).T).clamp(max=1)
        pairs = functional.softplus(self.margin + (1 - 2 * similar) * theta)
        gap = (codes - outputs).square().mean()
        return mean_over(pairs, bank.partners(step.rows)) + self.quantization * gap
