"""The training loop of every deep method: a network, batches, a loss.

The loop does not know where inputs come from (cached features, cached
activations or pixels) nor what the loss is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from hashbench import runtime
from hashbench.errors import InputError
from hashbench.methods.averaging import Average
from hashbench.methods.checkpoints import Checkpoint
from hashbench.methods.optimisation import optimiser_of, schedule_of
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
#: A network, or what torch.compile made of one.
Model = Callable[[Tensor], Tensor]
#: Scores the network as it stands, on items held out; larger is better.
Judge = Callable[[], float]


def train(
    network: nn.Sequential,
    batches: Batches,
    loss: Loss,
    recipe: Recipe,
    balance: PairBalance,
    generator: torch.Generator,
    judge: Judge | None = None,
    checkpoint: Checkpoint | None = None,
) -> list[dict[str, Any]]:
    """Train `network` in place; returns one dict an epoch: epoch, mean loss, learning rate.

    Args:
        network: a backbone or nothing, then the head's two modules.
        batches: the training set.
        loss: what to minimise.
        recipe: how.
        balance: class-balance weights of the training set's pairs.
        generator: source of the loss's own randomness.
        judge: scores the network as it stands; the best epoch is kept, not the
            last, and its score is a further entry of the dict.
        checkpoint: where to save every epoch, and to go on from.

    Raises:
        FloatingPointError: as soon as an epoch's loss is not finite.
    """
    epochs = recipe.epochs_for(len(batches))
    total = epochs * len(batches)
    optimiser = optimiser_of(network, recipe)
    warmup = min(recipe.warmup, epochs - 1) * len(batches)
    schedule = schedule_of(optimiser, recipe, warmup, total)
    average = Average(network, recipe.average, total)
    run = _Run(network, optimiser, schedule, average, generator, checkpoint)
    backbone, head = (
        torch.compile(part) if recipe.compiled else part for part in (network[:-2], network[-2:])
    )
    report = runtime.current().progress
    index = len(run.history) * len(batches)
    for epoch in range(len(run.history), epochs):
        rate = schedule.get_last_lr()[0]
        losses = []
        for batch in batches.epoch(epoch):
            # Batch statistics of one item are undefined: such a batch uses the running ones.
            network.train(len(batch.rows) > 1)
            step = Step(index, total, batch.rows, balance, generator)
            optimiser.zero_grad()
            losses.append(backward(backbone, head, batch, loss, step, recipe))
            if recipe.clip:
                nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            optimiser.step()
            schedule.step()
            run.average.update()
            index += 1
        mean = float(torch.stack(losses).mean())
        if not math.isfinite(mean):
            raise FloatingPointError(
                f"training diverged: the loss is {mean} in epoch {epoch + 1}; "
                f"lower the learning rate (lr={recipe.lr:g})"
            )
        run.finish({"epoch": epoch + 1, "loss": mean, "lr": rate}, judge)
        report((epoch + 1) / epochs, f"epoch {epoch + 1}/{epochs}, loss {mean:.4f}")
    run.end()
    return run.history


def backward(
    backbone: Model, head: Model, batch: Batch, loss: Loss, step: Step, recipe: Recipe
) -> Tensor:
    """Add the gradient of a batch's loss to the parameters'; returns the loss.

    With `recipe.accumulate` above 1 the backbone sees the batch in parts, which
    saves memory, while head and loss still see all of it: features first,
    without a graph; then their gradient; then each part again, with the same
    dropout, to pass its share of that gradient on.
    """
    device = batch.inputs.device
    mixed = recipe.mixed and device.type == "cuda" and torch.cuda.is_bf16_supported()
    autocast = partial(torch.autocast, device.type, torch.bfloat16, enabled=mixed)
    whole = recipe.accumulate == 1
    parts = batch.inputs.tensor_split(min(recipe.accumulate, len(batch.inputs)))
    states, pieces = [], []
    with torch.set_grad_enabled(whole), autocast():
        for part in parts:
            states.append(_random_state(device))
            pieces.append(backbone(part))
    features = pieces[0] if whole else torch.cat(pieces).requires_grad_()
    with autocast():
        outputs = head(features)
    value = loss(outputs.float(), batch.labels, step)
    value.backward()
    if whole:
        return value.detach()
    assert features.grad is not None
    after = _random_state(device)
    gradients = features.grad.split([len(piece) for piece in pieces])
    for part, state, gradient in zip(parts, states, gradients, strict=True):
        _set_random_state(state, device)
        with autocast():
            piece = backbone(part)
        piece.backward(gradient)
    _set_random_state(after, device)
    return value.detach()


class _Run:
    """What a training has come to, epoch by epoch, and what outlives the process."""

    def __init__(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LambdaLR,
        average: Average,
        generator: torch.Generator,
        checkpoint: Checkpoint | None,
    ) -> None:
        self.parts: dict[str, Any] = {
            "network": network,
            "optimiser": optimiser,
            "schedule": schedule,
            "average": average,
        }
        self.network = network
        self.average = average
        self.generator = generator
        self.checkpoint = checkpoint
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        state = checkpoint.load() if checkpoint is not None else None
        if state is not None:
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
            self.history, self.best = state["history"], state["best"]
            _set_random_state(state["random"], generator.device)
            generator.set_state(state["generator"])

    def finish(self, line: dict[str, Any], judge: Judge | None) -> None:
        """Close an epoch: judge it, and save."""
        if judge is not None:
            with self.average.in_place():
                self.network.eval()
                line["validation"] = value = judge()
                # Of epochs that tie, the later one has learnt longer.
                if self.best is None or value >= self.best["value"]:
                    tensors = self.network.state_dict()
                    kept = {name: tensor.cpu().clone() for name, tensor in tensors.items()}
                    self.best = {"value": value, "network": kept}
        self.history.append(line)
        if self.checkpoint is None:
            return
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"history": self.history, "best": self.best}
        state["random"] = _random_state(self.generator.device)
        state["generator"] = self.generator.get_state()
        self.checkpoint.save(state)

    def end(self) -> None:
        """Leave the network as it is to be used: its best epoch, if epochs were judged."""
        if self.best is not None:
            self.network.load_state_dict(self.best["network"])
        else:
            self.average.take()
        self.network.eval()


def _random_state(device: torch.device) -> list[Tensor]:
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    if device.type == "mps":
        states.append(torch.mps.get_rng_state())
    return states


def _set_random_state(states: list[Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0])
    if device.type == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1], device)
    if device.type == "mps" and len(states) > 1:
        torch.mps.set_rng_state(states[1])


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
