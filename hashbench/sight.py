"""What a hasher was shown in training: which network saw images of which shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from hashbench.errors import shown

#: Pixels a side that no image has.
LARGEST = 2**16


@dataclass(frozen=True)
class Sight:
    """The backbone of a hasher, and the images it was trained on.

    Attributes:
        backbone: name of the feature extractor, as `--backbone` takes it.
        shape: `(height, width, 3)` typical of the data set's images: it decides
            whether pictures are cropped, or resized whole as tiny ones are.
        features: how many features an image had, for hashers that do not know it themselves
            (grey images have a third of the pixels of coloured ones); None where not kept.
    """

    backbone: str
    shape: tuple[int, int, int]
    features: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        known = {} if self.features is None else {"features": self.features}
        return {"backbone": self.backbone, "shape": list(self.shape), **known}

    @classmethod
    def from_dict(cls, body: Any) -> Self:
        """From what `to_dict` gave.

        Raises:
            ValueError: if it is anything else.
        """
        backbone, shape = body["backbone"], body["shape"]
        sides = isinstance(shape, list) and len(shape) == 3 and shape[2] == 3
        if not sides or not all(type(side) is int and 0 < side <= LARGEST for side in shape):
            raise ValueError(f"its images have the shape {shown(shape, 40)}")
        if not isinstance(backbone, str) or not backbone:
            raise ValueError(f"its backbone is {shown(backbone, 40)}")
        features = body.get("features")
        if features is not None and (type(features) is not int or features <= 0):
            raise ValueError(f"its images have {shown(features, 40)} features")
        height, width, channels = shape
        return cls(backbone, (height, width, channels), features)
