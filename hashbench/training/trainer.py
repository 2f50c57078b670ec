"""The training loop of every deep method: a network, batches, a loss.

The loop does not know where inputs come from (cached features, cached
activations or pixels) nor what the loss is.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from hashbench import runtime
from hashbench.errors import shown
from hashbench.training.averaging import Average
from hashbench.training.balance import PairBalance
from hashbench.training.batches import Batch, Batches
from hashbench.training.checkpoints import Checkpoint
from hashbench.training.compiling import Model, compile_parts, what_ran_eager
from hashbench.training.device import has_bfloat16, random_state, set_random_state
from hashbench.training.optimisation import optimiser_of, schedule_of
from hashbench.training.recipes import Recipe
from hashbench.training.step import Objective, Step

#: Scores the network as it stands, on items held out; larger is better.
Judge = Callable[[], float]


def train(
    network: nn.Sequential,
    batches: Batches,
    objective: Objective,
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
        objective: what to minimise.
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
    optimiser = optimiser_of(network, recipe, objective.state)
    warmup = min(recipe.warmup, epochs - 1) * len(batches)
    schedule = schedule_of(optimiser, recipe, warmup, total)
    # What belongs to the loss is averaged and saved with the network, and no part of it.
    state = objective.state
    trained = network if state is None else nn.ModuleList([network, state])
    average = Average(trained, recipe.average, total)
    run = _Run(trained, optimiser, schedule, average, generator, checkpoint)
    parts = network[:-2], network[-2:]
    backbone, head = compile_parts(parts) if recipe.compiled else parts
    report, note = runtime.current().progress, runtime.current().note
    mixed = recipe.mixed and has_bfloat16(batches.labels.device)
    note("precision", "bfloat16, weights and losses float32" if mixed else "float32")
    index = len(run.history) * len(batches)
    network.train()
    for epoch in range(len(run.history), epochs):
        rate = schedule.get_last_lr()[0]
        losses = []
        for batch in batches.epoch(epoch):
            # Batch statistics of one item are undefined: such a batch uses the running ones.
            if network.training != (len(batch.rows) > 1):
                network.train(len(batch.rows) > 1)
            step = Step(index, total, batch.rows, balance, generator, epoch, state)
            optimiser.zero_grad()
            losses.append(backward(backbone, head, batch, objective, step, recipe))
            if recipe.clip:
                nn.utils.clip_grad_norm_(trained.parameters(), recipe.clip)
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
        if objective.between_epochs is not None and epoch + 1 < epochs:
            everyone = torch.arange(len(batches.labels), device=batches.labels.device)
            step = Step(index, total, everyone, balance, generator, epoch + 1, state)
            with torch.no_grad():
                objective.between_epochs(batches.labels, step)
        run.finish({"epoch": epoch + 1, "loss": mean, "lr": rate}, judge)
        report((epoch + 1) / epochs, f"epoch {epoch + 1}/{epochs}, loss {mean:.4f}")
    if recipe.compiled:
        note("compiled", what_ran_eager())
    run.end()
    return run.history


def backward(
    backbone: Model, head: Model, batch: Batch, objective: Objective, step: Step, recipe: Recipe
) -> Tensor:
    """Add the gradient of a batch's loss to the parameters'; returns the loss.

    With `recipe.accumulate` above 1 the backbone sees the batch in parts, which
    saves memory, while head and loss still see all of it: features first,
    without a graph; then their gradient; then each part again, with the same
    dropout, to pass its share of that gradient on.
    """
    device = batch.inputs.device
    mixed = recipe.mixed and has_bfloat16(device)
    autocast = partial(torch.autocast, device.type, torch.bfloat16, enabled=mixed)
    whole = recipe.accumulate == 1
    parts = batch.inputs.tensor_split(min(recipe.accumulate, len(batch.inputs)))
    states, pieces = [], []
    with torch.set_grad_enabled(whole), autocast():
        for part in parts:
            states.append(random_state(device))
            pieces.append(backbone(part))
    features = pieces[0] if whole else torch.cat(pieces).requires_grad_()
    with autocast():
        outputs = head(features)
    outputs = outputs.float()
    if objective.two_views:
        outputs, second = outputs.chunk(2)
        step = replace(step, second=second)
    gather = partial(_features, batch, features.detach())
    value = objective.loss(outputs, batch.labels, replace(step, gather=gather))
    value.backward()
    if whole:
        return value.detach()
    assert features.grad is not None
    after = random_state(device)
    gradients = features.grad.split([len(piece) for piece in pieces])
    for part, state, gradient in zip(parts, states, gradients, strict=True):
        set_random_state(state, device)
        with autocast():
            piece = backbone(part)
        piece.backward(gradient)
    set_random_state(after, device)
    return value.detach()


def _features(batch: Batch, behind: Tensor) -> Tensor:
    """The backbone's features of a batch's items, in their first view."""
    if batch.features is not None:
        return batch.features.index_select(0, batch.rows)
    return behind[: len(batch.rows)].float()


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
            self._go_on(state)

    def _go_on(self, state: dict[str, Any]) -> None:
        """Take up what was saved, or nothing of it where it does not fit what is trained here."""
        begun = deepcopy(self._state())
        try:
            self._take(state)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            self._take(begun)
            warnings.warn(
                f"the checkpoint does not fit this training ({shown(error, 100)}), as one of "
                "another version of PyTorch may not: training starts from the beginning",
                stacklevel=2,
            )

    def _state(self) -> dict[str, Any]:
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"history": self.history, "best": self.best}
        state["random"] = random_state(self.generator.device)
        state["generator"] = self.generator.get_state()
        return state

    def _take(self, state: dict[str, Any]) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.history, self.best = list(state["history"]), state["best"]
        set_random_state(state["random"], self.generator.device)
        self.generator.set_state(state["generator"])

    def finish(self, line: dict[str, Any], judge: Judge | None) -> None:
        """Close an epoch: judge it, and save."""
        if judge is not None:
            with self.average.in_place():
                self.network.eval()
                line["validation"] = value = judge()
                # Of epochs that tie, the later one has learnt longer; none is worse than NaN.
                best = -math.inf if self.best is None else self.best["value"]
                if self.best is None or math.isnan(best) or value >= best:
                    tensors = self.network.state_dict()
                    kept = {name: tensor.cpu().clone() for name, tensor in tensors.items()}
                    self.best = {"value": value, "network": kept}
        self.history.append(line)
        if self.checkpoint is None:
            return
        self.checkpoint.save(self._state())

    def end(self) -> None:
        """Leave the network as it is to be used: its best epoch, if epochs were judged."""
        if self.best is not None:
            self.network.load_state_dict(self.best["network"])
        else:
            self.average.take()
        self.network.eval()
