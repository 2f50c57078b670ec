"""The base of deep methods: a method says its loss; everything else is here or below."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench import runtime
from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.hasher import Hasher
from hashbench.hyper import check, choice, number, whole
from hashbench.items import Items, TrainItems, demand_items, rows_of, source_of
from hashbench.seeds import derive
from hashbench.training import selection, trainer
from hashbench.training.allocator import freed_memory_kept
from hashbench.training.arrays import OnArrays, training_items
from hashbench.training.balance import PairBalance
from hashbench.training.checkpoints import Checkpoint
from hashbench.training.device import compute_on, seeded
from hashbench.training.heads import Standardise, trunk
from hashbench.training.inputs import FeatureInputs, Inputs
from hashbench.training.recipes import RECIPES, SGD_RATE, Recipe
from hashbench.training.restored import check_restored
from hashbench.training.step import Objective, Step

TRAINING = (
    "epochs",
    "batch_size",
    "lr",
    "weight_decay",
    "dropout",
    "input_dropout",
    "hidden",
    "average",
    "optimizer",
    "schedule",
    "accumulate",
    "compiled",
    "select",
    "side",
    "unfreeze",
    "views",
)

PIXELS = ("partial", "full")


@dataclass(kw_only=True, eq=False)
class DeepHasher(Hasher, OnArrays):
    """A method that trains a network by gradient descent on its own loss.

    A subclass is a dataclass too (`@dataclass(kw_only=True, eq=False)`): its
    fields are its hyper-parameters. It defines `loss`, and rarely anything else:
    what the loss needs of the labels (`prepare`), what belongs to it and not to
    the network (`loss_state`), a step between epochs (`between_epochs`), another
    last layer (`hash_layer`) or relaxation (`relax`).

    Args:
        bits: code length.
        seed: root of all randomness.
        tuning: "head" trains on cached features of a frozen backbone, "partial"
            also its late stages, "full" all of it, from pixels.
        head: "linear" for the hash layer alone, "mlp" for a hidden layer before it.
        epochs: passes over the training set. This and the following are None
            for the recipe's value of the training mode and head.
        batch_size: items a batch at most.
        lr: initial learning rate.
        weight_decay: AdamW's weight decay.
        dropout: share of hidden units dropped, MLP head only.
        input_dropout: share of features dropped.
        hidden: hidden units, MLP head only.
        average: decay a step of the moving average of weights that is kept
            instead of the last weights, lowered to 1 - 4/steps in trainings
            that are short for it; 0 keeps the last.
        optimizer: "adamw" or "sgd". This and the following are for training
            from pixels.
        schedule: "cosine" or "step".
        accumulate: parts a batch is passed in, where memory is short.
        compiled: run the network through torch.compile.
        select: report the "last" epoch, or the best on a fifth of the training
            set held out for "validation".
        side: side in pixels of what the network sees.
        unfreeze: how many late stages of the backbone train, "partial" only.
        views: cached augmented views of each training image, "partial" only.

    Attributes:
        state_: the trained network's tensors by name, on the CPU.
        inputs_: where its inputs come from.
        history_: one dict an epoch: epoch, loss, lr, with select="validation" validation.

    Example:
        >>> from dataclasses import dataclass
        >>> import hashbench, numpy as np
        >>> @dataclass(kw_only=True, eq=False)
        ... class Pull(hashbench.DeepHasher):
        ...     name = "pull"
        ...
        ...     def loss(self, outputs, labels, step):
        ...         similar = labels @ labels.T > 0
        ...         inner = outputs.tanh() @ outputs.tanh().T / self.bits
        ...         return (inner - 2.0 * similar + 1).square().mean()
        >>> X, y = np.repeat(np.eye(2), 10, axis=0), np.repeat([0, 1], 10)
        >>> codes = Pull(bits=8, epochs=30).fit(X, y).transform(X)
        >>> codes.shape, bool((codes[0] != codes[-1]).any())
        ((20, 8), True)
    """

    kind: ClassVar[Literal["deep", "shallow"]] = "deep"
    version: ClassVar[str] = "4"
    test_params: ClassVar[Mapping[str, Any]] = {"epochs": 20, "batch_size": 40}
    #: Where a loss has no hyper-parameter that matters: around the linear head's recipe.
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "lr": [3e-4, 5e-4, 2e-3, 4e-3],
        "weight_decay": [0.3, 3.0],
    }

    #: True for losses that compare two views of each item: `step.second` is the other one.
    two_views: ClassVar[bool] = False

    only_for: ClassVar[Mapping[str, Sequence[str]]] = {
        **dict.fromkeys(("optimizer", "schedule", "accumulate", "compiled", "select"), PIXELS),
        "side": PIXELS,
        "unfreeze": ("partial",),
        "views": ("partial",),
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
    average: float | None = number(None, low=0, below=1)
    optimizer: str = choice("adamw", ("adamw", "sgd"))
    schedule: str = choice("cosine", ("cosine", "step"))
    accumulate: int = whole(1)
    compiled: bool = False
    select: str = choice("last", ("last", "validation"))
    side: int | None = whole(None, low=32)
    unfreeze: int | None = whole(None)
    views: int | None = whole(None)

    state_: dict[str, Tensor] = field(init=False, repr=False)
    inputs_: Inputs = field(init=False, repr=False)
    history_: list[dict[str, Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check(self)
        if self.select == "validation" and not self.supervised:
            raise InputError(
                f"{self.name} learns without labels, and select=validation would choose its "
                "epoch by them: use select=last"
            )

    @abstractmethod
    def loss(self, outputs: Tensor, labels: Tensor, step: Step) -> Tensor:
        """The scalar to minimise on one batch.

        Args:
            outputs: `(n, bits)` outputs of the hash layer, before any activation.
            labels: `(n, classes)` float32 multi-hot; zeros for a method that is not
                `supervised`.
            step: where training stands, the batch's rows, the pair weights, and
                what else a loss may know.
        """

    def relax(self, outputs: Tensor) -> Tensor:
        """Real-valued codes of `(n, bits)` outputs, of the same signs: tanh by default."""
        return torch.tanh(outputs)

    def prepare(self, labels: NDArray[np.uint8]) -> None:
        """Learn what the loss needs from the training labels, before training."""
        return

    def loss_state(
        self, labels: NDArray[np.uint8], features: NDArray[np.float32]
    ) -> nn.Module | None:
        """What belongs to the loss and not to the network; the loss finds it in `step.state`.

        Its parameters (proxies, a classifier) are trained with the head's, its
        buffers (a memory bank, codes) are the loss's to change; both are on the
        network's device, are saved with it in checkpoints, and end with training:
        `encode` never sees them. Initialised from torch's global generator, seeded here.

        Args:
            labels: `(n, classes)` of the training set.
            features: `(n, dim)` of the training set, as `step.features` has them.
        """
        return None

    def between_epochs(self, labels: Tensor, step: Step) -> None:
        """Change `step.state` between two epochs, without gradients.

        Args:
            labels: `(n, classes)` float32 of the whole training set.
            step: where training stands; its rows are the whole training set.
        """
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
        recipe = replace(RECIPES[self.tuning, self.head], **given)
        if self.optimizer == "sgd" and self.lr is None:
            recipe = replace(recipe, lr=SGD_RATE * recipe.lr)
        return recipe

    def in_use(self) -> dict[str, Any]:
        """What is used of hyper-parameters that may be None, by name; None where data decide.

        A method with such ones of its own adds them to the recipe's.
        """
        recipe = self.recipe()
        if self.head == "linear":  # which has no hidden unit
            recipe = replace(recipe, hidden=0, dropout=0.0)
        return {name: getattr(recipe, name) for name in TRAINING}

    def fit(self, train: TrainItems | NDArray[Any], y: NDArray[Any] | None = None) -> Self:
        """Train on `train.labels`, and on features, or on images in the modes that do.

        Plain arrays do too: `(n, dim)` features, and `(n,)` class ids or `(n, classes)`
        multi-hot labels, which methods without labels need not be given.

        Training from pixels is saved after every epoch where the runtime names a
        folder for checkpoints, and goes on from what is found there.

        Raises:
            InputError: if there is no item, the features are not finite, the items have
                no images to train from, or a hyper-parameter was set to nonsense.
            FloatingPointError: if the loss stops being finite.
        """
        check(self)  # set_params may have changed them
        train = training_items(train, y, self.name, supervised=self.supervised)
        if not len(train):
            raise InputError(f"{self.name} was given an empty training set")
        recipe = self.recipe()
        train, held = self._parts(train)
        if not self.supervised:
            train = replace(train, labels=np.zeros_like(train.labels))
        seed = derive(self.seed, self.name, "train")
        # The device is checked before anything long begins; nothing of that draws what follows.
        with compute_on(self._threads) as device, freed_memory_kept():
            inputs = self._inputs().of(train, recipe, self.side)
            self.prepare(train.labels)
            with seeded(seed, device) as generator:
                network = self._network(inputs).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
                first = network[-2][0]
                assert isinstance(first, Standardise)
                backbone = network[:-2].eval()
                features = np.concatenate(list(inputs.run(backbone, train, device)))
                first.learn(features)
                state = self.loss_state(train.labels, features)
                if state is not None:
                    state.to(device)
                labels = torch.from_numpy(train.labels.astype(np.float32)).to(device)
                order = derive(self.seed, self.name, "order")
                encode = self._encoder(network, inputs, device)
                # Masks of dropout do not depend on what initialisation drew before: they are
                # those of the other code lengths, which can train together.
                torch.manual_seed(derive(self.seed, self.name, "dropout"))
                self.history_ = trainer.train(
                    inputs.trained(network),
                    inputs.batches(train, labels, recipe, order, first, two_views=self.two_views),
                    Objective(self.loss, state, self.between_epochs, self.two_views),
                    recipe,
                    PairBalance.of(labels),
                    generator,
                    None if held is None else partial(selection.judge, held, encode),
                    self._checkpoint(train, recipe, device),
                )
        self.state_ = {name: value.cpu() for name, value in network.state_dict().items()}
        self.inputs_ = inputs
        return self

    def precompute(self, train: TrainItems) -> None:
        """Decode images and compute early activations, where the training mode needs them.

        Raises:
            InputError: if the items have no images to train from.
        """
        if self.tuning in PIXELS:
            self._inputs().of(self._parts(train)[0], self.recipe(), self.side)

    def encode(self, items: Items) -> Codes:
        """Codes of `items`, with `relax(outputs)` as their relaxed outputs.

        Raises:
            RuntimeError: before `fit`.
            InputError: if the features are not finite or of another dimension.
        """
        if not hasattr(self, "state_"):
            raise RuntimeError(f"{self.name} has not been fitted: call fit(train) first")
        demand_items(self.name, items)
        with compute_on(self._threads) as device, seeded(self.seed, device):
            network = self.trained_network()
            network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            return self._encoder(network, self.inputs_, device, engine=True)(items)

    def trained_network(self) -> nn.Sequential:
        """The trained network, in eval mode: what trained of the backbone, trunk, hash layer.

        In the head mode its tensors are those of `state_`; do not change them.
        """
        if self.tuning in PIXELS:
            with seeded(self.seed, torch.device("cpu")):
                network = self._network(self.inputs_)
            network.load_state_dict(self.state_)
        else:
            with torch.device("meta"):  # no initialisation: the weights are at hand
                network = self._network(self.inputs_)
            network.load_state_dict(self.state_, assign=True)
        return network.eval()

    def restore(self, learned: dict[str, Any]) -> None:
        """Take up what `learned` gave.

        Raises:
            ValueError: if it does not fit the hyper-parameters.
        """
        super().restore(learned)
        check_restored(self)

    def feature_dim(self) -> int | None:
        """How many features an item must have; None if it encodes from pixels."""
        return self.inputs_.dim if self.tuning == "head" else None

    @property
    def _threads(self) -> int | None:
        """How many to use, if not what the runtime says."""
        return runtime.HEAD_THREADS if self.tuning == "head" else None

    def _parts(self, train: TrainItems) -> tuple[TrainItems, TrainItems | None]:
        """What to train on, and what is held out to judge epochs by."""
        if self.select == "validation":
            return selection.hold_out(train, self.seed)
        return train, None

    def _encoder(
        self, network: nn.Sequential, inputs: Inputs, device: torch.device, *, engine: bool = False
    ) -> Callable[[Items], Codes]:
        def encode(items: Items) -> Codes:
            parts = [Codes.from_real(np.empty((0, self.bits), np.float32))]
            for outputs in inputs.run(network, items, device, engine=engine):
                parts.append(Codes.from_real(self.relax(torch.from_numpy(outputs)).numpy()))
            return Codes.concatenate(parts)

        return encode

    def _inputs(self) -> type[Inputs]:
        if self.tuning == "head":
            return FeatureInputs
        from hashbench.training.pixels import ActivationInputs, FrameInputs

        return ActivationInputs if self.tuning == "partial" else FrameInputs

    def _network(self, inputs: Inputs) -> nn.Sequential:
        backbone = inputs.backbone()
        body, width = trunk(self.head, inputs.dim, self.recipe())
        return nn.Sequential(*backbone, body, self.hash_layer(width))

    def _checkpoint(
        self, train: TrainItems, recipe: Recipe, device: torch.device
    ) -> Checkpoint | None:
        folder = runtime.current().checkpoints
        if folder is None or self.tuning not in PIXELS:
            return None
        params = {item.name: getattr(self, item.name) for item in fields(self) if item.init}
        body = {
            "method": [type(self).__name__, self.name, self.version, params],
            "recipe": asdict(recipe),
            "images": source_of(train).fingerprint,
            "rows": hashlib.sha256(np.ascontiguousarray(rows_of(train)).tobytes()).hexdigest(),
            "labels": hashlib.sha256(np.ascontiguousarray(train.labels).tobytes()).hexdigest(),
            "backbone": train.backbone,
        }
        return Checkpoint(folder, json.dumps(body, sort_keys=True, default=str), device.type)
