"""What size the images of a data set have, so that one way of preprocessing is taken for all."""

from __future__ import annotations

import heapq
import zlib
from collections import Counter

from hashbench.backbones.backbone import tiny
from hashbench.data.joined import JoinedSource
from hashbench.errors import InputError
from hashbench.items import ImageSource

#: Images that are looked at.
SAMPLE = 15


def typical_shape(source: ImageSource) -> tuple[int, ...]:
    """The shape most images have, of a sample that does not depend on their order.

    Whether most are tiny is asked first: photographs have many shapes, thumbnails
    few, and ten thumbnails must not decide for a thousand photographs. Of joined
    sources the first, the data set itself, decides.

    Raises:
        InputError: if no image of the sample can be decoded.
    """
    if isinstance(source, JoinedSource):
        return typical_shape(source.parts[0])
    ids = source.ids
    rows = heapq.nsmallest(
        SAMPLE, range(len(source)), key=lambda row: (zlib.crc32(ids[row].encode()), ids[row])
    )
    shapes: Counter[tuple[int, ...]] = Counter()
    damaged = None
    for row in rows:
        try:
            shapes[source.read(row).shape] += 1
        except InputError as error:  # said where the image itself is needed
            damaged = error
    if not shapes:
        assert damaged is not None
        raise damaged
    small = {shape: count for shape, count in shapes.items() if tiny(shape)}
    large = {shape: count for shape, count in shapes.items() if not tiny(shape)}
    most = small if sum(small.values()) > sum(large.values()) else large
    return max(most, key=lambda shape: (most[shape], shape))


def regime(shape: tuple[int, ...]) -> list[int] | str:
    """All that preprocessing depends on of the typical shape, for keys of caches."""
    return list(shape) if tiny(shape) else "cropped"
