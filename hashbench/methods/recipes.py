"""Training recipes: what a deep method's unset training hyper-parameters stand for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How the shared trainer trains.

    Attributes:
        epochs: passes over the training set.
        steps: optimiser steps at least; a small training set gets more epochs.
        batch_size: items a batch at most; an epoch's batches are of equal size.
        lr: AdamW's initial learning rate, annealed to 0 along a cosine.
        weight_decay: AdamW's decoupled weight decay, on weight matrices only.
        dropout: share of hidden units dropped (MLP head).
        input_dropout: share of standardised features dropped.
        hidden: hidden units (MLP head).
    """

    epochs: int
    steps: int
    batch_size: int
    lr: float
    weight_decay: float
    dropout: float
    input_dropout: float
    hidden: int = 0

    def epochs_for(self, batches: int) -> int:
        """Epochs of `batches` steps each that satisfy both `epochs` and `steps`."""
        return max(self.epochs, -(-self.steps // max(batches, 1)))


#: By tuning mode and head.
RECIPES: dict[tuple[str, str], Recipe] = {
    ("head", "linear"): Recipe(
        epochs=60,
        steps=600,
        batch_size=256,
        lr=1e-3,
        weight_decay=1.0,
        dropout=0.0,
        input_dropout=0.5,
    ),
    ("head", "mlp"): Recipe(
        epochs=40,
        steps=600,
        batch_size=256,
        lr=3e-3,
        weight_decay=1e-4,
        dropout=0.5,
        input_dropout=0.5,
        hidden=512,
    ),
}
