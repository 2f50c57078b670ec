"""Training one cell: from its split to its codes and its record."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from hashbench import devices, runtime
from hashbench.backbones.regime import typical_shape
from hashbench.cell import FROM_PIXELS, Cell
from hashbench.codes import Codes
from hashbench.data import Split
from hashbench.data.twins import twins
from hashbench.data.unchanged import demand_unchanged
from hashbench.errors import InputError, command, shown
from hashbench.evaluation import code_health
from hashbench.evaluation.zeros import check_relaxed
from hashbench.evidence import Evidence
from hashbench.hasher import Hasher, code_of
from hashbench.items import Items, TrainItems, ids_of, source_of
from hashbench.parsing import in_number
from hashbench.registries import datasets, methods
from hashbench.runner.benches import bound_split, evidence_of
from hashbench.runner.environment import environment, gpu_facts
from hashbench.runner.faults import out_of_gpu_memory, release_memory
from hashbench.runner.plan import build
from hashbench.runner.settings import Progress, Settings, Task
from hashbench.runtime import HEAD_THREADS
from hashbench.saved import dump_hasher
from hashbench.seeds import derive
from hashbench.sight import Sight
from hashbench.store.arrays import digest_of
from hashbench.store.layout import split_arrays
from hashbench.store.record import Record
from hashbench.store.store import Store
from hashbench.switches import alerts

#: What every part says of itself.
_SAID = ("title", "citation", "bibtex", "summary")


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


@dataclass(frozen=True)
class Trained:
    """What training one cell left: its record, codes and hasher, nothing of it stored yet."""

    record: Record
    split: Split
    codes: tuple[Codes, Codes]
    hasher: Hasher

    def save(self, store: Store, *, keep_hasher: bool) -> Record:
        """Put everything into the store, the record last.

        Raises:
            StoreError: if the store cannot be written to.
            BadRecordError: if what the method left is no record that can be read back.
        """
        arrays = stored_split(self.split)
        store.put_split(self.record.evidence.split, lambda: arrays)
        record = replace(self.record, files={"split": digest_of(arrays)})
        if not keep_hasher:
            return store.put(record, self.codes)
        sight = self._sight(record.cell)
        try:
            data = dump_hasher(self.hasher, sight)
        except InputError as error:  # a stranger's method may learn what no file keeps
            found = {**record.environment, "hasher not kept": shown(error, 200)}
            return store.put(replace(record, environment=found), self.codes)
        return store.put(record, self.codes, data)

    def _sight(self, cell: Cell) -> Sight:
        """What the hasher was shown."""
        height, width = typical_shape(source_of(self.split.train))[:2]
        features = None
        if self.hasher.feature_dim() is None and cell.mode not in FROM_PIXELS:
            features = self.split.train.subset([0]).features().shape[1]
        return Sight(cell.bench.backbone, (int(height), int(width), 3), features)


def checkpoints(store: Path, key: str) -> Path:
    """Where the training of a cell is kept until its record is."""
    return store / "checkpoints" / key


def train(
    task: Task,
    settings: Settings,
    progress: Progress = runtime.Runtime.progress,
    *,
    alone: bool = False,
) -> Trained:
    """Train and encode one cell.

    Args:
        task: the cell.
        settings: what the run asks for.
        progress: told how far it is.
        alone: whether nothing else runs on its GPU, after it ran out of memory there.

    Raises:
        InputError: if the data, the backbone or a hyper-parameter cannot be used,
            or data or code are no longer those the task was planned on.
        Exception: whatever the method raises.
    """
    cell = task.cell
    check_code(cell)
    clock = Clock()
    kept = checkpoints(settings.store, task.key)
    noted: dict[str, Any] = {}
    where = runtime.Runtime(settings.device, settings.threads, progress, kept, noted.__setitem__)
    with runtime.use(where):
        with clock.time("features"):
            split = split_of(task, settings, lambda share, note: progress(0.0, note))
        device = devices.current()
        with alerts() as found:
            learnt = _learn(task, split, clock, alone=alone)
        if cell.mode in FROM_PIXELS or learnt.hasher.feature_dim() is None:
            demand_unchanged(source_of(split.train))  # it has read the images themselves
        threads = HEAD_THREADS if cell.mode == "head" else None
        surroundings = {**environment(device, threads), **gpu_facts(device), **noted}
    if found:
        surroundings |= {"deterministic": False, "nondeterministic": found}
    if alone:
        surroundings["memory"] = "too little beside another cell: trained alone on its device"
    hasher, (query, database) = learnt.hasher, learnt.codes
    record = Record(
        key=task.key,
        cell=cell,
        evidence=task.evidence,
        status="ok",
        parts=_with_size(facts(task), hasher),
        request=request(task, settings),
        split=_with_twins(split_facts(split), split, task),
        relaxed=query.relaxed is not None and database.relaxed is not None,
        health={"query": code_health(query), "database": code_health(database)},
        history=history_of(hasher),
        timings=clock.seconds,
        environment=surroundings,
        adjusted=learnt.adjusted,
        finished=now(),
        origins=(task.ask.origin,),
    )
    return Trained(record, split, learnt.codes, hasher)


def split_of(task: Task, settings: Settings, progress: Progress) -> Split:
    """The split of a task with its features.

    Raises:
        InputError: if it is not the one the task was planned on, or cannot be had.
    """
    split = bound_split(task.ask, settings.data_root, progress)
    if evidence_of(split, task.cell.bench) != task.evidence:
        raise InputError(
            f"the data of {task.cell.bench.dataset} changed while the run was going on: "
            "run it again"
        )
    return split


def check_code(cell: Cell) -> None:
    """Refuse to compute a cell by other code than its key says.

    Raises:
        InputError: if the file of a plugin was edited since the cell was planned, or another
            machine has another version.
    """
    method = cell.method
    if code_of(methods().get(method), methods().entry(method).digest) != cell.code:
        raise InputError(
            f"the code of {method} changed while the run was going on, or is another where this "
            "cell runs: run it again"
        )


def facts(task: Task) -> dict[str, dict[str, Any]]:
    """What the method and the data set of a task say of themselves."""
    cls = methods().get(task.cell.method)
    method = {name: getattr(cls, name) for name in (*_SAID, "kind", "year", "supervised", "role")}
    method["title"] = vars(cls).get("title") or cls.name  # a base's title is another method's
    return {"method": method, "dataset": dataset_facts(task.cell.bench.dataset)}


def _with_size(parts: dict[str, dict[str, Any]], hasher: Hasher) -> dict[str, dict[str, Any]]:
    """The facts with the number of parameters of a deep hasher's network."""
    if not hasattr(hasher, "trained_network"):
        return parts
    count = sum(part.numel() for part in hasher.trained_network().parameters())
    return {**parts, "method": {**parts["method"], "parameters": count}}


def dataset_facts(name: str) -> dict[str, Any]:
    """What a data set says of itself; empty for lists of your own."""
    if name not in datasets().names():
        return {}
    data = datasets().get(name)
    return {fact: getattr(data, fact) for fact in (*_SAID, "licence")}


def split_facts(split: Split) -> dict[str, Any]:
    """What a record says of its split."""
    return {
        "counts": split.counts,
        "notes": list(split.notes),
        "sha256": split.digest,
        "ids_sha256": split.ids_sha256,
    }


#: Notes on the same pictures in other files, of the data this process saw last.
_twins: dict[tuple[Evidence, str], tuple[str, ...]] = {}


def _with_twins(facts: dict[str, Any], split: Split, task: Task) -> dict[str, Any]:
    """The facts with notes on queries whose very picture is in other files of your own images."""
    bench = task.cell.bench
    if bench.dataset in datasets().names() or task.cell.mode in FROM_PIXELS:
        return facts  # what others publish scores on is taken as it is
    ground = task.evidence, bench.backbone
    if ground not in _twins:
        _twins.clear()
        words = ["data", "verify", task.ask.dataset or bench.dataset, "--duplicates"]
        for option, value in (("--protocol", bench.protocol), ("--backbone", bench.backbone)):
            words += [option, value]
        if bench.split_seed:
            words += ["--split-seed", str(bench.split_seed)]
        _twins[ground] = twins(split, command(*words))
    return {**facts, "notes": [*facts["notes"], *_twins[ground]]}


def request(task: Task, settings: Settings) -> dict[str, Any]:
    """How a task was asked for, as far as its cell does not say."""
    return {
        "dataset": task.ask.dataset or task.cell.bench.dataset,
        "plugins": [str(path) for path in settings.plugins],
    }


def now() -> str:
    """This moment, as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def history_of(hasher: Hasher) -> list[dict[str, Any]]:
    """The history a hasher kept, one dict an epoch.

    Raises:
        InputError: if it is anything but a list of dicts of names, numbers and texts.
    """
    history = getattr(hasher, "history_", [])
    fault = f"{hasher.name}.history_ must be a list of one dict an epoch, of numbers and texts"
    if not isinstance(history, list):
        raise InputError(f"{fault}, not a {type(history).__name__}")
    for epoch in history:
        if not isinstance(epoch, Mapping):
            raise InputError(f"{fault}: it holds {shown(epoch)}")
        for name, value in epoch.items():
            whole = isinstance(value, int) and abs(value) < 2**63
            plain = value is None or isinstance(value, float) or whole
            text = isinstance(value, str) and value.isprintable()
            if not isinstance(name, str) or not (plain or text or isinstance(value, np.number)):
                raise InputError(f"{fault}: '{shown(name)}' is {shown(value)}")
    return [dict(epoch) for epoch in history]


def fresh(task: Task, params: Mapping[str, Any]) -> Hasher:
    """A new hasher for a task's cell, with its own seed."""
    cell = task.cell
    cls = methods().get(cell.method)
    return build(cell.method, cls, cell.bits, derive(cell.seed, "method"), params)


def encode(hasher: Hasher, items: Items, task: Task) -> Codes:
    """The codes of items, checked to be what the cell asks for.

    Raises:
        InputError: if the method returns anything else.
        ValueError: if it has changed what they hold to what is no code.
    """
    codes = hasher.encode(items)
    cell = task.cell
    if not isinstance(codes, Codes) or len(codes) != len(items) or codes.bits != cell.bits:
        raise InputError(
            f"{cell.method} must encode {in_number(len(items), 'item', 'items')} as Codes of "
            f"{in_number(cell.bits, 'bit', 'bits')}, "
            f"but returned {_describe(codes)}"
        )
    codes = Codes(codes.packed, codes.bits, codes.relaxed, codes.at_zero)  # as it is by now
    check_relaxed("items", codes)
    return codes


def stored_split(split: Split) -> Mapping[str, Any]:
    """What the store keeps of a split."""
    return split_arrays(
        {"query": split.query_labels, "database": split.database_labels},
        {"query": ids_of(split.query), "database": ids_of(split.database)},
        split.classes,
        split.views,
    )


@dataclass(frozen=True)
class _Learnt:
    """A fitted hasher, its (query, database) codes, and what had to be adjusted."""

    hasher: Hasher
    codes: tuple[Codes, Codes]
    adjusted: dict[str, Any]


def _learn(task: Task, split: Split, clock: Clock, *, alone: bool) -> _Learnt:
    """Fit and encode; out of a GPU's memory though alone on it, with batches in parts.

    `accumulate` passes a batch in parts to the same gradient: a smaller batch would be another
    method. Methods that do not have it, or do not need it in this mode, fail.
    """
    adjusted: dict[str, Any] = {}
    while True:
        hasher = fresh(task, {**task.cell.params, **adjusted})
        try:
            with clock.time("fit"):
                hasher.fit(_labelled(hasher, split))
            break
        except RuntimeError as error:
            parts = _more_parts(hasher) if "accumulate" in task.cell.params else None
            if parts is None or not alone or not out_of_gpu_memory(error):
                raise
        # Outside the handler: the error's traceback would keep this try's tensors alive.
        adjusted = {"accumulate": parts}
        release_memory()
    with clock.time("encode"):
        codes = encode(hasher, split.query, task), encode(hasher, split.database, task)
    return _Learnt(hasher, codes, adjusted)


def _labelled(hasher: Hasher, split: Split) -> TrainItems:
    train = split.train
    if type(hasher).supervised:
        return train
    return train.with_labels(np.zeros_like(train.labels))


def _more_parts(hasher: Hasher) -> int | None:
    """Twice the parts its batches are passed in; None where a part would be less than an item."""
    parts = 2 * getattr(hasher, "accumulate", 1)
    batch = getattr(hasher, "batch_size", None)
    if batch is None and hasattr(hasher, "recipe"):
        batch = hasher.recipe().batch_size
    return parts if batch is None or parts <= batch else None


def _describe(codes: object) -> str:
    if isinstance(codes, Codes):
        return f"{in_number(len(codes), 'code', 'codes')} of {in_number(codes.bits, 'bit', 'bits')}"
    return type(codes).__name__
