"""Plain pixels as features, for tiny images."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hashbench.data.unchanged import demand_unchanged
from hashbench.errors import InputError, shown
from hashbench.items import ImageSource

#: Above this many values an image, pixels are no features anyone wants in memory.
LIMIT = 32 * 32 * 3


def pixel_features(
    source: ImageSource, shape: tuple[int, ...], progress: Callable[[float, str], None]
) -> NDArray[np.float32]:
    """`(n, height * width * channels)` float32 pixels in [0, 1].

    One channel where all images are grey, three otherwise. Not cached: reading
    the images again is as fast.

    Raises:
        InputError: if the images are large or differ in size, or change meanwhile.
    """
    if math.prod(shape) > LIMIT:
        raise InputError(
            "the backbone 'pixels' takes images of 32 x 32 at most and these are typically "
            f"{shape[0]} x {shape[1]}: choose another backbone"
        )
    images = np.empty((len(source), *shape), np.uint8)
    for row in range(len(source)):
        image = source.read(row)
        if image.shape != shape:
            raise InputError(
                f"the backbone 'pixels' needs images of one size and {shown(source.ids[row])} is "
                f"{image.shape[0]} x {image.shape[1]}: choose another backbone"
            )
        images[row] = image
        if row % 1000 == 999:
            progress((row + 1) / len(source), f"pixels {row + 1:,}/{len(source):,} images")
    demand_unchanged(source)
    if (images == images[..., :1]).all():
        images = images[..., :1]
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
