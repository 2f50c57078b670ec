"""Loss, state and step of any deep method outside of training, in float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from loss_values import BALANCE, BITS, COUNT, LABELS, outputs_of

from hashbench.training.step import Step

__all__ = [
    "BALANCE", "BITS", "COUNT", "LABELS", "at", "begin", "features_of", "loss_of", "outputs_of",
    "saturated", "tied",
]  # fmt: skip


def saturated():
    return 30 * np.sign(outputs_of(seed=3)) * (1 + 0.1 * np.abs(outputs_of(seed=4)))


def tied():
    return np.repeat(outputs_of(1, seed=1), COUNT, axis=0)


def features_of(count=COUNT, dim=5):
    return np.random.default_rng(9).normal(size=(count, dim)).astype(np.float32)


def begin(method, labels=LABELS, seed=2, features=None):
    """The method's step before its first batch; all of the labels are the training set."""
    method.prepare(labels.astype(np.uint8))
    torch.manual_seed(seed)
    features = features_of(len(labels)) if features is None else features
    state = method.loss_state(labels.astype(np.uint8), features)
    generator = torch.Generator().manual_seed(5)
    step = Step(30, 100, torch.arange(len(labels)), BALANCE, generator, state=state)
    if state is not None:
        state.double()
    return replace(step, gather=lambda: torch.from_numpy(features).double())


def at(step, rows):
    """The same step for a batch of some rows."""
    rows = torch.as_tensor(rows)
    everyone = step.features
    return replace(step, rows=rows, gather=lambda: everyone[rows])


def loss_of(method, outputs, labels, step):
    """Value and gradient of a loss at `(n, bits)` outputs, in float64."""
    tensor = torch.tensor(np.asarray(outputs), dtype=torch.float64, requires_grad=True)
    second = torch.tensor(np.asarray(outputs)[:, ::-1].copy() if method.two_views else 0.0)
    step = replace(step, second=second)
    given = labels if method.supervised else np.zeros_like(labels)
    value = method.loss(tensor, torch.tensor(given, dtype=torch.float64), step)
    value.backward()
    return float(value.detach()), tensor.grad.numpy()
