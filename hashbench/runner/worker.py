"""A worker: a process that computes one cell after another, and can be killed at any time."""

from __future__ import annotations

import faulthandler
import io
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from hashbench.devices import deterministic
from hashbench.runner.claim import AGAIN, attempt, is_foreign
from hashbench.runner.environment import share_threads
from hashbench.runner.faults import Crowded, DeviceLost, release_memory
from hashbench.runner.settings import Settings, Task
from hashbench.store.store import StoreError

#: Seconds between two progress messages of a cell.
QUIET = 0.1

#: The signal on which a worker writes where it stands into its log.
TELL = getattr(signal, "SIGUSR1", None)


@dataclass(frozen=True)
class Start:
    """How a worker starts.

    Attributes:
        settings: what every cell of the run shares.
        environ: environment variables: a fork server has those of its own start.
        folder: working folder, for relative paths.
    """

    settings: Settings
    environ: Mapping[str, str]
    folder: Path


def main(connection: Connection, log: Connection, start: Start) -> None:
    """Serve tasks from `connection` until it gives None or closes.

    A task comes with whether it has the GPU for itself. Sends ("ready", None),
    then for each task any number of ("progress", (share, note)) and one ("done",
    record or None while another run holds the cell) or ("again", None) when
    another process should score it; ("stop", sentence) if the store cannot be
    written to, ("broken", sentence) where a stranger's method may be why. After
    ("crowded", None), when a GPU that is shared has not the memory, and ("lost",
    (reason, log)), when it can be used no more, it ends.
    """
    settle(start, log)
    settings = start.settings
    share_threads(settings.threads or 1)
    connection.send(("ready", None))
    try:
        with deterministic(settings.device):
            while (given := connection.recv()) is not None:
                task, alone = given
                answer = _serve(task, settings, connection, alone=alone)
                connection.send(answer)
                if answer[0] in ("crowded", "lost") or is_foreign(task.cell.method):
                    return  # what a stranger's method changed in this process is unknown
    except (EOFError, BrokenPipeError):
        return  # the parent is gone


def settle(start: Start, log: Connection | None = None) -> None:
    """Make this new process one that the parent alone ends, with the parent's surroundings.

    Args:
        start: what these are.
        log: where everything that is printed goes.
    """
    if hasattr(os, "setsid"):
        os.setsid()  # a group of its own: Ctrl-C is the parent's, and a kill takes children along
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a method starts must not be forked from here: this process has threads by then.
    multiprocessing.set_start_method("spawn", force=True)
    os.environ.clear()
    os.environ.update(start.environ)
    os.chdir(start.folder)
    if log is not None:
        _log_to(log)
    _die_with_parent()
    register(start.settings.plugins)


def _serve(
    task: Task, settings: Settings, connection: Connection, *, alone: bool
) -> tuple[str, Any]:
    said = 0.0

    def progress(share: float, note: str) -> None:
        nonlocal said
        if time.monotonic() - said >= QUIET:
            said = time.monotonic()
            connection.send(("progress", (float(share), str(note))))

    try:
        outcome = attempt(task, settings, progress, alone=alone)
        return ("again", None) if outcome == AGAIN else ("done", outcome)
    except StoreError as error:
        # A stranger's method may have taken from this process what writing needs, for good.
        return "broken" if is_foreign(task.cell.method) else "stop", str(error)
    except Crowded:
        return "crowded", None
    except DeviceLost as error:
        return "lost", (error.reason, error.log)
    finally:
        release_memory()


def register(plugins: tuple[Path, ...]) -> None:
    """Let this process know the parts of plugin files; a broken one fails its cells alone."""
    from hashbench.registries import add_plugin

    for path in plugins:
        add_plugin(path)


def _log_to(log: Connection) -> None:
    """Whatever this process prints, a crash's traceback included, goes to the parent."""
    if os.name == "posix":
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.stdout = sys.stderr = io.TextIOWrapper(
        io.FileIO(2, "w", closefd=False), errors="replace", write_through=True
    )
    faulthandler.enable(all_threads=False)
    if TELL is not None:
        faulthandler.register(TELL, all_threads=False)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="die-with-parent", daemon=True).start()
