"""From images to a table of features: decode in threads, run the engine, fill the cache."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hashbench import devices, runtime
from hashbench.backbones.backbone import Backbone
from hashbench.backbones.cache import FORMAT, CachedTable, Progress
from hashbench.backbones.regime import regime
from hashbench.data.folders import cache_root
from hashbench.data.unchanged import demand_unchanged
from hashbench.items import ImageSource

if TYPE_CHECKING:
    from hashbench.backbones.engines import FeatureEngine

#: Images a batch. Larger ones gain nothing and hold memory.
BATCH = 32
#: Batches decoded ahead of the engine, at least.
AHEAD = 4


def cached_features(
    source: ImageSource, backbone: Backbone, shape: tuple[int, ...], progress: Progress
) -> NDArray[np.float32]:
    """The `(len(source), max(dim, multi_dim))` float32 table, computed if need be.

    One pass gives `:multi`, whose first `dim` columns are the plain features. All
    images are seen as those of a data set of typically this shape are.
    """
    with runtime.use(replace(runtime.current(), progress=progress)):
        table = _table(source, backbone, shape)  # reads images whose digest is not known
    found = table.open()
    if found is not None:
        return found
    multi = backbone.multi_dim > 0
    engine = make_engine(backbone, shape, multi=multi)
    decoder = Decoder(source, lambda image: backbone.preprocessing.frame(image, shape))
    return table.compute(
        lambda rows: engine.run(decoder.batches(rows)),
        engine.name,
        lambda share, note: progress(share, f"{backbone.name} {note}"),
    )


def make_engine(backbone: Backbone, shape: tuple[int, ...], *, multi: bool) -> FeatureEngine:
    """The fastest engine for a backbone on images of typically this shape."""
    from hashbench.backbones.engines import best_engine
    from hashbench.backbones.network import Graph

    preprocessing = backbone.preprocessing
    side = preprocessing.side(shape)
    graph = Graph(backbone.build(side), preprocessing, side, multi=multi).eval()
    frame = preprocessing.frame(np.zeros(shape, np.uint8), shape)
    where = runtime.current()
    return best_engine(graph, frame.shape, where.threads, device=where.device)


def _table(source: ImageSource, backbone: Backbone, shape: tuple[int, ...]) -> CachedTable:
    origin = {
        "format": FORMAT,
        "images": source.fingerprint,
        "backbone": backbone.name,
        "weights": backbone.weights(),
        "preprocessing": backbone.preprocessing.to_dict(),
        "seen_as": regime(shape),
    }
    key = hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()[:20]
    name = backbone.name.replace(":", "-").replace("/", "-")
    columns = backbone.multi_dim or backbone.dim
    return CachedTable(cache_root() / "features" / f"{name}-{key}", (len(source), columns), origin)


class Decoder:
    """Decodes and frames images in threads, a few batches ahead.

    Args:
        source: the images.
        frame: from a decoded image to an array of one shape for all.
    """

    def __init__(
        self, source: ImageSource, frame: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    ) -> None:
        self.source = source
        self.frame = frame

    def batches(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
        """`(n, height, width, 3)` uint8 batches of these rows, in order.

        Raises:
            ChangedError: after the last, if images changed meanwhile.
        """
        waiting: deque[Future[NDArray[np.uint8]]] = deque()
        threads = runtime.current().threads or max(AHEAD, devices.cores())
        pool = ThreadPoolExecutor(threads, "decode")
        try:
            for start in range(0, len(rows), BATCH):
                waiting.append(pool.submit(self._batch, rows[start : start + BATCH]))
                if len(waiting) > max(AHEAD, threads):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
            demand_unchanged(self.source)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _batch(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.stack([self.frame(self.source.read(int(row))) for row in rows])
