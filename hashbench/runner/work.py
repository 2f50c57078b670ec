"""One cell, from its split to its record in the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from hashbench import runtime
from hashbench.backbones import feature_table
from hashbench.codes import Codes
from hashbench.data import Split, open_dataset
from hashbench.errors import InputError
from hashbench.evaluation import Convention, Scores, code_health, score
from hashbench.hasher import Hasher
from hashbench.items import Items
from hashbench.registry import methods
from hashbench.results.record import Record
from hashbench.results.store import Store, split_arrays
from hashbench.runner.cell import Cell
from hashbench.runner.environment import environment
from hashbench.runner.plan import build
from hashbench.seeds import derive

Progress = Callable[[float, str], None]


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
def _split(dataset: str, protocol: str, seed: int, data_root: Path, options: tuple) -> Split:  # type: ignore[type-arg]
    return open_dataset(dataset, data_root, **dict(options)).split(protocol, seed)


def load_split(cell: Cell, data_root: Path) -> Split:
    """The split of a cell, drawn once a process, without features."""
    return _split(
        cell.dataset, cell.protocol, cell.split_seed, data_root, tuple(sorted(cell.options.items()))
    )


def bound_split(cell: Cell, data_root: Path, progress: Progress | None = None) -> Split:
    """The split of a cell with the features of its backbone, extracted on first use."""
    split = load_split(cell, data_root)
    table = feature_table(split.train.source, cell.backbone, progress=progress)
    return split.with_features(lambda: table)


def perform(
    cell: Cell, settings: Settings, progress: Progress = runtime.Runtime.progress
) -> Record:
    """Train, encode, score and store one cell.

    Raises:
        InputError: if the data, the backbone or a hyper-parameter cannot be used.
        Exception: whatever the method raises.
    """
    clock = Clock()
    conventions = [Convention.parse(name) for name in settings.conventions]
    with clock.time("features"):
        split = bound_split(cell, settings.data_root, lambda share, note: progress(0.0, note))
    hasher = build(
        cell.method, methods().get(cell.method), cell.bits, derive(cell.seed, "method"), cell.params
    )
    with runtime.use(runtime.Runtime(settings.device, settings.threads, progress)):
        with clock.time("fit"):
            hasher.fit(split.train)
        with clock.time("encode"):
            query = _encode(hasher, split.query, cell)
            database = _encode(hasher, split.database, cell)
    relaxed = query.relaxed is not None and database.relaxed is not None
    usable = [item for item in conventions if relaxed or not item.needs_relaxed]
    with clock.time("score"):
        scores = score(query, database, split.query_labels, split.database_labels, usable)
    record = Record(
        key=cell.key,
        cell=cell.to_dict(),
        status="ok",
        scores={str(item.convention): item.to_dict() for item in scores},
        curves={str(item.convention): item.curves for item in scores},
        split={"sha256": split.sha256, "counts": split.counts, "notes": list(split.notes)},
        health={"query": code_health(query), "database": code_health(database)},
        history=list(getattr(hasher, "history_", [])),
        lookup=_lookup(query, database) if settings.lookup else {},
        timings=clock.seconds,
        environment=environment(),
    )
    _save(record, split, query, database, scores, settings)
    return record


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


def _save(
    record: Record,
    split: Split,
    query: Codes,
    database: Codes,
    scores: list[Scores],
    settings: Settings,
) -> None:
    store = Store(settings.store, create=True)
    store.put_split(
        split.sha256,
        split_arrays(
            split.query_labels,
            split.database_labels,
            split.query.ids,
            split.database.ids,
            split.classes,
        ),
    )
    per_query = {
        f"{item.convention}|{name}": np.asarray(values)
        for item in scores
        for name, values in item.per_query.items()
    }
    store.put(record, (query, database), per_query, keep_relaxed=settings.keep_relaxed)
