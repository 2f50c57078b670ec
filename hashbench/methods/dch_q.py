"""DCH-Q: DCH without its quantisation loss."""

from __future__ import annotations

from dataclasses import dataclass, field

from hashbench.methods.dch import DCH


@dataclass(kw_only=True, eq=False)
class DCHQ(DCH):
    """The ablation that drops the Cauchy quantisation loss (eq 9): lambda = 0."""

    name = "dch-q"
    title = "DCH-Q"
    summary = "ablation: DCH without the quantisation loss"

    quantization: float = field(init=False, default=0.0)
