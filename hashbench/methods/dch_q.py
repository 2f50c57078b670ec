"""DCH-Q: DCH without its quantisation loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hashbench.methods.dch import DCH


@dataclass(kw_only=True, eq=False)
class DCHQ(DCH):
    """The ablation that drops the Cauchy quantisation loss (eq 9): lambda = 0."""

    name = "dch-q"
    title = "DCH-Q"
    summary = "ablation: DCH without the quantisation loss"
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "gamma": [3.0, 5.0, 7.0, 14.0, 20.0, 28.0, 40.0, 60.0]
    }

    quantization: float = field(init=False, default=0.0)
