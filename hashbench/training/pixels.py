"""Training from pixels: training modes "full" and "partial".

Both put a pretrained backbone, whole or its late stages, before the head. Its
batch normalisation keeps its statistics: batches of a small training set would
only blur them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from hashbench import runtime
from hashbench.backbones import get_backbone
from hashbench.backbones.activations import Cut, Pixels, canvases
from hashbench.backbones.backbone import tiny
from hashbench.backbones.engines import TorchEngine, best_engine
from hashbench.backbones.folding import fold
from hashbench.backbones.regime import typical_shape
from hashbench.errors import InputError
from hashbench.items import Items, TrainItems, rows_of, source_of
from hashbench.training.ahead import ahead
from hashbench.training.batches import Batch, Batches
from hashbench.training.inputs import Inputs
from hashbench.training.recipes import Recipe

#: Makes the inputs of rows, given the epoch's generator and number, and which view (0, 1).
MakeInputs = Callable[[NDArray[np.int64], np.random.Generator, int, int], Tensor]

#: Cached activations put through late stages at once.
BATCH = 64

#: The share of a GPU's free memory that canvases may take.
GPU_SHARE = 0.25


class PlainInputs(NamedTuple):
    """Inputs of a backbone without augmentation.

    Attributes:
        shape: of one input.
        dtype: of the inputs.
        batches: all of them, in order.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    batches: Iterator[NDArray[Any]]


class Pretrained(nn.Sequential):
    """A pretrained network that trains, its normalisation statistics frozen."""

    def train(self, mode: bool = True) -> Self:
        """Training mode for everything but batch normalisation."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
        return self


@dataclass(frozen=True)
class PixelInputs(Inputs):
    """What the two modes share.

    Attributes:
        network: name of the backbone.
        shape: typical shape of the data set's images.
        side: side in pixels of what the network sees.
    """

    network: str
    shape: tuple[int, ...]
    side: int

    @cached_property
    def pixels(self) -> Pixels:
        """The backbone on these images."""
        return Pixels(get_backbone(self.network), self.shape, self.side)

    def __getstate__(self) -> dict[str, object]:
        """The fields alone: networks are built again where they are needed."""
        return {name: value for name, value in vars(self).items() if name not in _DERIVED}

    @classmethod
    def of(cls, train: TrainItems, recipe: Recipe, side: int | None) -> Self:
        """Inputs for a training set.

        Raises:
            InputError: if the items have no images or no network.
        """
        name = train.backbone
        if not name or name == "pixels" or name.endswith(":multi"):
            what = f"the backbone '{name}' is no network" if name else "there is no backbone"
            raise InputError(
                f"training modes partial and full train a network, and {what}: choose one with "
                "--backbone, such as efficientnet_lite0"
            )
        network = get_backbone(name)
        shape = typical_shape(source_of(train))
        natural = recipe.side if tiny(shape) else network.preprocessing.crop
        made = cls(dim=network.dim, network=name, shape=shape, side=side or natural or 0)
        return made._with(train, recipe)

    @abstractmethod
    def _with(self, train: TrainItems, recipe: Recipe) -> Self:
        """The same, with what the mode needs of the training set at hand."""

    @abstractmethod
    def _seen(self, items: Items) -> PlainInputs:
        """What the backbone is given of whole or centred images, not mirrored."""

    def run(
        self, module: nn.Sequential, items: Items, device: torch.device, *, engine: bool = False
    ) -> Iterator[NDArray[np.float32]]:
        """Outputs for the images as feature extraction sees them."""
        # A method's own layers stay in PyTorch: no converter knows them all.
        backbone, head = module[:1], module[1:]
        shape, dtype, batches = self._seen(items)
        threads = runtime.current().threads
        if engine and device.type == "cpu":
            runner = best_engine(backbone, shape, threads, device="cpu", dtype=dtype)
        else:
            runner = TorchEngine(backbone, str(device), threads)
        for features in runner.run(batches):
            with torch.inference_mode():
                outputs = head(torch.from_numpy(features).to(device)).cpu().numpy()
            yield outputs


_DERIVED = ("pixels", "cut")


@dataclass(frozen=True)
class FrameInputs(PixelInputs):
    """Training mode "full": every stage trains, on live crops and flips."""

    def _with(self, train: TrainItems, recipe: Recipe) -> Self:
        canvases(self.pixels, train)
        return self

    def backbone(self) -> list[nn.Module]:
        """The whole network behind normalisation and enlargement: takes uint8 pixels."""
        trunk = self.pixels.build()
        fold(trunk.stages, _noise(3, self.side, self.side))
        return [Pretrained(self.pixels.graph(trunk))]

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
        """Batches of uint8 views, drawn anew in each epoch."""
        viewer, images = self.pixels.viewer, canvases(self.pixels, train)
        there = _on_gpu(images, labels.device)

        def views(
            rows: NDArray[np.int64], generator: np.random.Generator, _epoch: int, _view: int
        ) -> Tensor:
            draw = viewer.draw(generator, len(rows))
            if there is not None:
                return viewer.look_there(there, rows, draw)
            return torch.from_numpy(viewer.look(images[rows], draw))

        return DrawnBatches(
            views, labels, recipe.batch_size, seed, two_views=two_views, even=recipe.compiled
        )

    def _seen(self, items: Items) -> PlainInputs:
        shape = (*self.pixels.viewer.window, 3)
        return PlainInputs(shape, torch.uint8, self.pixels.decoder(items).batches(rows_of(items)))


@dataclass(frozen=True)
class ActivationInputs(PixelInputs):
    """Training mode "partial": late stages train on the early ones' cached activations.

    Attributes:
        late: how many stages train.
    """

    late: int = 0

    @cached_property
    def cut(self) -> Cut:
        """The network in two."""
        return Cut(self.pixels, self.late)

    def _with(self, train: TrainItems, recipe: Recipe) -> Self:
        stages = len(self.pixels.build().stages)
        if stages == 1:
            raise InputError(
                f"{self.network} is a single stage and has no late ones to train: "
                "use --train full, or another backbone"
            )
        late = recipe.unfreeze or stages // 2
        if late >= stages:
            raise InputError(
                f"{self.network} has {stages} stages and {late} of them cannot be trained "
                f"on cached activations: set unfreeze to 1 to {stages - 1}, or use --train full"
            )
        made = replace(self, late=late)
        made.cut.of_views(train, recipe.views)
        made.cut.of_source(train)
        return made

    def backbone(self) -> list[nn.Module]:
        """The late stages: take rows of the tables."""
        late = self.cut.rest()
        fold(late.stages, _noise(*self.cut.shape))
        return [Pretrained(late)]

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
        """Batches of activations; an item goes through all its views before one comes again.

        A second view is any of the others.
        """
        table, views = self.cut.of_views(train, recipe.views), recipe.views
        first = np.random.default_rng(seed).integers(0, views, len(train))

        def seen(
            rows: NDArray[np.int64], generator: np.random.Generator, epoch: int, view: int
        ) -> Tensor:
            turn = first[rows] + epoch
            if view and views > 1:
                turn = turn + generator.integers(1, views, len(rows))
            return torch.from_numpy(table[rows * views + turn % views])

        return DrawnBatches(
            seen, labels, recipe.batch_size, seed, two_views=two_views, even=recipe.compiled
        )

    def _seen(self, items: Items) -> PlainInputs:
        table = self.cut.of_source(items)
        batches = (table[rows_of(part)] for part in items.batches(BATCH))
        return PlainInputs(table.shape[1:], torch.float16, batches)


def _on_gpu(images: NDArray[np.uint8], device: torch.device) -> Tensor | None:
    """Canvases on the GPU that trains, if they leave most of its memory free; else None."""
    if device.type != "cuda" or images.nbytes > GPU_SHARE * torch.cuda.mem_get_info(device)[0]:
        return None
    return torch.from_numpy(np.ascontiguousarray(images)).to(device)


def _noise(*shape: int) -> Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))


class DrawnBatches:
    """Batches whose inputs are made for each epoch.

    An epoch depends on the seed and its number alone, so that training can go
    on from any of them. It is cut into parts of equal size, but for an item.

    Args:
        inputs: makes the inputs of rows, given the epoch's generator and number, and
            which view.
        labels: `(n, classes)` float32, on the device that trains.
        batch_size: items a batch at most.
        seed: of order and augmentation.
        two_views: give two views of every item.
        even: leave out the few items, other ones in each epoch, that would make some batches
            an item longer: for networks that are compiled for one size.
    """

    def __init__(
        self,
        inputs: MakeInputs,
        labels: Tensor,
        batch_size: int,
        seed: int,
        *,
        two_views: bool = False,
        even: bool = False,
    ) -> None:
        self.inputs = inputs
        self.even = even
        self.labels = labels
        self.seed = seed
        self.two_views = two_views
        self.count = -(-len(labels) // batch_size)

    def __len__(self) -> int:
        return self.count

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch; on a GPU the next ones are made while this one trains."""
        device = self.labels.device
        pin = device.type == "cuda"
        made = self._made(number, pin=pin)
        for inputs, rows in made if device.type == "cpu" else ahead(made):
            # From memory that is not pinned, a copy that nobody waits for can go wrong (MPS).
            rows = rows.to(device, non_blocking=pin)
            yield Batch(inputs.to(device, non_blocking=pin), self.labels[rows], rows)

    def _made(self, number: int, *, pin: bool) -> Iterator[tuple[Tensor, Tensor]]:
        generator = np.random.default_rng([self.seed, number])
        order = generator.permutation(len(self.labels))
        if self.even:
            order = order[: len(order) - len(order) % self.count]
        for rows in np.array_split(order, self.count):
            inputs = self.inputs(rows, generator, number, 0)
            if self.two_views:
                inputs = torch.cat([inputs, self.inputs(rows, generator, number, 1)])
            positions = torch.from_numpy(rows)
            if pin:
                positions = positions.pin_memory()
                inputs = inputs if inputs.is_cuda else inputs.pin_memory()
            yield inputs, positions
