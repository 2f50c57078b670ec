"""A worker process as its parent sees it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from hashbench.runner.claim import LOG_LINES
from hashbench.runner.settings import Task

_LOG_BYTES = 16_384


@dataclass(eq=False)
class Member:
    """One worker process as the parent sees it.

    Attributes:
        process: the process.
        connection: tasks go there and answers come from there.
        output: what it prints.
        gpu: number of the GPU it is on, None for a worker on the CPU.
        threads: CPU threads it uses.
        alone: whether it has its GPU for itself.
        ready: whether it takes cells.
        born: whether it has ever been ready.
        made: when its start began.
        task: the cell it computes.
        since: when that began.
        tail: the last of what it printed.
    """

    process: Any
    connection: Connection
    output: Connection
    gpu: int | None = None
    threads: int = 1
    alone: bool = False
    ready: bool = False
    born: bool = False
    made: float = field(default_factory=time.monotonic)
    task: Task | None = None
    since: float = 0.0
    tail: bytearray = field(default_factory=bytearray)

    @property
    def leaving(self) -> bool:
        """Whether it has served its last cell."""
        return self.born and not self.ready

    @property
    def idle(self) -> bool:
        """Whether it has nothing to do, and takes a cell now or soon."""
        return self.task is None and not self.leaving

    def dismiss(self) -> None:
        """Let it go once it has done nothing more."""
        self.born, self.ready = True, False
        with contextlib.suppress(OSError):  # it has just died
            self.connection.send(None)

    def read(self) -> None:
        """Keep the last lines of what the worker printed."""
        for _ in range(16):  # a worker that never stops printing must not keep us here
            if self.output.closed or not self.output.poll():
                return
            try:
                chunk = os.read(self.output.fileno(), 65_536)
            except OSError:
                chunk = b""
            if not chunk:
                self.output.close()
                return
            self.tail += chunk
            del self.tail[:-_LOG_BYTES]

    @property
    def log(self) -> str:
        """The last lines of what it printed."""
        lines = self.tail.decode("utf-8", "replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])

    def kill(self) -> None:
        """End it and all that it has started."""
        if hasattr(os, "killpg"):
            # It may have no group of its own yet; and without a fork server, which alone would
            # know its end, it may seem dead and go on.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
