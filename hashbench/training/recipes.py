"""Training recipes: what a deep method's unset training hyper-parameters stand for."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Recipe:
    """How the shared trainer trains.

    Attributes:
        epochs: passes over the training set.
        steps: optimiser steps at least; a small training set gets more epochs.
        batch_size: items a batch at most; an epoch's batches are of equal size.
        lr: initial learning rate, of the backbone where it trains.
        weight_decay: decoupled weight decay, on weight matrices only.
        dropout: share of hidden units dropped (MLP head).
        input_dropout: share of standardised features dropped.
        hidden: hidden units (MLP head).
        head_rate: learning rate of what is new, hash layer included, in units of `lr`.
        loss_rate: learning rate of parameters that belong to the loss, in units of the
            head's.
        warmup: epochs in which the learning rate rises from 0.
        average: decay a step of the moving average of weights that is reported
            instead of the last weights, lowered in short trainings; 0 for none.
        clip: largest norm of a step's gradient; 0 leaves it as it is.
        optimizer: "adamw", or "sgd" with momentum 0.9.
        schedule: "cosine" to 0, or "step" to a tenth after each third.
        mixed: bfloat16 where a GPU has it.
        compiled: run the network through torch.compile.
        accumulate: parts a batch is passed in.
        select: "last" epoch, or the best on "validation" items held out.
        side: side in pixels to which tiny images are enlarged.
        unfreeze: late stages of the backbone that train; None for half.
        views: cached views of each training image.
    """

    epochs: int
    steps: int
    batch_size: int
    lr: float
    weight_decay: float
    dropout: float
    input_dropout: float
    hidden: int = 0
    head_rate: float = 1.0
    loss_rate: float = 1.0
    warmup: int = 0
    average: float = 0.0
    clip: float = 0.0
    optimizer: str = "adamw"
    schedule: str = "cosine"
    mixed: bool = False
    compiled: bool = False
    accumulate: int = 1
    select: str = "last"
    side: int | None = None
    unfreeze: int | None = None
    views: int = 1

    def epochs_for(self, batches: int) -> int:
        """Epochs of `batches` steps each that satisfy both `epochs` and `steps`."""
        return max(self.epochs, -(-self.steps // max(batches, 1)))


_LINEAR = Recipe(
    epochs=60,
    steps=600,
    batch_size=256,
    lr=1e-3,
    weight_decay=1.0,
    dropout=0.0,
    input_dropout=0.5,
)
_MLP = Recipe(
    epochs=20,
    steps=400,
    batch_size=256,
    lr=3e-3,
    weight_decay=1e-4,
    dropout=0.5,
    input_dropout=0.5,
    hidden=512,
)
_PARTIAL = Recipe(
    epochs=6,
    steps=300,
    batch_size=64,
    lr=3e-4,
    weight_decay=0.01,
    dropout=0.5,
    input_dropout=0.2,
    hidden=512,
    head_rate=10.0,
    average=0.99,
    warmup=1,
    clip=5.0,
    mixed=True,
    side=128,
    views=8,
)
_FULL = replace(_PARTIAL, epochs=10)

#: By training mode and head.
RECIPES: dict[tuple[str, str], Recipe] = {
    ("head", "linear"): _LINEAR,
    ("head", "mlp"): _MLP,
    ("partial", "linear"): _PARTIAL,
    ("partial", "mlp"): _PARTIAL,
    ("full", "linear"): _FULL,
    ("full", "mlp"): _FULL,
}

#: SGD's steps are not normalised: the same networks need a larger rate.
SGD_RATE = 10.0
