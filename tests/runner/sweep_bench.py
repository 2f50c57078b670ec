"""A sweep of quick methods that misbehave on demand, on the embedded digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hashbench.runner.claim import pending
from hashbench.runner.execute import Limits
from hashbench.runner.executors import Run
from hashbench.runner.local import run_local
from hashbench.runner.plan import Request, plan
from hashbench.runner.prepare import gather
from hashbench.runner.settings import Ask, Settings, Task
from hashbench.store import Record, Store

PLUGIN = '''
import os, signal, sys, time
from pathlib import Path
import numpy as np
from hashbench.codes import Codes
from hashbench.hasher import Hasher


class Quick(Hasher):
    """Random projections; every fit leaves a line in `journal`."""

    name = "quick"

    def __init__(self, bits=16, seed=0, journal="", seconds=0.0):
        self.bits, self.seed, self.journal, self.seconds = bits, seed, journal, seconds

    def fit(self, train):
        if self.journal:
            with open(self.journal, "a") as lines:
                lines.write(f"{self.name} {self.bits} {self.seed} {os.getpid()}\\n")
        self.misbehave()
        time.sleep(self.seconds)
        width = train.features().shape[1]
        self.plane_ = np.random.default_rng(self.seed).normal(size=(width, self.bits))
        return self

    def encode(self, items):
        return Codes.from_real(items.features() @ self.plane_)

    def misbehave(self):
        pass


class Hang(Quick):
    name = "hang"

    def misbehave(self):
        print("about to wait", flush=True)
        if self.journal:
            with open(self.journal, "a") as lines:
                lines.write("waiting\\n")
        time.sleep(600)


class Hog(Quick):
    name = "hog"

    def misbehave(self):
        kept = []
        while True:
            kept.append(np.ones(2_000_000))
            time.sleep(0.01)


class Crash(Quick):
    name = "crash"

    def misbehave(self):
        print("last words", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)


class Leave(Quick):
    name = "leave"

    def misbehave(self):
        sys.exit("enough")


class Press(Quick):
    name = "press"

    def misbehave(self):
        raise KeyboardInterrupt


class Wrong(Quick):
    name = "wrong"

    def misbehave(self):
        raise OSError("its own file is missing")


class Greedy(Quick):
    name = "greedy"

    def misbehave(self):
        raise MemoryError("an array of 9 TB")


class OutOfCuda(Quick):
    """Fits only with batches of 32 items or parts of that."""

    name = "out-of-cuda"

    def __init__(self, bits=16, seed=0, batch_size=64, accumulate=1, journal=""):
        super().__init__(bits, seed, journal)
        self.batch_size, self.accumulate = batch_size, accumulate

    def misbehave(self):
        if self.batch_size > 32 * self.accumulate:
            import torch
            raise torch.OutOfMemoryError("CUDA out of memory")


class Loud(Quick):
    name = "loud"

    def misbehave(self):
        for number in range(100_000):
            print("line", number)
        raise ValueError("too much")
'''


@dataclass
class Recorder:
    """A listener that remembers."""

    began: list[Task] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def preparing(self, share: float, note: str) -> None:
        pass

    def started(self, task: Task) -> None:
        self.began.append(task)

    def progress(self, task: Task, share: float, note: str) -> None:
        self.shares.append(share)

    def finished(self, task: Task, record: Record) -> None:
        self.records.append(record)


@dataclass
class Bench:
    """Plans and runs sweeps of the plugin's methods over one store."""

    plugin: Path
    settings: Settings

    @property
    def store(self) -> Store:
        return Store(self.settings.store, create=True)

    @property
    def journal(self) -> Path:
        return self.settings.store.parent / "journal"

    def asks(
        self,
        methods: str,
        bits: Sequence[int] = (8,),
        seeds: Sequence[int] = (0,),
        **params: object,
    ) -> list[Ask]:
        return plan(
            Request(
                methods=tuple(methods.split(",")),
                bits=tuple(bits),
                seeds=tuple(seeds),
                settings={"": params} if params else {},
            ),
            self.settings.data_root,
        )

    def tasks(self, *args: object, **params: object) -> list[Task]:
        """The tasks that have something to do."""
        return self.left(self.every(*args, **params))

    def every(self, *args: object, **params: object) -> list[Task]:
        """The tasks, those that are done among them."""
        return gather(self.asks(*args, **params), self.settings)[0]  # type: ignore[arg-type]

    def left(self, tasks: Sequence[Task]) -> list[Task]:
        """Those of tasks that have something to do."""
        return pending(tasks, self.store, self.settings)[0]

    def run(self, tasks: Sequence[Task], executor: Run = run_local, **limits: float) -> Recorder:
        listener = Recorder()
        limit = replace(Limits(workers=2), **limits)  # type: ignore[arg-type]
        executor(tasks, self.settings, limit, listener)
        return listener

    def starts(self) -> list[str]:
        """Which cells were begun, one "method bits seed" each, in order."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [line.rpartition(" ")[0] for line in lines]
