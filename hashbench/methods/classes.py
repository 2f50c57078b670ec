"""Supervision by classes: a target, a proxy or a logit for each, and what several labels mean.

An item without a label belongs to no class: it is left out of every mean here.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hashbench.codebooks import codebook
from hashbench.seeds import derive

#: Vectors shorter than this have no direction: their cosines shrink to 0 and stay differentiable.
SHORTEST = 1e-6
#: Stands for the sum over other classes where there is only one.
NO_OTHER = -100.0


class Centres(nn.Module):
    """A far-apart codeword for each class, which never changes (`hashbench/codebooks.py`).

    Args:
        classes: number of classes.
        bits: code length.
        seed: of the choice of codewords.
    """

    codes: Tensor
    ties: Tensor

    def __init__(self, classes: int, bits: int, seed: int) -> None:
        super().__init__()
        words = codebook(classes, bits, seed).astype(np.float32)
        ties = np.random.default_rng(derive(seed, "ties")).choice([-1.0, 1.0], bits)
        self.register_buffer("codes", torch.from_numpy(words))
        self.register_buffer("ties", torch.from_numpy(ties.astype(np.float32)))

    def target(self, labels: Tensor) -> Tensor:
        """`(n, bits)`: an item's codeword; of several, bit by bit, what most of them say.

        Where as many say -1 as +1, the bit is that of one random word, the same
        for all items (CSQ, section 3.2).
        """
        total = labels @ self.codes.to(labels)
        return torch.where(total == 0, self.ties.to(labels), total.sign())


class Proxies(nn.Module):
    """A learnable direction for each class.

    Args:
        classes: number of classes.
        bits: code length.
    """

    def __init__(self, classes: int, bits: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(classes, bits))

    def forward(self, outputs: Tensor) -> Tensor:
        """`(n, classes)` cosines of `(n, bits)` outputs."""
        return directions(outputs) @ directions(self.directions).T


def directions(vectors: Tensor) -> Tensor:
    """`(n, dim)` vectors of length 1."""
    return functional.normalize(vectors, dim=1, eps=SHORTEST)


def labelled_mean(values: Tensor, labels: Tensor) -> Tensor:
    """Mean of `(n,)` values over the items that have a label; 0 without any."""
    labelled = labels.sum(1) > 0
    return (values * labelled).sum() / labelled.sum().clamp(min=1)


def shares(labels: Tensor) -> Tensor:
    """`(n, classes)`: each label of an item over their number; 0 for an item without any."""
    return labels / labels.sum(1, keepdim=True).clamp(min=1)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of `(n, classes)` logits; the labels of an item have equal shares."""
    likelihood = (shares(labels) * functional.log_softmax(logits, 1)).sum(1)
    return -labelled_mean(likelihood, labels)


def membership(logits: Tensor) -> tuple[Tensor, Tensor]:
    """`(n, classes)` log p and log(1 - p) of p = softmax(logits), exact where p rounds to 1.

    Only the largest p of a row can: 1 - p is then summed over the others.
    """
    total = logits.logsumexp(1, keepdim=True)
    inside = logits - total
    largest = functional.one_hot(logits.argmax(1), logits.shape[1]).bool()
    others = logits.masked_fill(largest, NO_OTHER).logsumexp(1, keepdim=True) - total
    return inside, torch.where(largest, others, torch.log1p(-inside.exp().clamp(max=0.75)))
