"""DSDH: deep supervised discrete hashing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.baselines.sdh import classifier, discrete_descent
from hashbench.hyper import number, whole
from hashbench.methods.bank import Bank, likelihood
from hashbench.methods.binary import signs
from hashbench.training.deep import DeepHasher
from hashbench.training.step import Step


@dataclass(kw_only=True, eq=False)
class DSDH(DeepHasher):
    """DPSH's likelihood, tied to discrete codes from which a linear classifier finds the labels.

        sum_ij w_ij [log(1 + exp(theta_ij)) - s_ij theta_ij]
            + mu |Y - B W|^2 + nu |W|^2 + eta |B - U|^2

    over the network, W and B in {-1, +1}^{n x K} in turn: the network by
    gradient descent, on the first and the last term; between epochs W by ridge
    regression, and B bit by bit as in SDH, each step exact. U are the outputs
    that items had when last visited. B is sgn(U) in the first epoch.

    The network's two terms are means over pairs and over items, as in DPSH: `quantization`
    is eta/n, the authors' 55 over 5,000 items. (One public port leaves the last term
    out, so that B never reaches its network.) Several labels: Y has a 1 for each.

    Args:
        quantization: eta over the number of training items.
        classification: mu.
        ridge: nu.
        sweeps: over all bits of B, at most, between two epochs.
        balanced: weigh pairs by class balance, as for DPSH; the paper has w = 1.
    """

    name = "dsdh"
    title = "DSDH"
    year = 2017
    summary = "pair likelihood tied to discrete codes that classify linearly"
    citation = "Li, Sun, He, Tan: Deep Supervised Discrete Hashing. NIPS 2017"
    bibtex = """@inproceedings{li2017dsdh,
  author    = {Qi Li and Zhenan Sun and Ran He and Tieniu Tan},
  title     = {Deep Supervised Discrete Hashing},
  booktitle = {Advances in Neural Information Processing Systems (NIPS)},
  year      = {2017},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "quantization": [0.001, 0.003, 0.03, 0.1],
        "classification": [1.0, 10.0],
    }

    quantization: float = number(0.011, above=0)
    classification: float = number(1.0, low=0)
    ridge: float = number(0.1, above=0)
    sweeps: int = whole(10)
    balanced: bool = True

    def loss_state(self, labels: NDArray[np.uint8], features: NDArray[np.float32]) -> nn.Module:
        """U, and B."""
        state = Bank(labels, self.bits)
        state.register_buffer("codes", torch.zeros(len(labels), self.bits))
        return state

    def between_epochs(self, labels: Tensor, step: Step) -> None:
        """W, then B."""
        eta, mu = self.quantization * len(labels), self.classification
        targets = labels.cpu().numpy().astype(np.float64)
        outputs = step.state.outputs.cpu().numpy().astype(np.float64)
        codes = step.state.codes.cpu().numpy().astype(np.float64)
        codes = np.where(codes == 0, np.where(outputs > 0, 1.0, -1.0), codes)
        weights = classifier(codes, targets, self.ridge / mu) if mu else 0 * codes.T @ targets
        wanted = mu * targets @ weights.T + eta * outputs
        codes = discrete_descent(codes, wanted, mu * weights @ weights.T, self.sweeps)
        step.state.codes.copy_(torch.from_numpy(codes))

    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """What the network minimises."""
        codes = step.state.codes[step.rows].to(outputs)
        codes = torch.where(codes == 0, signs(outputs), codes)
        gap = (outputs - codes).square().sum(1).mean()
        pairs = likelihood(outputs, labels, step, step.state, balanced=self.balanced)
        return pairs + self.quantization * gap
