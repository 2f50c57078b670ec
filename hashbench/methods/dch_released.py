"""DCH as its authors' released code computes it, where that differs from the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from hashbench.hyper import number
from hashbench.methods.dch import DCH, cauchy_cross_entropy
from hashbench.training.step import Step

#: What the released code adds to every distance.
OFFSET = 0.001


@dataclass(kw_only=True, eq=False)
class DCHReleased(DCH):
    """The loss of thulab/DeepHash, which is not the paper's.

    Distances are squared Euclidean ones of the tanh outputs (4 d_H on binary
    codes, so that its gamma of 20 is 5 bits), dissimilar pairs weigh 1, the
    quantisation loss is mean (|h| - 1)^2, and its weight is 0 by default.

    Args:
        gamma: scale of the Cauchy distribution on squared Euclidean distances.
        quantization: weight of the quantisation loss; the released script has 0.
    """

    name = "dch-released"
    title = "DCH (released)"
    summary = "DCH as the released code has it: squared Euclidean distances"
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "gamma": [5.0, 10.0, 40.0, 80.0],
        "quantization": [0.0, 0.1],
    }

    gamma: float | None = number(20.0, above=0)
    quantization: float = number(0.0, low=0)

    def pair_weights(self, similar: Tensor, step: Step) -> Tensor:
        """`(n, n)`: |S|/|S1| for similar pairs, 1 for dissimilar ones."""
        return 1 + (step.balance.similar - 1) * similar

    def pair_loss(self, codes: Tensor, similar: Tensor) -> Tensor:
        """`(n, n)` unweighted Cauchy cross-entropies of squared Euclidean distances."""
        squares = codes.square().sum(1)
        distance = (squares[:, None] + squares[None, :] - 2 * codes @ codes.T).clamp(min=0)
        return cauchy_cross_entropy(distance + OFFSET, similar, self.scale)

    def quantization_loss(self, codes: Tensor) -> Tensor:
        """`(n,)` mean squared distances of the entries to -1 or +1."""
        return (codes.abs() - 1).square().mean(1)
