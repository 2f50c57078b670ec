"""Optimiser, parameter groups and learning-rate schedule of a recipe."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from hashbench.training.recipes import Recipe

MOMENTUM = 0.9


def optimiser_of(
    network: nn.Sequential, recipe: Recipe, state: nn.Module | None = None
) -> torch.optim.Optimizer:
    """The recipe's optimiser over every parameter of `network` and of the loss's `state`."""
    groups = parameter_groups(network, recipe)
    if state is not None:
        rate = recipe.lr * recipe.head_rate * recipe.loss_rate
        groups += _groups(state.parameters(), recipe, rate)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=MOMENTUM, nesterov=True)
    return torch.optim.AdamW(groups, lr=recipe.lr, fused=True)


def parameter_groups(network: nn.Sequential, recipe: Recipe) -> list[dict[str, Any]]:
    """The backbone's parameters at the recipe's rate, the head's at `head_rate` times it.

    Weight matrices and kernels decay; biases and normalisation do not. The last
    two modules of `network` are the head; a backbone comes before them.
    """
    return [
        *_groups(network[:-2].parameters(), recipe, recipe.lr),
        *_groups(network[-2:].parameters(), recipe, recipe.lr * recipe.head_rate),
    ]


def _groups(parameters: Iterable[nn.Parameter], recipe: Recipe, lr: float) -> list[dict[str, Any]]:
    trained = [item for item in parameters if item.requires_grad]
    if not trained:
        return []
    return [
        {
            "params": [item for item in trained if item.ndim > 1],
            "weight_decay": recipe.weight_decay,
            "lr": lr,
        },
        {"params": [item for item in trained if item.ndim <= 1], "weight_decay": 0.0, "lr": lr},
    ]


def schedule_of(
    optimiser: torch.optim.Optimizer, recipe: Recipe, warmup: int, total: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """The recipe's schedule over `total` steps, of which the first `warmup` rise linearly."""

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        progress = min((step - warmup) / max(total - warmup, 1), 1)
        if recipe.schedule == "step":
            return 0.1 ** math.floor(3 * progress)
        return 0.5 * (1 + math.cos(math.pi * progress))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
