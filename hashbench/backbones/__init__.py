"""Feature extractors by name, and the cache of their features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from hashbench.backbones.joined import JoinedTable
from hashbench.backbones.mixed import MixedTable
from hashbench.backbones.regime import typical_shape
from hashbench.data.joined import JoinedSource
from hashbench.data.mixed import MixedSource
from hashbench.errors import InputError
from hashbench.items import ImageSource

if TYPE_CHECKING:
    from hashbench.backbones.backbone import Backbone

__all__ = ["backbone_names", "feature_table", "get_backbone", "provided"]

#: Tables that are open in this process, by the identity of their source.
_open: WeakKeyDictionary[ImageSource, dict[str, NDArray[np.float32]]] = WeakKeyDictionary()


def backbone_names() -> dict[str, str]:
    """Every backbone and one line about it."""
    from hashbench.backbones.catalogue import summaries

    return summaries()


#: Networks given by whoever brought their weights along, by name.
_provided: ContextVar[Mapping[str, Backbone]] = ContextVar("hashbench_backbones", default={})  # noqa: B039


@contextmanager
def provided(backbone: Backbone) -> Iterator[None]:
    """Within the block `get_backbone` gives this network by its name."""
    token = _provided.set({**_provided.get(), backbone.name: backbone})
    try:
        yield
    finally:
        _provided.reset(token)


def get_backbone(name: str) -> Backbone:
    """The network called `name`, its weights not yet looked for.

    Raises:
        InputError: if there is none; the message has the nearest names.
    """
    from hashbench.backbones.catalogue import network

    given = _provided.get()
    return given[name] if name in given else network(name)


def feature_table(
    source: ImageSource, backbone: str, *, progress: Callable[[float, str], None] | None = None
) -> NDArray[np.float32]:
    """Features of every image of a source, memory-mapped from the cache.

    Args:
        source: the images.
        backbone: a name, or `NAME:multi` for the features of several layers.
        progress: called with the share done in [0, 1] and a short note while
            features are extracted.

    Returns:
        `(len(source), dim)` float32; of joined sources something that takes rows as
        such an array does.

    Raises:
        InputError: for an unknown backbone, missing weights, an image that
            cannot be decoded or a cache that cannot be written to.
    """
    if not len(source):
        raise InputError("there are no images to extract features from: check the data set")
    tables = _open.setdefault(source, {})
    if backbone not in tables:
        tables[backbone] = _table(source, backbone, progress or (lambda _share, _note: None))
    return tables[backbone]


def _table(
    source: ImageSource, name: str, progress: Callable[[float, str], None]
) -> NDArray[np.float32]:
    parts = source.parts if isinstance(source, JoinedSource) else (source,)
    seen = [part for part in parts if not isinstance(part, MixedSource)]
    tables = dict(zip(seen, _of_images(seen, typical_shape(source), name, progress), strict=True))
    for part in parts:
        if isinstance(part, MixedSource):  # no images: made of the features of what has some
            base = tables[part.base] if part.base in tables else feature_table(part.base, name)
            tables[part] = cast("NDArray[np.float32]", MixedTable(part, base))
    found = [tables[part] for part in parts]
    return found[0] if len(found) == 1 else cast("NDArray[np.float32]", JoinedTable(found))


def _of_images(
    parts: Sequence[ImageSource],
    shape: tuple[int, ...],
    name: str,
    progress: Callable[[float, str], None],
) -> list[NDArray[np.float32]]:
    """A table for each part; all are preprocessed as images of this shape."""
    if name == "pixels":
        from hashbench.backbones.pixels import pixel_features

        joined = JoinedSource(parts)  # whether all images are grey is asked of all
        return np.split(pixel_features(joined, shape, progress), joined.starts[1:-1])
    family = name.removesuffix(":multi")
    network = get_backbone(family)
    if family != name and not network.multi_dim:
        raise InputError(f"the backbone {family} has no ':multi': use {family}")
    columns = network.dim if family == name else network.multi_dim
    return [_cached(part, network, columns, shape, progress) for part in parts]


def _cached(
    source: ImageSource,
    network: Backbone,
    columns: int,
    shape: tuple[int, ...],
    progress: Callable[[float, str], None],
) -> NDArray[np.float32]:
    from hashbench.backbones.extraction import cached_features

    return cached_features(source, network, shape, progress)[:, :columns]
