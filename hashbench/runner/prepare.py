"""What cells share, made ready once before any of them runs: splits, evidence and features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hashbench import runtime
from hashbench.cell import FROM_PIXELS
from hashbench.data import Split
from hashbench.errors import InputError
from hashbench.runner.benches import bound_split, evidence_of, forget_splits, load_split
from hashbench.runner.ceiling import keep_ceiling
from hashbench.runner.claim import give_up
from hashbench.runner.execute import Listener
from hashbench.runner.finish import needs_encoding
from hashbench.runner.settings import Ask, Settings, Task
from hashbench.runner.train import fresh
from hashbench.store.store import Store


@dataclass(frozen=True)
class Problem:
    """Cells whose data or features cannot be had, and why."""

    asks: tuple[Ask, ...]
    error: InputError


def gather(asks: Sequence[Ask], settings: Settings) -> tuple[list[Task], list[Problem]]:
    """The tasks of cells whose data are there, with what was found of them; and the others.

    Raises:
        InputError: if no cell is left: the reason of the first.
    """
    forget_splits()
    groups: dict[tuple[object, ...], list[Ask]] = {}
    for ask in asks:
        bench = ask.cell.bench
        options = tuple(sorted(bench.options.items()))
        where = (ask.opens, bench.protocol, bench.split_seed, bench.backbone, options)
        groups.setdefault(where, []).append(ask)
    found: dict[int, Task] = {}
    problems: list[Problem] = []
    for group in groups.values():
        try:
            evidence = evidence_of(load_split(group[0], settings.data_root), group[0].cell.bench)
        except InputError as error:
            problems.append(Problem(tuple(group), error))
            continue
        found |= {id(ask): Task(ask, evidence) for ask in group}
    if problems and not found:
        raise problems[0].error
    return [found[id(ask)] for ask in asks if id(ask) in found], problems


def prepare(
    tasks: Sequence[Task], settings: Settings, listener: Listener
) -> tuple[list[Task], list[Problem]]:
    """The tasks whose features are ready; the others are recorded as skipped.

    Features, and activations that training from pixels starts from, are
    computed here, with every core, so that a worker only maps them into its
    memory; so is the ceiling of their bench. Cells that are trained and lack
    scores alone need none.

    Raises:
        InputError: if no task is left: the reason of the first.
        StoreError: if the store cannot be written to.
    """
    store = Store(settings.store)
    groups: dict[tuple[object, ...], list[Task]] = {}
    ready: dict[str, Task] = {}
    for task in tasks:
        record = store.get(task.key)
        if record is not None and record.ok and not needs_encoding(store, record, settings):
            ready[task.key] = task
            continue
        bench = task.cell.bench
        wanted = (bench.backbone, task.cell.mode in FROM_PIXELS)
        groups.setdefault((task.ask.opens, task.evidence, *wanted), []).append(task)
    problems: list[tuple[Task, InputError]] = []
    for group in groups.values():
        try:
            with runtime.use(runtime.Runtime(settings.device)):
                split = bound_split(group[0].ask, settings.data_root, listener.preparing)
        except InputError as problem:
            problems += [(task, problem) for task in group]
            continue
        except OSError as problem:
            raise InputError(
                f"cannot prepare {group[0].cell.bench.dataset}: {problem}; features are kept in "
                "the folder HASHBENCH_CACHE names"
            ) from problem
        keep_ceiling(group[0], split, store, listener.preparing)
        for task in group:
            try:
                _precompute(task, split, settings, listener)
            except InputError as problem:
                problems.append((task, problem))
            else:
                ready[task.key] = task
    if problems and not ready:
        raise problems[0][1]
    for task, error in problems:
        record = give_up(task, settings, "skipped", str(error), "")
        if record is not None:
            listener.finished(task, record)
    return [task for task in tasks if task.key in ready], [
        Problem((task.ask,), error) for task, error in problems
    ]


def _precompute(task: Task, split: Split, settings: Settings, listener: Listener) -> None:
    if task.cell.mode not in FROM_PIXELS:
        return
    with runtime.use(runtime.Runtime(settings.device, progress=listener.preparing)):
        try:
            fresh(task, task.cell.params).precompute(split.train)
        except InputError:
            raise
        except Exception:  # a stranger's method may raise anything; its cell will say so
            return
