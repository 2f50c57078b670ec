"""From pictures to what a hasher takes: frames, and the features an engine makes of them.

Nothing is cached: what is encoded here is encoded once. The engines are those
of training and feature extraction, so that codes agree with stored ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hashbench import runtime
from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.hasher import Hasher
from hashbench.items import items_from_features
from hashbench.parsing import in_number
from hashbench.sight import Sight

if TYPE_CHECKING:
    from hashbench.training.deep import DeepHasher

Batches = Iterable[NDArray[Any]]

#: Plain pixels as features, see `backbones/pixels.py`.
PIXELS = "pixels"


class Front(Protocol):
    """Pictures to features, and features to codes."""

    def frame(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture as a uint8 array of the one shape that goes in."""

    def features(self, frames: Batches) -> Iterator[NDArray[np.float32]]:
        """Features of batches of frames, in order."""

    def codes(self, features: NDArray[np.float32]) -> Codes:
        """Codes of `(n, dim)` features."""


def front_of(hasher: Hasher, sight: Sight) -> Front:
    """The front of a fitted hasher, its engine compiled.

    Raises:
        InputError: if the hasher's features are not those of its backbone, or
            weights are missing.
    """
    if hasher.feature_dim() is None and hasher.kind == "deep":
        from hashbench.training.deep import DeepHasher

        if isinstance(hasher, DeepHasher) and hasher.tuning != "head":
            return TrainedFront(hasher)
    return PlainFront(hasher, sight) if sight.backbone == PIXELS else FrozenFront(hasher, sight)


class _OnFeatures:
    """What hashers on features share.

    Args:
        hasher: the fitted hasher.
        sight: what it was shown.
        dim: how many features there are.
    """

    def __init__(self, hasher: Hasher, sight: Sight, dim: int) -> None:
        wanted = hasher.feature_dim() or sight.features
        if wanted is not None and wanted != dim:
            raise InputError(
                f"{hasher.name} was fitted on {wanted} features and {sight.backbone} gives {dim}: "
                "this hasher was trained with another backbone"
            )
        self.hasher = hasher

    def codes(self, features: NDArray[np.float32]) -> Codes:
        """Codes of `(n, dim)` features.

        Raises:
            InputError: if the method gives anything but a code for each.
            Exception: whatever it raises.
        """
        codes = self.hasher.encode(items_from_features(features, "picture"))
        whole = isinstance(codes, Codes) and len(codes) == len(features)
        if not whole or codes.bits != self.hasher.bits:
            raise InputError(
                f"{self.hasher.name} gave no Codes of {self.hasher.bits} bits for each of "
                f"{in_number(len(features), 'picture', 'pictures')}: mend its `encode`"
            )
        return codes


class PlainFront(_OnFeatures):
    """Pixels as features: pictures are resized whole to the size of the training images."""

    def __init__(self, hasher: Hasher, sight: Sight) -> None:
        self.height, self.width, _ = sight.shape
        grey = self.height * self.width
        self.grey = (hasher.feature_dim() or sight.features) == grey
        super().__init__(hasher, sight, grey if self.grey else 3 * grey)

    def frame(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture at the training images' size, in their number of channels."""
        picture = Image.fromarray(image)
        if self.grey:
            picture = picture.convert("L")
        if picture.size != (self.width, self.height):
            picture = picture.resize((self.width, self.height), Image.Resampling.BICUBIC)
        return np.asarray(picture)

    def features(self, frames: Batches) -> Iterator[NDArray[np.float32]]:
        """Pixels from 0 to 1."""
        for batch in frames:
            yield batch.reshape(len(batch), -1).astype(np.float32) / np.float32(255)


class FrozenFront(_OnFeatures):
    """Features of a pretrained network, for shallow hashers and heads."""

    def __init__(self, hasher: Hasher, sight: Sight) -> None:
        from hashbench.backbones import get_backbone
        from hashbench.backbones.extraction import make_engine

        family = sight.backbone.removesuffix(":multi")
        network = get_backbone(family)
        multi = family != sight.backbone
        self.dim = network.multi_dim if multi else network.dim
        super().__init__(hasher, sight, self.dim)
        self.preprocessing, self.shape = network.preprocessing, sight.shape
        # As extraction does it, whose first columns are the plain features.
        self.engine = make_engine(network, sight.shape, multi=network.multi_dim > 0)

    def frame(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture enlarged or cropped as the training images were."""
        return self.preprocessing.frame(image, self.shape)

    def features(self, frames: Batches) -> Iterator[NDArray[np.float32]]:
        """Features of the frozen network."""
        for features in self.engine.run(frames):
            yield features[:, : self.dim]


class TrainedFront:
    """A network trained from pixels, whole or in its late stages."""

    def __init__(self, hasher: DeepHasher) -> None:
        import torch

        from hashbench.backbones.engines import TorchEngine, best_engine
        from hashbench.training.device import compute_on
        from hashbench.training.pixels import ActivationInputs, PixelInputs

        inputs = hasher.inputs_
        assert isinstance(inputs, PixelInputs)
        self.hasher, self.pixels = hasher, inputs.pixels
        network, threads = hasher.trained_network(), runtime.current().threads
        self.early = None
        shape: tuple[int, ...] = (*self.pixels.viewer.window, 3)
        dtype = torch.uint8
        if isinstance(inputs, ActivationInputs):
            self.early = self.pixels.engine(inputs.cut.early)
            shape, dtype = (int(np.prod(inputs.cut.shape)),), torch.float16
        with compute_on() as device:
            self.device = device
        if self.device.type == "cpu":
            self.late = best_engine(network[:1], shape, threads, device="cpu", dtype=dtype)
        else:
            self.late = TorchEngine(network[:1], str(self.device), threads)
        self.head = network[1:].to(self.device)

    def frame(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture as the network sees training images, without augmentation."""
        return self.pixels.preprocessing.frame(image, self.pixels.shape)

    def features(self, frames: Batches) -> Iterator[NDArray[np.float32]]:
        """Features of the trained network."""
        if self.early is None:
            return self.late.run(frames)
        # Late stages were trained on activations of half precision.
        return self.late.run(part.astype(np.float16) for part in self.early.run(frames))

    def codes(self, features: NDArray[np.float32]) -> Codes:
        """Codes of `(n, dim)` features."""
        import torch

        with torch.inference_mode():
            outputs = self.head(torch.from_numpy(features).to(self.device)).cpu()
            return Codes.from_real(self.hasher.relax(outputs).numpy())
