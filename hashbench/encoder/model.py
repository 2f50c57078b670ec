"""An encoder as one PyTorch module: frames of pixels in, packed bits out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hashbench.encoder.encoder import Encoder
from hashbench.encoder.fronts import PIXELS, FrozenFront, PlainFront, TrainedFront


class Model(nn.Module):
    """What is exported.

    Args:
        features: from `(n, ...)` uint8 frames to what the hash function takes.
        outputs: from there to `(n, bits)` real outputs.
        bits: code length.
    """

    powers: Tensor

    def __init__(self, features: nn.Module, outputs: nn.Module, bits: int) -> None:
        super().__init__()
        self.features = features
        self.outputs = outputs
        self.padding = -bits % 8
        self.register_buffer("powers", 2.0 ** torch.arange(8))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Codes, `(n, ceil(bits / 8))` uint8, and the `(n, bits)` float32 outputs they are of."""
        outputs: Tensor = self.outputs(self.features(images)).float()
        bits = nn.functional.pad((outputs > 0).float(), (0, self.padding))
        # Least significant bit first; sums up to 255 are exact.
        codes = (bits.reshape(bits.shape[0], -1, 8) * self.powers).sum(2).to(torch.uint8)
        return codes, outputs


class Relaxed(nn.Module):
    """A head, and the method's relaxation of its outputs.

    Args:
        head: from features to the hash layer's outputs.
        relax: the method's.
    """

    def __init__(self, head: nn.Module, relax: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.head = head
        self.relax = relax

    def forward(self, features: Tensor) -> Tensor:
        """`(n, bits)` relaxed outputs."""
        return self.relax(self.head(features))


class Flat(nn.Module):
    """Plain pixels from 0 to 1."""

    def forward(self, images: Tensor) -> Tensor:
        """Of `(n, ...)` uint8 frames."""
        return images.flatten(1).float() / 255


class Halved(nn.Module):
    """Early stages, whose activations late ones were trained on in half precision."""

    def __init__(self, early: nn.Module, late: nn.Module) -> None:
        super().__init__()
        self.early = early
        self.late = late

    def forward(self, images: Tensor) -> Tensor:
        """Features of `(n, height, width, 3)` uint8 frames."""
        return self.late(self.early(images).half())


def model_of(encoder: Encoder) -> Model:
    """The module that gives an encoder's codes.

    Raises:
        InputError: if the method's hash function cannot be exported.
    """
    from hashbench.backbones import provided

    with nullcontext() if encoder.network is None else provided(encoder.network):
        return Model(_features(encoder), _outputs(encoder), encoder.bits).cpu().eval()


def frames_of(encoder: Encoder, images: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Pictures as the model takes them, `(n, ...)` uint8.

    Args:
        encoder: whose model.
        images: as `Pictures.of` takes them.
    """
    from hashbench.encoder.pictures import Pictures

    pictures = images if isinstance(images, Pictures) else Pictures.of(images)
    return np.stack([encoder.front.frame(pictures.read(row)) for row in range(len(pictures))])


def _features(encoder: Encoder) -> nn.Module:
    from hashbench.backbones import get_backbone
    from hashbench.backbones.network import Graph

    front = encoder.front
    if isinstance(front, PlainFront):
        return Flat()
    if isinstance(front, FrozenFront):
        family = encoder.sight.backbone.removesuffix(":multi")
        network = get_backbone(family)
        side = network.preprocessing.side(encoder.sight.shape)
        multi = family != encoder.sight.backbone
        return Graph(network.build(side), network.preprocessing, side, multi=multi)
    assert isinstance(front, TrainedFront)
    trained = front.hasher.trained_network()[:1]
    inputs = front.hasher.inputs_
    cut = getattr(inputs, "cut", None)
    if cut is None:
        return trained
    # Built anew: what is cached may have been made in inference mode, which nothing can trace.
    return Halved(front.pixels.graph(type(cut)(front.pixels, cut.late).early), trained)


def _outputs(encoder: Encoder) -> nn.Module:
    from hashbench.training.deep import DeepHasher

    hasher = encoder.hasher
    if not isinstance(hasher, DeepHasher):
        from hashbench.encoder.tails import tail_of

        return tail_of(hasher)
    network = hasher.trained_network()
    return Relaxed(network if hasher.tuning == "head" else network[1:], hasher.relax)


def describe(encoder: Encoder) -> dict[str, Any]:
    """How pictures become the model's input, and how to read what it gives."""
    sight = encoder.sight
    shape = frames_of(encoder, np.zeros((1, *sight.shape), np.uint8)).shape[1:]
    body: dict[str, Any] = {
        "method": encoder.hasher.name,
        "backbone": sight.backbone,
        "bits": encoder.bits,
        "input": {"name": "images", "dtype": "uint8", "shape": ["n", *shape], "channels": "RGB"},
        "outputs": {
            "codes": "uint8 (n, ceil(bits / 8)): bit k is bit k % 8, least significant first, "
            "of byte k // 8",
            "outputs": "float32 (n, bits): a bit is 1 where its output is above 0",
        },
    }
    if len(shape) == 2:
        body["input"]["channels"] = "grey, as Pillow's convert('L')"
    front = encoder.front
    if sight.backbone == PIXELS:
        body["framing"] = {"resize": list(shape[:2]), "filter": "bicubic"}
        return body
    preprocessing = front.preprocessing if isinstance(front, FrozenFront) else None
    if isinstance(front, TrainedFront):
        preprocessing = front.pixels.preprocessing
    assert preprocessing is not None
    kind = "bicubic" if preprocessing.bicubic else "bilinear"
    from hashbench.backbones.backbone import tiny

    if tiny(sight.shape):
        body["framing"] = {"resize": list(shape[:2]), "filter": kind}
    else:
        body["framing"] = {
            "resize_short_side": preprocessing.resize,
            "centre_crop": preprocessing.crop,
            "filter": kind,
        }
    return body
