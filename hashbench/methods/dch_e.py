"""DCH-E: DCH with a Euclidean quantisation loss."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from hashbench.methods.dch import DCH


@dataclass(kw_only=True, eq=False)
class DCHE(DCH):
    """DCH with the squared Euclidean quantisation loss in place of the Cauchy one.

    This is our reading: the sources at hand name this ablation without defining
    it. Q = mean_ik (|h_ik| - 1)^2 stands where eq 9 stood; the rest is DCH.
    """

    name = "dch-e"
    title = "DCH-E (our reading)"
    summary = "ablation, as we read it: DCH with a Euclidean quantisation loss"

    def quantization_loss(self, codes: Tensor) -> Tensor:
        """`(n,)` mean squared distances of the entries to -1 or +1."""
        return (codes.abs() - 1).square().mean(1)
