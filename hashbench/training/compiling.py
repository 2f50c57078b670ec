"""torch.compile for one training, and what of it ran eager all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

#: A network, or what torch.compile made of one.
Model = Callable[[Tensor], Tensor]

#: Reasons of a graph break that are kept.
REASONS = 3


def compile_parts(parts: Sequence[nn.Module]) -> list[Model]:
    """The parts of a network compiled, everything forgotten that was compiled before.

    Other trainings' graphs would count towards the limit on compiling again, beyond which a
    network silently runs eager.
    """
    from torch._dynamo.utils import counters

    torch.compiler.reset()
    counters.clear()
    return [torch.compile(part) for part in parts]


def what_ran_eager() -> dict[str, Any]:
    """What became of the parts since: "frames" of Python, how many "eager", "graph breaks"."""
    from torch._dynamo.utils import counters

    frames, breaks = counters["frames"], counters["graph_break"]
    found: dict[str, Any] = {
        "frames": frames["total"],
        "eager": frames["total"] - frames["ok"],
        "graph breaks": sum(breaks.values()),
    }
    if breaks:
        found["reasons"] = [str(reason)[:200] for reason, _ in breaks.most_common(REASONS)]
    return found
