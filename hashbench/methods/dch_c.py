"""DCH-C: DCH with the usual sigmoid cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from hashbench.hyper import number
from hashbench.methods.dch import DCH
from hashbench.methods.pairs import logistic


@dataclass(kw_only=True, eq=False)
class DCHC(DCH):
    """The ablation with a sigmoid of the inner product in place of the Cauchy function.

    Pairs cost w_ij [log(1 + exp(alpha <h_i, h_j>)) - alpha s_ij <h_i, h_j>], with
    the weights and the quantisation loss of DCH.

    Args:
        slope: alpha times K, as in HashNet.
    """

    name = "dch-c"
    title = "DCH-C"
    summary = "ablation: DCH with sigmoid instead of Cauchy cross-entropy"
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "slope": [1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 14.0, 20.0],
    }

    slope: float = number(10.0, above=0)

    def pair_loss(self, codes: Tensor, similar: Tensor) -> Tensor:
        """`(n, n)` unweighted logistic pair losses."""
        return logistic(self.slope / self.bits * (codes @ codes.T), similar)
