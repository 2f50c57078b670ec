"""Evidence: what was found when a cell was run, as digests. A name of data proves nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """What the data and the backbone of a cell were, wherever they lay.

    Features are no part of it: they differ in the last place between machines.

    Attributes:
        split: of the ids, labels and class names, in order.
        images: of the images' ids and content, in order.
        weights: of the backbone's weight file, "" where it has none.
        preprocessing: of how an image becomes the backbone's input.
    """

    split: str
    images: str
    weights: str = ""
    preprocessing: str = ""
