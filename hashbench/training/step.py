"""What is minimised, and what it may know of where training stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from hashbench.training.balance import PairBalance


def _nothing() -> Tensor:
    return torch.empty(0)


@dataclass(frozen=True)
class Step:
    """What a loss may know beside outputs and labels.

    Attributes:
        index: optimiser steps done so far.
        total: optimiser steps of the whole training.
        rows: `(n,)` positions of the batch's items within the training set.
        balance: class-balance weights of the training set's pairs.
        generator: source of the loss's own randomness, on the batch's device.
        epoch: whole epochs done so far.
        state: the module that `DeepHasher.loss_state` made, or None.
        gather: makes `features`.
        second: `(n, bits)` outputs for the items' second views, where the method
            asks for `two_views`; empty where it does not.
    """

    index: int
    total: int
    rows: Tensor
    balance: PairBalance
    generator: torch.Generator
    epoch: int = 0
    state: Any = None
    gather: Callable[[], Tensor] = _nothing
    second: Tensor = field(default_factory=_nothing)

    @cached_property
    def features(self) -> Tensor:
        """`(n, dim)` float32 outputs of the backbone for the batch's items.

        As the head takes them before it standardises; no gradient flows into them. They
        are gathered when a loss asks: most never do.
        """
        return self.gather()

    @property
    def progress(self) -> float:
        """The share of training done, in [0, 1)."""
        return self.index / max(self.total, 1)


@dataclass(frozen=True)
class Objective:
    """What a training minimises.

    Attributes:
        loss: of `(n, bits)` outputs, `(n, classes)` labels and the step.
        state: what belongs to the loss and not to the network.
        between_epochs: called between epochs with the labels of the whole
            training set and a step whose rows are all of it.
        two_views: whether the loss compares two views of each item.
    """

    loss: Callable[[Tensor, Tensor, Step], Tensor]
    state: nn.Module | None = None
    between_epochs: Callable[[Tensor, Step], None] | None = None
    two_views: bool = False
