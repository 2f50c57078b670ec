"""Values and gradients of a loss, of a batch that the references are written for."""

import numpy as np
import torch

from hashbench.training.balance import PairBalance
from hashbench.training.step import Step

BITS = 6
#: Exact in binary, so that references may be compared to float64 precision.
BALANCE = PairBalance(similar=3.5, dissimilar=1.25)
#: Items with one label, with several, with all and with none.
LABELS = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1], [0, 0, 0]])
COUNT = len(LABELS)


def outputs_of(count=COUNT, bits=BITS, seed=0):
    return np.random.default_rng(seed).normal(size=(count, bits))


def step_at(index=0, total=100, rows=COUNT):
    generator = torch.Generator().manual_seed(5)
    return Step(index, total, torch.arange(rows), BALANCE, generator)


def value_of(method, outputs, labels=LABELS, **step):
    tensor = torch.tensor(outputs, dtype=torch.float64)
    step = step_at(rows=len(outputs), **step)
    return float(method.loss(tensor, torch.tensor(labels, dtype=torch.float64), step))


def gradient_of(method, outputs, labels, dtype=torch.float32):
    tensor = torch.tensor(outputs, dtype=dtype, requires_grad=True)
    loss = method.loss(tensor, torch.tensor(labels, dtype=dtype), step_at(rows=len(outputs)))
    loss.backward()
    return float(loss.detach()), tensor.grad
