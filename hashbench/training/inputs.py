"""Where a network's inputs come from: cached features, or what `pixels.py` adds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench.errors import InputError
from hashbench.items import Items, TrainItems, ids_of, rows_of
from hashbench.training.batches import Batches, TensorBatches
from hashbench.training.heads import Standardise
from hashbench.training.recipes import Recipe

#: Features put through a network at once: few enough to stay in a processor's cache.
FEATURE_BATCH = 1024


@dataclass(frozen=True)
class Inputs(ABC):
    """The inputs of one training mode: all that encoding needs to know of training's.

    Attributes:
        dim: features per item, as the head takes them.
    """

    dim: int

    @classmethod
    @abstractmethod
    def of(cls, train: TrainItems, recipe: Recipe, side: int | None) -> Self:
        """Inputs for a training set, everything that cells share of them computed.

        Args:
            train: the training set.
            recipe: how it will be trained.
            side: side in pixels asked for, or None.

        Raises:
            InputError: if the items have not what the mode needs.
        """

    @abstractmethod
    def backbone(self) -> list[nn.Module]:
        """What stands before the head: nothing, or the pretrained module that trains."""

    def trained(self, network: nn.Sequential) -> nn.Sequential:
        """The part of a network that trains on `batches`: all of it, unless they come prepared."""
        return network

    @abstractmethod
    def batches(
        self,
        train: TrainItems,
        labels: Tensor,
        recipe: Recipe,
        seed: int,
        standardise: nn.Module,
        *,
        two_views: bool = False,
    ) -> Batches:
        """The training set in batches, as `trained` of a network takes them.

        Args:
            train: the training set.
            labels: its `(n, classes)` float32 labels, on the device that trains.
            recipe: batch size and augmentation.
            seed: of order and augmentation.
            standardise: the network's first module behind its backbone.
            two_views: whether each item comes in two views.
        """

    @abstractmethod
    def run(
        self, module: nn.Sequential, items: Items, device: torch.device, *, engine: bool = False
    ) -> Iterator[NDArray[np.float32]]:
        """A module's outputs for the items, batch by batch, without augmentation.

        Args:
            module: in eval mode on `device`; begins with `backbone()`.
            items: the items.
            device: where to compute.
            engine: whether it is worth compiling the backbone for the fastest engine.
        """


@dataclass(frozen=True)
class FeatureInputs(Inputs):
    """Training mode "head": cached features of a frozen backbone."""

    @classmethod
    def of(cls, train: TrainItems, recipe: Recipe, side: int | None) -> Self:
        """Inputs of the features' dimension."""
        return cls(dim=finite_features(train).shape[1])

    def backbone(self) -> list[nn.Module]:
        """Nothing."""
        return []

    def trained(self, network: nn.Sequential) -> nn.Sequential:
        """What lies behind the standardisation, which is done once and not in every step."""
        return _apart(network)[1]

    def batches(
        self,
        train: TrainItems,
        labels: Tensor,
        recipe: Recipe,
        seed: int,
        standardise: nn.Module,
        *,
        two_views: bool = False,
    ) -> Batches:
        """Batches of standardised features, in memory."""
        features = torch.from_numpy(finite_features(train)).to(labels.device)
        with torch.no_grad():
            inputs = standardise(features)
        return TensorBatches(
            inputs, labels, recipe.batch_size, seed, features=features, two_views=two_views
        )

    def run(
        self, module: nn.Sequential, items: Items, device: torch.device, *, engine: bool = False
    ) -> Iterator[NDArray[np.float32]]:
        """Outputs for the features.

        Raises:
            InputError: if the features are not finite or of another dimension.
        """
        first, behind = _apart(module) if len(module) else (None, module)
        # A table on a disk is read once, in the order it lies there.
        order = np.argsort(rows_of(items), kind="stable")
        found: NDArray[np.float32] | None = None
        for start in range(0, len(items), FEATURE_BATCH):
            places = order[start : start + FEATURE_BATCH]
            features = finite_features(items.subset(places))
            if features.shape[1] != self.dim:
                raise InputError(
                    f"the method was fitted on {self.dim} features and cannot encode "
                    f"{features.shape[1]}: use the backbone it was trained with"
                )
            with torch.inference_mode():
                values = torch.from_numpy(features).to(device)
                # The features are a copy: to standardise them takes no memory but theirs.
                values = values if first is None else first.in_place(values)
                outputs = behind(values).cpu().numpy()
            if found is None:
                found = np.empty((len(items), *outputs.shape[1:]), outputs.dtype)
            found[places] = outputs
        if found is not None:
            yield found


def _apart(network: nn.Sequential) -> tuple[Standardise, nn.Sequential]:
    """A head's standardisation, and what lies behind it."""
    trunk, hash_layer = network
    assert isinstance(trunk, nn.Sequential)
    first = trunk[0]
    assert isinstance(first, Standardise)
    return first, nn.Sequential(trunk[1:], hash_layer)


def finite_features(items: Items) -> NDArray[np.float32]:
    """The `(n, dim)` features of `items`.

    Raises:
        InputError: naming the first item whose features hold NaN or infinity.
    """
    features = items.features()
    # A sum of what is finite rarely overflows, and of anything else never is finite. PyTorch's
    # takes a third of NumPy's time.
    if torch.from_numpy(features).sum().isfinite():
        return features
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        item = ids_of(items)[int(np.argmin(finite))]
        raise InputError(f"the features of {item} hold NaN or infinity: compute them again")
    return features
