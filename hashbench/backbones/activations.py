"""Tables that training from pixels reads, computed once and shared by every cell.

Beside the feature cache and made by its machinery (resumable, locked,
verified, memory-mapped): training images decoded to uint8 canvases, and the
activations between a network's early and late stages, in float16.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hashbench import runtime
from hashbench.backbones.backbone import Backbone, Preprocessing
from hashbench.backbones.cache import FORMAT, CachedTable
from hashbench.backbones.engines import FeatureEngine, best_engine
from hashbench.backbones.extraction import BATCH, Decoder
from hashbench.backbones.network import Graph, Trunk
from hashbench.backbones.regime import regime
from hashbench.backbones.views import VERSION, Draw, Viewer
from hashbench.data.folders import cache_root
from hashbench.errors import InputError
from hashbench.items import Items, rows_of, source_of

#: Root of the cached views' randomness: the same views for every cell and seed.
VIEW_SEED = 20181129


@dataclass(frozen=True)
class Pixels:
    """A backbone on the images of one data set, at one side.

    Attributes:
        backbone: the network.
        shape: typical shape of the data set's images.
        side: side in pixels of what the network sees.
    """

    backbone: Backbone
    shape: tuple[int, ...]
    side: int

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """The backbone's preprocessing at this side."""
        return self.backbone.preprocessing.at(self.side, self.shape)

    @cached_property
    def viewer(self) -> Viewer:
        """Canvases and views of these images."""
        return Viewer(self.preprocessing, self.shape)

    def build(self) -> Trunk:
        """The pretrained network for this side.

        Raises:
            InputError: if it cannot see images of this side.
        """
        trunk = self.backbone.build(self.side)
        try:
            with torch.no_grad():
                trunk(torch.zeros(1, 3, self.side, self.side))
        except Exception as error:  # every network says in its own way that a side does not fit
            why = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError(
                f"{self.backbone.name} cannot see images of {self.side} px a side ({why}): "
                f"set another side, such as {self.backbone.preprocessing.crop}"
            ) from error
        return trunk

    def graph(self, trunk: Trunk) -> Graph:
        """A trunk behind the normalisation and enlargement of uint8 pixels."""
        return Graph(trunk, self.preprocessing, self.side)

    def engine(self, trunk: Trunk) -> FeatureEngine:
        """The fastest engine for a trunk on these images."""
        where = runtime.current()
        graph, shape = self.graph(trunk).eval(), (*self.viewer.window, 3)
        return best_engine(graph, shape, where.threads, device=where.device)

    def decoder(self, items: Items) -> Decoder:
        """Decodes images as encoding sees them."""
        return Decoder(source_of(items), lambda image: self.preprocessing.frame(image, self.shape))

    def origin(self, items: Items) -> dict[str, Any]:
        """What every table of these images depends on."""
        return {
            "format": FORMAT,
            "images": source_of(items).fingerprint,
            "preprocessing": self.preprocessing.to_dict(),
            "seen_as": regime(self.shape),
        }


def canvases(pixels: Pixels, items: Items) -> NDArray[np.uint8]:
    """`(n, height, width, 3)` uint8 canvases of the items, decoded once."""
    viewer = pixels.viewer
    shape = (*viewer.canvas, 3)
    origin = pixels.origin(items) | {"rows": _digest(items), "views": VERSION, "what": "canvases"}
    table = _table(origin, "canvases", (len(items), int(np.prod(shape))), "uint8")
    found = table.open()
    if found is None:
        decoder = Decoder(source_of(items), viewer.prepare)
        found = table.compute(
            lambda rows: (
                batch.reshape(len(batch), -1) for batch in decoder.batches(rows_of(items)[rows])
            ),
            "decoder",
            runtime.current().progress,
        )
    return found.reshape(len(items), *shape)


class Early(nn.Module):
    """The stages before the cut; `(n, numbers)` outputs, channels last, as the tables hold them."""

    def __init__(self, stages: nn.Sequential) -> None:
        super().__init__()
        self.stages = stages

    def forward(self, pixels: Tensor) -> Tensor:
        """Activations in one row per image."""
        outputs: Tensor = self.stages(pixels)
        if outputs.ndim == 4:
            outputs = outputs.permute(0, 2, 3, 1)
        return outputs.flatten(1)


class Late(nn.Module):
    """The stages after the cut; takes rows of the tables as they are.

    Args:
        stages: the stages.
        shape: shape of one image's activations, channels first.
    """

    def __init__(self, stages: nn.Sequential, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.stages = stages
        self.shape = shape

    def forward(self, rows: Tensor) -> Tensor:
        """`(n, dim)` features of `(n, numbers)` activations."""
        activations = rows.float()
        if len(self.shape) == 3:
            channels, height, width = self.shape
            activations = activations.view(-1, height, width, channels).permute(0, 3, 1, 2)
        features: Tensor = self.stages(activations)
        return features


@dataclass(frozen=True)
class Cut:
    """A network cut into early stages, computed once, and late ones, which train.

    Attributes:
        pixels: network and images.
        late: how many stages are late.
    """

    pixels: Pixels
    late: int

    @cached_property
    def early(self) -> Trunk:
        """The early stages as a trunk of their own."""
        stages = self.pixels.build().stages
        return Trunk(nn.Sequential(Early(stages[: len(stages) - self.late]))).eval()

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image's activations, channels first."""
        side = self.pixels.side
        with torch.inference_mode():
            stages = self.early.stages[0].stages
            return tuple(stages(torch.zeros(1, 3, side, side)).shape[1:])  # type: ignore[operator]

    def rest(self) -> Late:
        """The late stages, as pretrained."""
        return Late(self.pixels.build().stages[-self.late :], self.shape)

    def of_source(self, items: Items) -> NDArray[np.float16]:
        """`(len(source), numbers)` float16 activations of every image of the items' data set."""
        source = source_of(items)
        table = self._cached(items, {"what": "activations"}, len(source))
        found = table.open()
        if found is not None:
            return found
        engine = self.pixels.engine(self.early)
        decoder = self.pixels.decoder(items)
        return table.compute(
            lambda rows: engine.run(decoder.batches(rows)),
            engine.name,
            lambda share, note: runtime.current().progress(share, f"early {note}"),
        )

    def of_views(self, items: Items, views: int) -> NDArray[np.float16]:
        """`(n * views, numbers)` float16 activations, an item's views side by side.

        The first view of each is centred and not mirrored.
        """
        what = {
            "what": "views",
            "rows": _digest(items),
            "views": [VERSION, VIEW_SEED, views],
        }
        table = self._cached(items, what, len(items) * views)
        found = table.open()
        if found is not None:
            return found
        images = canvases(self.pixels, items)
        engine = self.pixels.engine(self.early)
        return table.compute(
            lambda rows: engine.run(_views(self.pixels.viewer, images, rows, views)),
            engine.name,
            lambda share, note: runtime.current().progress(share, f"views, early {note}"),
        )

    def _cached(self, items: Items, what: dict[str, Any], rows: int) -> CachedTable:
        backbone = self.pixels.backbone
        origin = self.pixels.origin(items) | what
        origin |= {"backbone": backbone.name, "weights": backbone.weights(), "late": self.late}
        return _table(origin, backbone.name, (rows, int(np.prod(self.shape))), "float16")


def _views(
    viewer: Viewer, images: NDArray[np.uint8], rows: NDArray[np.int64], views: int
) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        draws = [_draw(viewer, int(row), views) for row in part]
        joined = Draw(*(np.concatenate(field) for field in zip(*draws, strict=True)))
        yield viewer.look(images[part // views], joined)


def _draw(viewer: Viewer, row: int, views: int) -> Draw:
    item, view = divmod(row, views)
    if view == 0:
        return viewer.centred(1)
    # Of the item and the view alone: more views leave the first ones as they are.
    return viewer.draw(np.random.default_rng([VIEW_SEED, item, view]), 1)


def _digest(items: Items) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows_of(items), "<i8").tobytes()).hexdigest()


def _table(origin: dict[str, Any], name: str, shape: tuple[int, int], dtype: str) -> CachedTable:
    key = hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()[:20]
    label = name.replace(":", "-").replace("/", "-")
    return CachedTable(cache_root() / "pixels" / f"{label}-{key}", shape, origin, dtype)
