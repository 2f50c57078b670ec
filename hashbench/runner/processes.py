"""How processes are started here, and why they ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing.context import BaseContext
from types import ModuleType
from typing import Any

from hashbench.errors import InputError, shown

#: What the fork server imports once, so that a worker starts within milliseconds.
PRELOAD = "hashbench.runner.preload"

#: Open files that this process and the fork server need, and those for each worker.
FILES, FILES_EACH = 24, 4


def context() -> BaseContext:
    """How workers are started: forked from a warm, single-purpose process where that is safe."""
    if sys.platform == "linux":
        found = multiprocessing.get_context("forkserver")
        found.set_forkserver_preload([PRELOAD])
        return found
    return multiprocessing.get_context("spawn")


def warm_up(workers: int) -> None:
    """Let the fork server begin its imports while this process does something else.

    Raises:
        InputError: if so many workers need more open files than this process may have.
    """
    _check_files(FILES + FILES_EACH * workers)
    if sys.platform == "linux":
        context()
        from multiprocessing import forkserver, resource_tracker

        resource_tracker.ensure_running()  # first: its own start unblocks SIGINT
        # The server inherits the mask: Ctrl-C is this process's affair, and one in the
        # middle of the server's imports would print their traceback.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _check_files(count: int) -> None:
    """Refuse to begin what would end in the middle, where a pipe is lacking."""
    taken: list[int] = []
    try:
        for _ in range(count):
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        raise InputError(
            f"workers need {count} more open files, and the system gives {len(taken)} "
            f"({shown(error)}): raise that with `ulimit -n 1024`, or run it with --workers 0"
        ) from error
    finally:
        for number in taken:
            os.close(number)


def start_within(process: Any, seconds: float) -> None:
    """Start a process of `context()`, unless that hangs.

    Raises:
        OSError: if the system gives no process, or the fork server has died; the next start makes
            another.
        EOFError: the same, while it was asked.
    """
    late = threading.Timer(seconds, _kill_server)  # its imports may hang: a start waits for them
    late.daemon = True
    late.start()
    try:
        with no_main_module():
            process.start()
    finally:
        late.cancel()


def _kill_server() -> None:
    if sys.platform == "linux":
        from multiprocessing import forkserver

        pid = getattr(forkserver._forkserver, "_forkserver_pid", None)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def no_main_module() -> Iterator[None]:
    """Hide the program's own module, which a new process would import.

    A worker needs nothing of it, and a script or notebook that calls `hashbench.run` without a
    guard would run a second time in each.
    """
    ours = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = ours


def cause(exitcode: int | None) -> str:
    """What a process died of, as the end of a sentence."""
    if exitcode is not None and exitcode < 0:
        try:
            name = signal.Signals(-exitcode).name
        except ValueError:
            name = f"signal {-exitcode}"
        hint = " (the system's out-of-memory killer does that)" if name == "SIGKILL" else ""
        return f"of {name}{hint}"
    return f"with exit code {exitcode}"
