"""Preparing what cells share in a process of its own, which takes its GPU with it.

A parent that had extracted features on a GPU would keep a context there while
workers run: a few hundred MB, and on a cluster whose cards serve one process
each, the whole card.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hashbench import devices
from hashbench.errors import InputError, shown
from hashbench.runner.environment import share_threads
from hashbench.runner.execute import Listener, Quiet, available_cores
from hashbench.runner.prepare import Problem, prepare
from hashbench.runner.processes import cause, context, no_main_module
from hashbench.runner.settings import Settings, Task
from hashbench.runner.worker import Start, settle
from hashbench.store.record import Record
from hashbench.store.store import StoreError


def prepare_apart(
    tasks: Sequence[Task], settings: Settings, listener: Listener
) -> tuple[list[Task], list[Problem]]:
    """What `prepare` does, in another process.

    Raises:
        InputError: if no task is left, or the process dies.
        StoreError: if the store cannot be written to.
    """
    starter = context()
    ours, theirs = starter.Pipe()
    start = Start(settings, dict(os.environ), Path.cwd())
    process = starter.Process(  # type: ignore[attr-defined]
        target=_main, args=(theirs, start, list(tasks)), name="hashbench-prepare"
    )
    with no_main_module():
        process.start()
    theirs.close()
    try:
        ready, problems = _listen(ours, tasks, listener)
    except EOFError:
        process.join()
        raise InputError(
            f"the process that prepares features died {cause(process.exitcode)}: "
            "run it with --workers 0 to see where, or with --device cpu"
        ) from None
    finally:
        process.kill()
        process.join()
    return ready, problems


def _listen(
    connection: Connection, tasks: Sequence[Task], listener: Listener
) -> tuple[list[Task], list[Problem]]:
    # Asks are told apart by identity: the other process has copies of them.
    by_key = {task.key: task for task in tasks}
    while True:
        kind, content = connection.recv()
        if kind == "preparing":
            listener.preparing(*content)
        elif kind == "finished":
            key, record = content
            listener.finished(by_key[key], record)
        elif kind == "input":
            raise InputError(content)
        elif kind == "store":
            raise StoreError(content)
        else:
            ready, problems = content
            return [task for task in tasks if task.key in ready], [
                Problem((by_key[key].ask,), InputError(sentence)) for key, sentence in problems
            ]


def _main(connection: Connection, start: Start, tasks: list[Task]) -> None:
    settle(start)
    settings = start.settings
    share_threads(settings.threads or available_cores())
    try:
        connection.send(_prepared(tasks, settings, _Telling(connection)))
    except (BrokenPipeError, EOFError):
        return  # the parent is gone


def _prepared(tasks: list[Task], settings: Settings, listener: Listener) -> tuple[str, Any]:
    device = settings.device
    try:
        device = devices.resolve(device)
        with devices.deterministic(device):
            ready, problems = prepare(tasks, replace(settings, device=device), listener)
    except StoreError as error:
        return "store", str(error)
    except InputError as error:
        return "input", str(error)
    except RuntimeError as error:  # the GPU's, for one
        return "input", f"features cannot be extracted on {device}: {shown(error, 200)}"
    keys = {id(task.ask): task.key for task in tasks}
    return "ready", (
        {task.key for task in ready},
        [(keys[id(ask)], str(problem.error)) for problem in problems for ask in problem.asks],
    )


class _Telling(Quiet):
    """A listener that tells the parent."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def preparing(self, share: float, note: str) -> None:
        self.connection.send(("preparing", (float(share), str(note))))

    def finished(self, task: Task, record: Record) -> None:
        self.connection.send(("finished", (task.key, record)))
