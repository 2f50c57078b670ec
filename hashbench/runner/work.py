"""One cell, from its split to its scores."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench import runtime
from hashbench.backbones import feature_table, get_backbone
from hashbench.codes import Codes
from hashbench.data import Split, open_dataset
from hashbench.errors import InputError
from hashbench.evaluation import Convention, code_health, score
from hashbench.hasher import Hasher, hyperparameters
from hashbench.items import Items, ids_of, source_of
from hashbench.registry import methods
from hashbench.results.record import Record
from hashbench.results.store import Store, split_arrays
from hashbench.runner.cell import Cell
from hashbench.runner.environment import environment
from hashbench.runner.plan import build
from hashbench.seeds import derive

Progress = Callable[[float, str], None]
Options = tuple[tuple[str, Any], ...]

#: Tuning modes that need images rather than features.
FROM_PIXELS = ("partial", "full")


@dataclass(frozen=True)
class Settings:
    """What every cell of a run shares and no code depends on.

    Attributes:
        store: folder of the results.
        data_root: folder of the data sets.
        conventions: names of the evaluation conventions to compute.
        keep_relaxed: store real-valued outputs beside the codes.
        lookup: measure FAISS lookup within radius 2.
        device: where deep methods train.
        threads: CPU threads a cell may use; None leaves the default.
        plugins: plugin files to register in a worker.
    """

    store: Path
    data_root: Path
    conventions: tuple[str, ...] = ("house", "deephash")
    keep_relaxed: bool = False
    lookup: bool = False
    device: str = "auto"
    threads: int | None = None
    plugins: tuple[Path, ...] = ()


class Clock:
    """Seconds by name, of the blocks it timed."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Add the time the block takes to `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[name] = round(self.seconds.get(name, 0.0) + elapsed, 4)


@lru_cache(maxsize=4)
def _split(dataset: str, protocol: str, seed: int, data_root: Path, options: Options) -> Split:
    return open_dataset(dataset, data_root, **dict(options)).split(protocol, seed)


def load_split(cell: Cell, data_root: Path) -> Split:
    """The split of a cell, drawn once a process, without features."""
    return _split(
        cell.dataset, cell.protocol, cell.split_seed, data_root, tuple(sorted(cell.options.items()))
    )


def forget_splits() -> None:
    """Drop the splits this process has drawn, and the memory they take."""
    _split.cache_clear()


def bound_split(cell: Cell, data_root: Path, progress: Progress | None = None) -> Split:
    """The split of a cell with the features of its backbone.

    They are extracted here, unless the cell trains from pixels.
    """
    split = load_split(cell, data_root)

    def table() -> NDArray[np.float32]:
        return feature_table(source_of(split.train), cell.backbone, progress=progress)

    if cell.tuning not in FROM_PIXELS:
        table()
    return split.with_features(table, cell.backbone)


@dataclass(frozen=True)
class Outcome:
    """What one cell computed: its record, and the arrays that belong to it."""

    record: Record
    split: Split
    codes: tuple[Codes, Codes]
    per_query: dict[str, NDArray[np.float64]]

    def save(self, store: Store, *, keep_relaxed: bool) -> None:
        """Put everything into the store, the record last.

        Raises:
            StoreError: if the store cannot be written to.
        """
        split = self.split
        store.put_split(
            split.ids_sha256,
            lambda: split_arrays(
                split.query_labels,
                split.database_labels,
                ids_of(split.query),
                ids_of(split.database),
                split.classes,
            ),
        )
        store.put(self.record, self.codes, self.per_query, keep_relaxed=keep_relaxed)
        shutil.rmtree(checkpoints(store.root, self.record.key), ignore_errors=True)


def checkpoints(store: Path, key: str) -> Path:
    """Where the training of a cell is kept until its record is."""
    return store / "checkpoints" / key


def compute(
    cell: Cell, settings: Settings, progress: Progress = runtime.Runtime.progress
) -> Outcome:
    """Train, encode and score one cell.

    Raises:
        InputError: if the data, the backbone or a hyper-parameter cannot be used.
        Exception: whatever the method raises.
    """
    clock = Clock()
    conventions = [Convention.parse(name) for name in settings.conventions]
    with clock.time("features"):
        split = bound_split(cell, settings.data_root, lambda share, note: progress(0.0, note))
    kept = checkpoints(settings.store, cell.key)
    with runtime.use(runtime.Runtime(settings.device, settings.threads, progress, kept)):
        hasher, codes, adjusted = _learn(cell, split, clock)
        query, database = codes
        usable = [item for item in conventions if item.applies_to(query, database)]
        with clock.time("score"):
            scores = score(query, database, split.query_labels, split.database_labels, usable)
        lookup = _lookup(query, database) if settings.lookup else {}
    record = Record(
        key=cell.key,
        cell=cell.to_dict(),
        status="ok",
        scores={str(item.convention): item.to_dict() for item in scores},
        curves={str(item.convention): item.curves for item in scores},
        split={"sha256": split.ids_sha256, "counts": split.counts, "notes": list(split.notes)},
        health={"query": code_health(query), "database": code_health(database)},
        history=list(getattr(hasher, "history_", [])),
        lookup=lookup,
        timings=clock.seconds,
        environment={**environment(), **_origin(split, cell)},
        adjusted=adjusted,
    )
    per_query = {
        f"{item.convention}|{name}": np.asarray(values)
        for item in scores
        for name, values in item.per_query.items()
    }
    return Outcome(record, split, codes, per_query)


def _origin(split: Split, cell: Cell) -> dict[str, Any]:
    """Hashes of the images, and of the weights and settings that made features of them."""
    found: dict[str, Any] = {"images": source_of(split.train).fingerprint}
    if cell.backbone != "pixels":
        network = get_backbone(cell.backbone.partition(":")[0])
        found["weights"] = network.weights()
        found["preprocessing"] = network.preprocessing.to_dict()
    return found


def _learn(
    cell: Cell, split: Split, clock: Clock
) -> tuple[Hasher, tuple[Codes, Codes], dict[str, Any]]:
    """The fitted hasher, its (query, database) codes, and what had to be adjusted.

    A cell that runs out of CUDA memory is tried once more with half its batch.
    """
    hasher = fresh(cell, cell.params)
    try:
        return hasher, _fit_and_encode(hasher, cell, split, clock), {}
    except RuntimeError as error:
        batch = _batch_size(hasher)
        if not out_of_cuda_memory(error) or batch is None or batch < 4:
            raise
    # Outside the handler: the error's traceback would keep the first try's tensors alive.
    import torch

    torch.cuda.empty_cache()
    adjusted = {"batch_size": batch // 2}
    hasher = fresh(cell, {**cell.params, **adjusted})
    return hasher, _fit_and_encode(hasher, cell, split, clock), adjusted


def fresh(cell: Cell, params: Mapping[str, Any]) -> Hasher:
    """A new hasher for a cell, with its own seed."""
    cls = methods().get(cell.method)
    return build(cell.method, cls, cell.bits, derive(cell.seed, "method"), params)


def _fit_and_encode(hasher: Hasher, cell: Cell, split: Split, clock: Clock) -> tuple[Codes, Codes]:
    with clock.time("fit"):
        hasher.fit(split.train)
    with clock.time("encode"):
        return _encode(hasher, split.query, cell), _encode(hasher, split.database, cell)


def out_of_cuda_memory(error: BaseException) -> bool:
    """Whether an error says that the GPU's memory did not suffice."""
    import torch

    return isinstance(error, torch.OutOfMemoryError)


def _batch_size(hasher: Hasher) -> int | None:
    """The batch of a hasher that has such a hyper-parameter; its recipe's, where it is None."""
    if "batch_size" not in hyperparameters(type(hasher)):
        return None
    batch = getattr(hasher, "batch_size", None)
    if batch is None and hasattr(hasher, "recipe"):
        batch = hasher.recipe().batch_size
    return batch


def _encode(hasher: Hasher, items: Items, cell: Cell) -> Codes:
    codes = hasher.encode(items)
    if not isinstance(codes, Codes) or len(codes) != len(items) or codes.bits != cell.bits:
        raise InputError(
            f"{cell.method} must encode {len(items)} items as Codes of {cell.bits} bits, "
            f"but returned {_describe(codes)}"
        )
    return codes


def _describe(codes: object) -> str:
    if isinstance(codes, Codes):
        return f"{len(codes)} codes of {codes.bits} bits"
    return type(codes).__name__


def _lookup(query: Codes, database: Codes) -> dict[str, object]:
    from hashbench.evaluation.lookup import measure_lookup

    return measure_lookup(query, database)
