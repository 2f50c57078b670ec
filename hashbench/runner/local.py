"""The default executor: warm worker processes on this machine, each of which can be killed.

Every worker has pipes of its own and shares no lock with another, so that a
worker killed at any moment harms nothing but its cell. Times are monotonic: a
jump of the clock ends no cell.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from pathlib import Path
from types import ModuleType
from typing import Any

from hashbench.errors import InputError
from hashbench.runner import worker
from hashbench.runner.claim import LOG_LINES, give_up, is_foreign
from hashbench.runner.execute import (
    PATIENCE,
    Limits,
    Listener,
    available_cores,
    default_workers,
)
from hashbench.runner.settings import Settings, Task
from hashbench.store.record import Record, Status
from hashbench.store.store import StoreError

#: Seconds between two looks at time and memory of the running cells.
TICK = 0.1

#: How often a cell is tried whose worker died without a word.
LIVES = 2

#: How many workers may die in a row before any is ready.
STILLBORN = 3

#: What the fork server imports once, so that a worker starts within milliseconds.
PRELOAD = "hashbench.runner.preload"

_LOG_BYTES = 16_384


def context() -> BaseContext:
    """How workers are started: forked from a warm, single-purpose process where that is safe."""
    if sys.platform == "linux":
        found = multiprocessing.get_context("forkserver")
        found.set_forkserver_preload([PRELOAD])
        return found
    return multiprocessing.get_context("spawn")


def warm_up() -> None:
    """Let the fork server begin its imports while this process does something else."""
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


def run_local(
    tasks: Sequence[Task], settings: Settings, limits: Limits, listener: Listener
) -> None:
    """Run cells in worker processes; workers x threads never exceeds the cores.

    Raises:
        InputError: if a limit cannot be kept here, or workers cannot start.
        StoreError: if the store cannot be written to.
        KeyboardInterrupt: when the user stops the run; finished cells are kept.
    """
    if limits.memory is not None and not Path("/proc/self/status").exists():
        raise InputError("--memory needs Linux, which tells what a process has allocated")
    if not tasks:
        return
    workers = max(1, min(limits.workers or default_workers(settings.device), len(tasks)))
    threads = settings.threads or max(1, available_cores() // workers)
    crew = _Crew(tasks, replace(settings, threads=threads), limits, listener, workers)
    try:
        crew.run()
    finally:
        crew.kill()


@dataclass(eq=False)
class _Worker:
    """One worker process as the parent sees it."""

    process: Any
    connection: Connection
    output: Connection
    ready: bool = False
    born: bool = False
    task: Task | None = None
    since: float = 0.0
    tail: bytearray = field(default_factory=bytearray)

    @property
    def leaving(self) -> bool:
        """Whether it has served its last cell."""
        return self.born and not self.ready

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
        lines = self.tail.decode("utf-8", "replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])

    def kill(self) -> None:
        if self.process.is_alive():
            with contextlib.suppress(
                ProcessLookupError, PermissionError
            ):  # no group of its own yet
                if hasattr(os, "killpg"):
                    os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
        self.process.join()

    def allocated(self) -> int:
        """Bytes this worker has allocated; mapped files, such as features, are not among them."""
        try:
            text = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0
        sizes = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        names = ("RssAnon", "RssShmem", "VmSwap")
        return 1024 * sum(int(sizes.get(name, "0").split()[0]) for name in names)


class _Crew:
    """The workers of one run, and what is still to do."""

    def __init__(
        self,
        tasks: Sequence[Task],
        settings: Settings,
        limits: Limits,
        listener: Listener,
        size: int,
    ) -> None:
        self.settings = settings
        self.limits = limits
        self.listener = listener
        self.size = size
        self.context = context()
        self.workers: list[_Worker] = []
        self.waiting = deque(tasks)
        self.held: deque[tuple[float, Task]] = deque()  # cells of another run, and when to look
        self.deaths: dict[str, int] = {}
        self.stillborn = 0

    def run(self) -> None:
        while self.waiting or self.held or any(member.task for member in self.workers):
            self._hire()
            self._assign()
            self._listen()
            self._enforce()

    def kill(self) -> None:
        for member in self.workers:
            member.kill()
        self.workers.clear()

    def _hire(self) -> None:
        idle = sum(member.task is None and not member.leaving for member in self.workers)
        wanted = len(self.waiting) + len(self.held)
        while self._staying < self.size and idle < wanted:
            self.workers.append(self._start())
            idle += 1

    @property
    def _staying(self) -> int:
        return sum(not member.leaving for member in self.workers)

    def _start(self) -> _Worker:
        ours, theirs = self.context.Pipe()
        output, log = self.context.Pipe(duplex=False)
        start = worker.Start(self.settings, dict(os.environ), Path.cwd())
        process = self.context.Process(  # type: ignore[attr-defined]
            target=worker.main, args=(theirs, log, start), name="hashbench-worker"
        )
        with _no_main_module():
            process.start()
        theirs.close()
        log.close()
        return _Worker(process, ours, output)

    def _assign(self) -> None:
        now = time.monotonic()
        while self.held and self.held[0][0] <= now:
            self.waiting.append(self.held.popleft()[1])
        for member in self.workers:
            if not self.waiting:
                return
            if member.ready and member.task is None:
                member.task = self.waiting.popleft()
                member.since = now
                member.tail.clear()
                try:
                    member.connection.send(member.task)
                except OSError:
                    continue  # it has just died: _listen will see that
                self.listener.started(member.task)

    def _listen(self) -> None:
        sources: dict[Any, _Worker] = {}
        for member in self.workers:
            sources[member.connection] = member
            sources[member.process.sentinel] = member
            if not member.output.closed:
                sources[member.output] = member
        # In each worker's own order: first what it said, then that it died.
        for member in dict.fromkeys(sources[source] for source in wait(list(sources), TICK)):
            member.read()
            alive = member.process.is_alive()
            self._receive(member)
            if not alive:
                self._bury(member)

    def _receive(self, member: _Worker) -> None:
        try:
            while member.connection.poll():
                kind, content = member.connection.recv()
                self._answer(member, kind, content)
        except (EOFError, OSError):
            return  # dead: its sentinel says so too

    def _answer(self, member: _Worker, kind: str, content: Any) -> None:
        task = member.task
        if kind == "ready":
            member.ready = member.born = True
            self.stillborn = 0
        elif kind == "stop":
            raise StoreError(content)
        elif task is None:
            return
        elif kind == "progress":
            self.listener.progress(task, *content)
        elif kind in ("done", "again"):
            member.task = None
            member.ready = not is_foreign(task.cell.method)  # else it ends now
            if kind == "again":
                self.waiting.appendleft(task)
            else:
                self._settle(task, content)

    def _settle(self, task: Task, record: Record | None) -> None:
        if record is None:
            self.held.append((time.monotonic() + PATIENCE, task))
        else:
            self.listener.finished(task, record)

    def _bury(self, member: _Worker) -> None:
        member.process.join()
        self.workers.remove(member)
        if not member.born:
            self.stillborn += 1
            if self.stillborn >= STILLBORN:
                last = member.log.splitlines()[-1:] or ["it said nothing"]
                raise InputError(f"worker processes die while starting: {last[0]}")
        task = member.task
        if task is None:
            return
        code = member.process.exitcode
        lives = self.deaths[task.key] = self.deaths.get(task.key, 0) + 1
        if lives < LIVES:
            self.waiting.append(task)  # somebody may have killed it by mistake
        else:
            self._lose(member, task, "failed", f"its worker died twice, {_cause(code)}")

    def _enforce(self) -> None:
        for member in list(self.workers):
            task = member.task
            if task is None:
                continue
            timeout, memory = self.limits.timeout, self.limits.memory
            if timeout is not None and time.monotonic() - member.since > timeout:
                self._dismiss(member, task, "timeout", f"it took more than {timeout:g} s")
            elif memory is not None and member.allocated() > memory:
                reason = f"it allocated more than {memory / 2**20:.0f} MiB"
                self._dismiss(member, task, "out-of-memory", reason)

    def _dismiss(self, member: _Worker, task: Task, status: Status, reason: str) -> None:
        """Kill a worker for what its cell does, unless the cell has finished just now."""
        self._receive(member)
        if member.task is None:
            return
        if worker.TELL is not None and member.process.is_alive():
            os.kill(member.process.pid, worker.TELL)  # where does it stand?
            for _ in range(10):  # it answers line by line
                if member.output.closed or not wait([member.output], TICK):
                    break
                member.read()
        member.kill()
        self.workers.remove(member)
        self._lose(member, task, status, reason)

    def _lose(self, member: _Worker, task: Task, status: Status, reason: str) -> None:
        self._settle(task, give_up(task, self.settings, status, reason, member.log))


@contextlib.contextmanager
def _no_main_module() -> Iterator[None]:
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


def _cause(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        try:
            name = signal.Signals(-exitcode).name
        except ValueError:
            name = f"signal {-exitcode}"
        hint = " (the system's out-of-memory killer does that)" if name == "SIGKILL" else ""
        return f"of {name}{hint}"
    return f"with exit code {exitcode}"
