"""The base of deep methods: a method says its loss; everything else is here or below."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.hasher import Hasher
from hashbench.items import Items, TrainItems
from hashbench.methods import trainer
from hashbench.methods.heads import trunk
from hashbench.methods.hyper import check, choice, number, whole
from hashbench.methods.pairs import PairBalance
from hashbench.methods.recipes import RECIPES, Recipe
from hashbench.methods.trainer import Step
from hashbench.seeds import derive

#: Items encoded at once.
ENCODE_BATCH = 4096

TRAINING = (
    "epochs",
    "batch_size",
    "lr",
    "weight_decay",
    "dropout",
    "input_dropout",
    "hidden",
)


@dataclass(kw_only=True, eq=False)
class DeepHasher(Hasher):
    """A method that trains a network by gradient descent on its own loss.

    A subclass is a dataclass too (`@dataclass(kw_only=True, eq=False)`): its
    fields are its hyper-parameters. It defines `loss`, and rarely anything else.

    Args:
        bits: code length.
        seed: root of all randomness.
        tuning: "head" trains on cached features of a frozen backbone.
        head: "linear" for the hash layer alone, "mlp" for a hidden layer before it.
        epochs: passes over the training set. This and the following are None
            for the recipe's value of the tuning mode and head.
        batch_size: items a batch at most.
        lr: initial learning rate.
        weight_decay: AdamW's weight decay.
        dropout: share of hidden units dropped, MLP head only.
        input_dropout: share of features dropped.
        hidden: hidden units, MLP head only.

    Attributes:
        state_: the trained network's tensors by name, on the CPU.
        dim_: number of features.
        history_: one dict an epoch: epoch, loss, lr.
    """

    kind: ClassVar[Literal["deep", "shallow"]] = "deep"
    test_params: ClassVar[Mapping[str, Any]] = {"epochs": 20, "batch_size": 40}
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "lr": (3e-4, 1e-2, "log"),
        "weight_decay": (1e-4, 3.0, "log"),
        "input_dropout": (0.0, 0.7),
    }

    bits: int = whole(48)
    seed: int = whole(0, low=0)
    tuning: str = choice("head", ("head", "partial", "full"))
    head: str = choice("linear", ("linear", "mlp"))
    epochs: int | None = whole(None)
    batch_size: int | None = whole(None, low=2)
    lr: float | None = number(None, above=0)
    weight_decay: float | None = number(None, low=0)
    dropout: float | None = number(None, low=0, below=1)
    input_dropout: float | None = number(None, low=0, below=1)
    hidden: int | None = whole(None)

    state_: dict[str, Tensor] = field(init=False, repr=False)
    dim_: int = field(init=False, repr=False)
    history_: list[dict[str, Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check(self)
        if (self.tuning, self.head) not in RECIPES:
            known = ", ".join(sorted({tuning for tuning, _ in RECIPES}))
            raise InputError(
                f"{self.name} cannot be trained with tuning '{self.tuning}' yet: use {known}"
            )

    @abstractmethod
    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """The scalar to minimise on one batch.

        Args:
            outputs: `(n, bits)` outputs of the hash layer, before any activation.
            labels: `(n, classes)` float32 multi-hot.
            step: where training stands, the batch's rows, the pair weights.
        """

    def relax(self, outputs: Tensor) -> Tensor:
        """Real-valued codes of `(n, bits)` outputs, of the same signs: tanh by default."""
        return torch.tanh(outputs)

    def prepare(self, labels: NDArray[np.uint8]) -> None:
        """Learn what the loss needs from the training labels, before training."""
        return

    def hash_layer(self, width: int) -> nn.Module:
        """The last layer: `(n, width)` in, `(n, bits)` out."""
        return nn.Linear(width, self.bits)

    def recipe(self) -> Recipe:
        """The training recipe: its defaults, and what was set on this instance."""
        chosen = {name: getattr(self, name) for name in TRAINING}
        given = {name: value for name, value in chosen.items() if value is not None}
        if self.epochs is not None:
            given["steps"] = 0  # whoever asks for epochs gets exactly those
        return replace(RECIPES[self.tuning, self.head], **given)

    def fit(self, train: TrainItems) -> Self:
        """Train on `train.features()` and `train.labels`.

        Raises:
            InputError: if there is no item, or the features are not finite.
            FloatingPointError: if the loss stops being finite.
        """
        if not len(train):
            raise InputError(f"{self.name} was given an empty training set")
        features = finite_features(train)
        recipe = self.recipe()
        self.prepare(train.labels)
        with (
            trainer.compute_on() as device,
            trainer.seeded(derive(self.seed, self.name, "train"), device) as generator,
        ):
            network = self._network(features.shape[1])
            network[0][0].learn(features)  # type: ignore[index]
            network.to(device)
            labels = torch.from_numpy(train.labels.astype(np.float32)).to(device)
            batches = trainer.TensorBatches(
                torch.from_numpy(features).to(device),
                labels,
                recipe.batch_size,
                derive(self.seed, self.name, "order"),
            )
            self.history_ = trainer.train(
                network, batches, self.loss, recipe, PairBalance.of(labels), generator
            )
        self.state_ = {name: value.cpu() for name, value in network.state_dict().items()}
        self.dim_ = features.shape[1]
        return self

    def encode(self, items: Items) -> Codes:
        """Codes of `items`, with `relax(outputs)` as their relaxed outputs.

        Raises:
            RuntimeError: before `fit`.
            InputError: if the features are not finite or of another dimension.
        """
        if not hasattr(self, "state_"):
            raise RuntimeError(f"{self.name} has not been fitted: call fit(train) first")
        with torch.device("meta"):  # no initialisation: the weights are at hand
            network = self._network(self.dim_)
        network.load_state_dict(self.state_, assign=True)
        parts = [Codes.from_real(np.empty((0, self.bits), np.float32))]
        with trainer.compute_on() as device, torch.inference_mode():
            network.to(device).eval()
            for part in items.batches(ENCODE_BATCH):
                features = finite_features(part)
                if features.shape[1] != self.dim_:
                    raise InputError(
                        f"{self.name} was fitted on {self.dim_} features and cannot encode "
                        f"{features.shape[1]}: use the backbone it was trained with"
                    )
                outputs = network(torch.from_numpy(features).to(device))
                parts.append(Codes.from_real(self.relax(outputs).cpu().numpy()))
        return Codes.concatenate(parts)

    def _network(self, dim: int) -> nn.Sequential:
        body, width = trunk(self.head, dim, self.recipe())
        return nn.Sequential(body, self.hash_layer(width))


def finite_features(items: Items) -> NDArray[np.float32]:
    """The `(n, dim)` features of `items`.

    Raises:
        InputError: naming the first item whose features hold NaN or infinity.
    """
    features = items.features()
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        item = items.ids[int(np.argmin(finite))]
        raise InputError(f"the features of {item} hold NaN or infinity: compute them again")
    return features
