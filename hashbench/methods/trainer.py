"""The training loop of every deep method: a network, batches, a loss.

The loop does not know where inputs come from (cached features, cached
activations or pixels) nor what the loss is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from hashbench import runtime
from hashbench.errors import InputError
from hashbench.methods.pairs import PairBalance
from hashbench.methods.recipes import Recipe


class Batch(NamedTuple):
    """Training items, on the device the network is on.

    Attributes:
        inputs: what the network takes, `(n, ...)`.
        labels: `(n, classes)` float32 multi-hot.
        rows: `(n,)` int64 positions within the training set.
    """

    inputs: Tensor
    labels: Tensor
    rows: Tensor


class Batches(Protocol):
    """A training set that comes in batches, differently shuffled each epoch."""

    def __len__(self) -> int:
        """Batches an epoch."""

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of epoch `number`, counted from 0."""


@dataclass(frozen=True)
class Step:
    """What a loss may know beside outputs and labels.

    Attributes:
        index: optimiser steps done so far.
        total: optimiser steps of the whole training.
        rows: `(n,)` positions of the batch's items within the training set.
        balance: class-balance weights of the training set's pairs.
        generator: source of the loss's own randomness, on the batch's device.
    """

    index: int
    total: int
    rows: Tensor
    balance: PairBalance
    generator: torch.Generator

    @property
    def progress(self) -> float:
        """The share of training done, in [0, 1)."""
        return self.index / max(self.total, 1)


Loss = Callable[[Tensor, Tensor, Step], Tensor]


def train(
    network: nn.Module,
    batches: Batches,
    loss: Loss,
    recipe: Recipe,
    balance: PairBalance,
    generator: torch.Generator,
) -> list[dict[str, Any]]:
    """Train `network` in place; returns one dict an epoch: epoch, mean loss, learning rate.

    Raises:
        FloatingPointError: as soon as an epoch's loss is not finite.
    """
    epochs = recipe.epochs_for(len(batches))
    total = epochs * len(batches)
    optimiser = torch.optim.AdamW(parameter_groups(network, recipe), lr=recipe.lr, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / total, 1)))
    )
    report = runtime.current().progress
    history: list[dict[str, Any]] = []
    index = 0
    for epoch in range(epochs):
        rate = schedule.get_last_lr()[-1]
        losses = []
        for batch in batches.epoch(epoch):
            # Batch statistics of one item are undefined: such a batch uses the running ones.
            network.train(len(batch.rows) > 1)
            step = Step(index, total, batch.rows, balance, generator)
            value = loss(network(batch.inputs), batch.labels, step)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
            losses.append(value.detach())
            index += 1
        mean = float(torch.stack(losses).mean())
        if not math.isfinite(mean):
            raise FloatingPointError(
                f"training diverged: the loss is {mean} in epoch {epoch + 1}; "
                f"lower the learning rate (lr={recipe.lr:g})"
            )
        history.append({"epoch": epoch + 1, "loss": mean, "lr": rate})
        report((epoch + 1) / epochs, f"epoch {epoch + 1}/{epochs}, loss {mean:.4f}")
    network.eval()
    return history


def parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Weight matrices decay; biases and normalisation do not."""
    parameters = [item for item in network.parameters() if item.requires_grad]
    return [
        {
            "params": [item for item in parameters if item.ndim > 1],
            "weight_decay": recipe.weight_decay,
        },
        {"params": [item for item in parameters if item.ndim <= 1], "weight_decay": 0.0},
    ]


class TensorBatches:
    """A training set that lies in memory: batches by plain indexing.

    The last batch of an epoch would be ragged, and one item has no pairs: an
    epoch is cut into equal parts instead.

    Args:
        inputs: `(n, ...)` inputs.
        labels: `(n, classes)` float32 multi-hot.
        batch_size: items a batch at most.
        seed: of the shuffling.
    """

    def __init__(self, inputs: Tensor, labels: Tensor, batch_size: int, seed: int) -> None:
        self.inputs = inputs
        self.labels = labels
        self.count = -(-len(inputs) // batch_size)
        # Shuffled on the CPU, so that every device sees the same order.
        self._generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return self.count

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch, in a fresh order."""
        order = torch.randperm(len(self.inputs), generator=self._generator)
        for rows in torch.tensor_split(order.to(self.inputs.device), self.count):
            yield Batch(self.inputs[rows], self.labels[rows], rows)


@contextmanager
def compute_on() -> Iterator[torch.device]:
    """The current runtime's device, with its thread count set within the block.

    Raises:
        InputError: for a device this machine does not have.
    """
    settings = runtime.current()
    device = _device(settings.device)
    before = torch.get_num_threads()
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    try:
        yield device
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[torch.Generator]:
    """Torch's global randomness (initialisation, dropout) seeded within the block alone.

    Yields:
        A separate generator on `device` for randomness of one's own.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield torch.Generator(device).manual_seed(seed)


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"the device '{name}' cannot be used here ({str(error).splitlines()[0]}): "
            "use --device auto or --device cpu"
        ) from error
    return device
