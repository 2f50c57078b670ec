"""The default executor: warm worker processes on this machine, each of which can be killed.

Every worker has pipes of its own and shares no lock with another, so that a
worker killed at any moment harms nothing but its cell. Times are monotonic: a
jump of the clock ends no cell. A worker sees one GPU or none: cells that want
one are spread over those there are, and the others take the cores that are left.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from hashbench.errors import InputError, shown
from hashbench.runner import worker
from hashbench.runner.claim import give_up, is_foreign
from hashbench.runner.execute import PATIENCE, Limits, Listener, available_cores
from hashbench.runner.member import Member
from hashbench.runner.memory import Memory
from hashbench.runner.processes import cause, context, start_within
from hashbench.runner.settings import Settings, Task
from hashbench.runner.slots import ON_CPU, PER_GPU, Slots, gpu_seats, share, wants_gpu
from hashbench.store.record import Record, Status
from hashbench.store.store import StoreError

#: Seconds between two looks at time and memory of the running cells.
TICK = 0.1

#: How often a cell is tried whose worker died without a word, or lost its GPU.
LIVES = 2

#: How many workers may die in a row before any is ready.
STILLBORN = 3

#: Seconds within which a worker is ready, plugins and all.
BIRTH = 300.0


def run_local(
    tasks: Sequence[Task], settings: Settings, limits: Limits, listener: Listener
) -> None:
    """Run cells in worker processes; workers x threads never exceeds the cores.

    Raises:
        InputError: if a limit cannot be kept here, workers cannot start, or a device is not there.
        StoreError: if the store cannot be written to.
        KeyboardInterrupt: when the user stops the run; finished cells are kept.
    """
    if limits.memory is not None and not Path("/proc/self/status").exists():
        raise InputError("--memory needs Linux, which tells what a process has allocated")
    if not tasks:
        return
    gpu = sum(wants_gpu(task.cell, settings.device) for task in tasks)
    slots = share(
        gpu_seats(settings.device) if gpu else (),
        gpu,
        len(tasks) - gpu,
        available_cores(),
        limits.workers,
        settings.threads,
    )
    crew = _Crew(tasks, settings, limits, listener, slots)
    try:
        crew.run()
    finally:
        crew.kill()


class _Crew:
    """The workers of one run, and what is still to do."""

    def __init__(
        self,
        tasks: Sequence[Task],
        settings: Settings,
        limits: Limits,
        listener: Listener,
        slots: Slots,
    ) -> None:
        self.settings = settings
        self.limits = limits
        self.listener = listener
        self.slots = slots
        self.context = context()
        self.workers: list[Member] = []
        #: What waits for a worker on the CPU, and for one on a GPU.
        self.waiting: dict[bool, deque[Task]] = {False: deque(), True: deque()}
        self.held: deque[tuple[float, Task]] = deque()  # cells of another run, and when to look
        #: Cells that ran out of a GPU's memory: they are given one that nobody shares.
        self.alone: deque[Task] = deque()
        self.cleared: int | None = None  # the GPU that is kept for them
        self.tight: set[str] = set()
        self.deaths: dict[str, int] = {}
        self.stillborn = 0
        self.memory = Memory()
        for task in tasks:
            self.waiting[self._on_gpu(task)].append(task)

    def run(self) -> None:
        while (
            any(self.waiting.values())
            or self.alone
            or self.held
            or any(member.task for member in self.workers)
        ):
            self._clear()
            self._hire()
            self._assign()
            self._listen()
            self._enforce()

    def kill(self) -> None:
        for member in self.workers:
            member.kill()
        self.workers.clear()

    def _on_gpu(self, task: Task) -> bool:
        return bool(self.slots.gpus) and wants_gpu(task.cell, self.settings.device)

    def _kind(self, gpu: bool) -> list[Member]:
        """The workers of a kind that stay and serve whatever cell comes."""
        return [
            member
            for member in self.workers
            if not member.leaving and not member.alone and (member.gpu is not None) == gpu
        ]

    def _hire(self) -> None:
        held = [self._on_gpu(task) for _, task in self.held]
        for gpu in (True, False):
            crew = self._kind(gpu)
            done = not self.waiting[gpu] and gpu not in held
            if done and self.waiting[not gpu] and not self._room(not gpu):
                for member in crew:
                    if member.ready and member.idle:
                        member.dismiss()  # its cores are of use to the other kind
            idle = sum(member.idle for member in crew)
            while idle < len(self.waiting[gpu]) + held.count(gpu) and self._room(gpu):
                self._start(self._free_gpu() if gpu else None)
                idle += 1

    def _room(self, gpu: bool) -> bool:
        staying = [member for member in self.workers if not member.leaving]
        threads = self.slots.gpu_threads if gpu else self.slots.cpu_threads
        busy = sum(member.threads for member in staying)
        if len(staying) >= self.slots.total or (staying and busy + threads > self.slots.cores):
            return False
        return not gpu or (len(self._kind(True)) < self.slots.gpu and self._free_gpu() is not None)

    def _free_gpu(self) -> int | None:
        """The GPU with the fewest workers, of those that may have one more."""
        loads = {
            at: sum(member.gpu == at for member in self._kind(True))
            for at in range(len(self.slots.gpus))
            if at != self.cleared
        }
        at = min(loads, key=lambda at: loads[at], default=None)
        return None if at is None or loads[at] >= PER_GPU else at

    def _clear(self) -> None:
        """Have a GPU that nobody shares for the cells that need one alone."""
        if not self.alone:
            if not any(member.alone for member in self.workers):
                self.cleared = None
            return
        if self.cleared is None:
            loads = [
                sum(member.gpu == at for member in self.workers)
                for at in range(len(self.slots.gpus))
            ]
            self.cleared = loads.index(min(loads))
        there = [member for member in self.workers if member.gpu == self.cleared]
        for member in there:
            if member.ready and member.idle and not member.alone:
                member.dismiss()
        if not there:
            self._start(self.cleared, alone=True)

    def _start(self, gpu: int | None, *, alone: bool = False) -> None:
        place = ON_CPU if gpu is None else self.slots.gpus[gpu]
        threads = self.slots.cpu_threads if gpu is None else self.slots.gpu_threads
        settings = replace(self.settings, device=place.device, threads=threads)
        start = worker.Start(settings, {**os.environ, **place.environ}, Path.cwd())
        ends: list[Connection] = []
        try:
            ends += self.context.Pipe()
            ends += self.context.Pipe(duplex=False)
            ours, theirs, output, log = ends
            process = self.context.Process(  # type: ignore[attr-defined]
                target=worker.main, args=(theirs, log, start), name="hashbench-worker"
            )
            start_within(process, BIRTH)
        except (OSError, EOFError) as error:
            for end in ends:
                end.close()
            self._mourn(shown(error))
            time.sleep(TICK)
            return
        theirs.close()
        log.close()
        self.workers.append(Member(process, ours, output, gpu, threads, alone))

    def _assign(self) -> None:
        now = time.monotonic()
        while self.held and self.held[0][0] <= now:
            self._wait(self.held.popleft()[1])
        for member in self.workers:
            if not member.ready or member.task is not None:
                continue
            if member.alone and not self.alone:
                member.alone = False
                self.cleared = None
            tasks = self.alone if member.alone else self.waiting[member.gpu is not None]
            kept = self.cleared is not None and member.gpu == self.cleared and not member.alone
            if kept or not tasks:
                continue
            member.task = task = tasks.popleft()
            member.since = now
            member.tail.clear()
            try:
                member.connection.send((task, member.alone or task.key in self.tight))
            except OSError:
                continue  # it has just died: _listen will see that
            self.listener.started(task)

    def _wait(self, task: Task) -> None:
        self.waiting[self._on_gpu(task)].append(task)

    def _listen(self) -> None:
        sources: dict[Any, Member] = {}
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

    def _receive(self, member: Member) -> None:
        try:
            while member.connection.poll():
                kind, content = member.connection.recv()
                self._answer(member, kind, content)
        except (EOFError, OSError):
            return  # dead: its sentinel says so too

    def _answer(self, member: Member, kind: str, content: Any) -> None:
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
                self.waiting[self._on_gpu(task)].appendleft(task)
            else:
                self._settle(task, content)
        elif kind == "crowded":
            member.task, member.ready = None, False
            if self._on_gpu(task):
                self.alone.append(task)
            else:  # a stranger's method, on a GPU that we know nothing of
                self.tight.add(task.key)
                self.waiting[False].appendleft(task)
        elif kind == "broken":
            member.task, member.ready = None, False
            reason = f"after it its process could not write: {content}"
            self._settle(task, give_up(task, self.settings, "failed", reason, member.log))
        elif kind == "lost":
            member.task, member.ready = None, False
            self._try_again(task, *content)

    def _settle(self, task: Task, record: Record | None) -> None:
        if record is None:
            self.held.append((time.monotonic() + PATIENCE, task))
        else:
            self.listener.finished(task, record)

    def _bury(self, member: Member) -> None:
        member.kill()  # with what it started and left behind
        self.workers.remove(member)
        if not member.born:
            self._mourn(*member.log.splitlines()[-1:])
        task = member.task
        if task is None:
            return
        reason = f"its worker died twice, {cause(member.process.exitcode)}"
        self._try_again(task, reason, member.log)

    def _mourn(self, last: str = "it said nothing") -> None:
        """Note that a worker has died before it was ready.

        Raises:
            InputError: if too many did in a row.
        """
        self.stillborn += 1
        if self.stillborn >= STILLBORN:
            raise InputError(f"worker processes die while starting: {shown(last, 200)}")

    def _try_again(self, task: Task, reason: str, log: str) -> None:
        """Give a cell one more worker: somebody may have killed the first by mistake."""
        lives = self.deaths[task.key] = self.deaths.get(task.key, 0) + 1
        if lives < LIVES:
            self._wait(task)
        else:
            self._settle(task, give_up(task, self.settings, "failed", reason, log))

    def _enforce(self) -> None:
        for member in list(self.workers):
            task = member.task
            if not member.born and time.monotonic() - member.made > BIRTH:
                self._ask(member)
                lines = [line.strip() for line in member.log.splitlines()] or ["it said nothing"]
                where = next((line for line in lines if line.startswith("File ")), lines[-1])
                raise InputError(
                    f"a worker process was not ready within {BIRTH:g} s: {shown(where, 300)}"
                )
            if task is None:
                continue
            timeout, memory = self.limits.timeout, self.limits.memory
            if timeout is not None and time.monotonic() - member.since > timeout:
                self._dismiss(member, task, "timeout", f"it took more than {timeout:g} s")
            elif memory is not None and self.memory.of(member.process.pid) > memory:
                reason = f"it allocated more than {memory / 2**20:.0f} MiB"
                self._dismiss(member, task, "out-of-memory", reason)

    def _ask(self, member: Member) -> None:
        """Let a worker write into its log where it stands."""
        if worker.TELL is not None and member.process.is_alive():
            os.kill(member.process.pid, worker.TELL)
            for _ in range(10):  # it answers line by line
                if member.output.closed or not wait([member.output], TICK):
                    break
                member.read()

    def _dismiss(self, member: Member, task: Task, status: Status, reason: str) -> None:
        """Kill a worker for what its cell does, unless the cell has finished just now."""
        self._receive(member)
        if member.task is None:
            return
        self._ask(member)
        member.kill()
        self.workers.remove(member)
        self._settle(task, give_up(task, self.settings, status, reason, member.log))
