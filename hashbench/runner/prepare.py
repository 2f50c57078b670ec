"""What cells share, made ready once before any of them runs: splits and features."""

from __future__ import annotations

from collections.abc import Sequence

from hashbench import runtime
from hashbench.data import Split
from hashbench.errors import InputError
from hashbench.runner.attempt import Task, give_up
from hashbench.runner.execute import Listener
from hashbench.runner.work import FROM_PIXELS, Settings, bound_split, forget_splits, fresh


def prepare(tasks: Sequence[Task], settings: Settings, listener: Listener) -> list[Task]:
    """The tasks whose data and features are ready; the others are recorded as skipped.

    Features, and activations that training from pixels starts from, are
    computed here, with every core, so that a worker only maps them into its
    memory.

    Raises:
        InputError: if no task is left: the reason of the first.
        StoreError: if the store cannot be written to.
    """
    groups: dict[tuple[object, ...], list[Task]] = {}
    for task in tasks:
        cell = task.cell
        options = tuple(sorted(cell.options.items()))
        wanted = (cell.backbone, cell.tuning in FROM_PIXELS)
        shared = (cell.dataset, cell.protocol, cell.split_seed, options, *wanted)
        groups.setdefault(shared, []).append(task)
    ready: list[Task] = []
    problems: list[tuple[list[Task], InputError]] = []
    for group in groups.values():
        try:
            split = bound_split(group[0].cell, settings.data_root, listener.preparing)
        except InputError as problem:
            problems.append((group, problem))
            continue
        except OSError as problem:
            raise InputError(
                f"cannot prepare {group[0].cell.dataset}: {problem}; features are kept in the "
                "folder HASHBENCH_CACHE names"
            ) from problem
        for task in group:
            try:
                _precompute(task, split, settings, listener)
            except InputError as problem:
                problems.append(([task], problem))
            else:
                ready.append(task)
    forget_splits()
    if problems and not ready:
        raise problems[0][1]
    for group, error in problems:
        for task in group:
            record = give_up(task, settings, "skipped", str(error), "")
            if record is not None:
                listener.finished(task.cell, record)
    return ready


def _precompute(task: Task, split: Split, settings: Settings, listener: Listener) -> None:
    if task.cell.tuning not in FROM_PIXELS:
        return
    with runtime.use(runtime.Runtime(settings.device, progress=listener.preparing)):
        try:
            fresh(task.cell, task.cell.params).precompute(split.train)
        except InputError:
            raise
        except Exception:  # a stranger's method may raise anything; its cell will say so
            return
