"""The moving average of a network's weights over its training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

#: Trainings are at least this many times as long as their average's memory of 1/(1 - decay) steps.
MEMORY = 4


class Average:
    """Exponential moving average of weights and statistics; with decay 0 the network itself.

    Late in training the steps of small batches only circle around a solution;
    their average is nearer to it than the last of them.

    Args:
        network: the network that trains.
        decay: weight of the past at each step. Lowered for a training so short
            that the weights it began with would keep more than exp(-4) of the average.
        steps: of the whole training.
    """

    def __init__(self, network: nn.Module, decay: float, steps: int) -> None:
        self.network = network
        self.model: AveragedModel | None = None
        self.decay = min(decay, max(0.0, 1 - MEMORY / steps))
        if self.decay:
            self.model = AveragedModel(network, use_buffers=True)
            averaged = self.model.module
            # Looked up once: in a step that takes longer than the average itself.
            pairs = list(zip(_tensors(averaged), _tensors(network), strict=True))
            floats = [pair for pair in pairs if pair[0].is_floating_point()]
            self._owns, self._news = ([pair[side] for pair in floats] for side in (0, 1))
            self._counts = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the network as the last step left it: one operation for all its weights."""
        if self.model is None:
            return
        # A moving average begins with the first value.
        weight = 1.0 if int(self.model.n_averaged) == 0 else 1 - self.decay
        self.model.n_averaged += 1
        torch._foreach_lerp_(self._owns, self._news, weight)
        for own, new in self._counts:
            own.copy_(new)

    def take(self) -> None:
        """Give the network the average's values."""
        if self.model is not None:
            self.network.load_state_dict(self.model.module.state_dict())

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The network has the average's values within the block, then its own again."""
        if self.model is None:
            yield
            return
        own = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.take()
        try:
            yield
        finally:
            self.network.load_state_dict(own)

    def state_dict(self) -> dict[str, Any]:
        """What to save."""
        return {} if self.model is None else self.model.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what was saved."""
        if self.model is not None:
            self.model.load_state_dict(state)


def _tensors(network: nn.Module) -> list[Tensor]:
    return [item.detach() for item in chain(network.parameters(), network.buffers())]
