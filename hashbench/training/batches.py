"""Training sets that come in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Training items, on the device the network is on.

    Attributes:
        inputs: what the network takes, `(n, ...)`; with two views `(2n, ...)`, all
            first views before all second ones.
        labels: `(n, classes)` float32 multi-hot.
        rows: `(n,)` int64 positions within the training set.
        features: the `(m, dim)` backbone's features of the whole training set, where inputs
            are made of them; None where a backbone's outputs are the features.
    """

    inputs: Tensor
    labels: Tensor
    rows: Tensor
    features: Tensor | None = None


class Batches(Protocol):
    """A training set that comes in batches, differently shuffled each epoch.

    Attributes:
        labels: `(n, classes)` float32 labels of all of it.
    """

    labels: Tensor

    def __len__(self) -> int:
        """Batches an epoch."""

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of epoch `number`, counted from 0."""


class TensorBatches:
    """A training set that lies in memory: batches by plain indexing.

    The last batch of an epoch would be ragged, and one item has no pairs: an
    epoch is cut into equal parts instead.

    Args:
        inputs: `(n, ...)` inputs.
        labels: `(n, classes)` float32 multi-hot.
        batch_size: items a batch at most.
        seed: of the shuffling.
        features: what the inputs were made of, for losses that look at it.
        two_views: give every input twice; only dropout tells the two apart.
    """

    def __init__(
        self,
        inputs: Tensor,
        labels: Tensor,
        batch_size: int,
        seed: int,
        *,
        features: Tensor | None = None,
        two_views: bool = False,
    ) -> None:
        self.inputs = inputs
        self.features = features
        self.labels = labels
        self.two_views = two_views
        self.count = -(-len(inputs) // batch_size)
        # Shuffled on the CPU, so that every device sees the same order.
        self._generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return self.count

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch, in a fresh order."""
        order = torch.randperm(len(self.inputs), generator=self._generator)
        for rows in torch.tensor_split(order.to(self.inputs.device), self.count):
            seen = rows.repeat(2) if self.two_views else rows
            # Indexing by a tensor takes twice as long.
            inputs, labels = self.inputs.index_select(0, seen), self.labels.index_select(0, rows)
            yield Batch(inputs, labels, rows, self.features)
