"""A few of the corruptions of CIFAR-10-C and ImageNet-C, made on the fly.

Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common
Corruptions and Perturbations", ICLR 2019; the constants are those of the released
generators, `make_cifar_c.py` for tiny images and `make_imagenet_c.py` for others.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hashbench.items import ImageSource
from hashbench.seeds import derive

#: Raised when a corruption gives other pixels than before.
VERSION = 1

#: Images up to this many pixels a side take CIFAR-10-C's constants.
TINY = 64

#: By kind: CIFAR-10-C's and ImageNet-C's constant of severities 1 to 5.
_CONSTANTS: Mapping[str, tuple[Sequence[float], Sequence[float]]] = {
    "gaussian_noise": ((0.04, 0.06, 0.08, 0.09, 0.10), (0.08, 0.12, 0.18, 0.26, 0.38)),
    "gaussian_blur": ((0.4, 0.6, 0.7, 0.8, 1.0), (1, 2, 3, 4, 6)),
    "contrast": ((0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05)),
    "jpeg_compression": ((80, 65, 58, 50, 40), (25, 18, 15, 10, 7)),
}

KINDS = tuple(_CONSTANTS)


def corrupt(image: NDArray[np.uint8], kind: str, severity: int, seed: int) -> NDArray[np.uint8]:
    """A corrupted copy of an image.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        kind: one of `KINDS`.
        severity: 1 to 5.
        seed: of the noise.
    """
    tiny = max(image.shape[:2]) <= TINY
    constant = _CONSTANTS[kind][0 if tiny else 1][severity - 1]
    return _FUNCTIONS[kind](image, constant, seed)


def _noise(image: NDArray[np.uint8], scale: float, seed: int) -> NDArray[np.uint8]:
    # NumPy promises that this older generator's stream never changes.
    random = np.random.RandomState(seed % 2**32)
    return _pixels(image / 255 + random.normal(scale=scale, size=image.shape))


def _blur(image: NDArray[np.uint8], sigma: float, _seed: int) -> NDArray[np.uint8]:
    """Convolution with a Gaussian, cut off at 4 sigma, the rim continued."""
    radius = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights /= weights.sum()
    blurred = image / 255
    for axis in (0, 1):
        rim = [(radius, radius) if axis == other else (0, 0) for other in range(3)]
        wide = np.pad(blurred, rim, mode="edge")
        size = blurred.shape[axis]
        blurred = sum(
            weight * wide.take(range(start, start + size), axis)
            for start, weight in enumerate(weights)
        )
    return _pixels(blurred)


def _contrast(image: NDArray[np.uint8], share: float, _seed: int) -> NDArray[np.uint8]:
    shades = image / 255
    means = shades.mean(axis=(0, 1), keepdims=True)
    return _pixels((shades - means) * share + means)


def _jpeg(image: NDArray[np.uint8], quality: float, _seed: int) -> NDArray[np.uint8]:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=int(quality))
    return np.asarray(Image.open(stream).convert("RGB"))


def _pixels(shades: NDArray[np.float64]) -> NDArray[np.uint8]:
    # Cut off rather than rounded, as the released generators do.
    return (np.clip(shades, 0, 1) * 255).astype(np.uint8)


_FUNCTIONS: Mapping[str, Callable[[NDArray[np.uint8], float, int], NDArray[np.uint8]]] = {
    "gaussian_noise": _noise,
    "gaussian_blur": _blur,
    "contrast": _contrast,
    "jpeg_compression": _jpeg,
}


class CorruptedSource:
    """Some images of a source, corrupted when they are read.

    Args:
        source: the images.
        rows: `(n,)` which of them.
        kind: one of `KINDS`.
        severity: 1 to 5.
        seed: root seed of the noise.
    """

    def __init__(
        self, source: ImageSource, rows: NDArray[np.int64], kind: str, severity: int, seed: int
    ) -> None:
        self.source, self.rows = source, rows
        self.kind, self.severity, self.seed = kind, severity, seed
        ids = source.ids
        self.ids = [f"{ids[row]}#{kind}-{severity}" for row in rows]

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, row: int) -> NDArray[np.uint8]:
        """Image `row` as `(height, width, 3)` uint8 RGB."""
        image = self.source.read(int(self.rows[row]))
        return corrupt(image, self.kind, self.severity, derive(self.seed, self.ids[row]))

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the images and of how they are corrupted."""
        lines = [
            f"{self.kind} {self.severity} {self.seed} {VERSION}", self.source.fingerprint, *self.ids
        ]  # fmt: skip
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
