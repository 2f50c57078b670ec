"""Kills of runs over one folder, for `faults.py`: in the end it is that of no kill at all."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

BITS, SEEDS = (8, 16), range(12)

PLUGIN = '''
import os, time
import numpy as np
import hashbench

class Quick(hashbench.Hasher):
    """Random projections; every fit leaves a line in `journal`."""

    name = "quick"

    def __init__(self, bits=16, seed=0, journal="", seconds=0.02):
        self.bits, self.seed, self.journal, self.seconds = bits, seed, journal, seconds

    def fit(self, train):
        with open(self.journal, "a") as lines:
            lines.write(f"{self.bits} {self.seed} {os.getpid()}\\n")
        time.sleep(self.seconds)
        width = train.features().shape[1]
        self.plane_ = np.random.default_rng(self.seed).normal(size=(width, self.bits))
        return self

    def encode(self, items):
        return hashbench.Codes.from_real(items.features() @ self.plane_)
'''


class Faults(Protocol):
    """Whoever counts what was not as it should be."""

    count: int

    def expect(self, holds: object, what: str) -> None:
        """Count it unless it holds."""


def sweep(plugin: Path, journal: Path, folder: Path, workers: int) -> None:
    """Two methods, two code lengths, twelve seeds on the digits."""
    import hashbench

    hashbench.run(
        "quick,lsh", BITS, "digits", seeds=SEEDS, settings={"quick.journal": str(journal)},
        workers=workers, results=folder, plugins=[plugin], progress=False, floors=False,
    )  # fmt: skip


def table(folder: Path) -> dict[str, object]:
    """Every score of a folder, without what may differ between runs."""
    from hashbench.evaluation import Convention
    from hashbench.store import Store
    from hashbench.store.judge import judge

    store, found = Store(folder), {}
    for record in store.records():
        scores = judge(store, record, [Convention.parse("house")])["house"]
        cell = record.cell
        name = f"{cell.method} {cell.bits} {cell.seed} {record.status}"
        found[name] = json.dumps(scores.to_dict(), sort_keys=True)
    return found


def kills(args: argparse.Namespace, place: Path, faults: Faults) -> None:
    """Kill runs and workers, and compare what is left in the end with an undisturbed folder."""
    from hashbench.runner.local import context

    plugin = place / "quick.py"
    plugin.write_text(PLUGIN)
    dice = random.Random(args.seed)
    sweep(plugin, place / "undisturbed.journal", place / "whole", 0)
    whole = table(place / "whole")
    count = len(whole)
    faults.expect(count == 2 * len(BITS) * len(SEEDS), f"an undisturbed run left {count} scores")

    def begin(folder: Path, journal: Path, workers: int) -> BaseProcess:
        process = context().Process(target=sweep, args=(plugin, journal, folder, workers))  # type: ignore[attr-defined]
        process.start()
        return process

    for runs, workers, share in ((1, 0, 0.3), (2, 0, 0.3), (4, 0, 0.3), (1, 2, 0.1)):
        wanted, done, rounds, again = max(1, round(args.kills * share)), 0, 0, 0
        before_it = faults.count
        start = time.monotonic()
        while done < wanted:
            rounds += 1
            folder, journal = place / f"{runs}-{workers}-{rounds}", place / f"j{rounds}"
            journal.write_text("")
            going = [begin(folder, journal, workers) for _ in range(runs)]
            finished: set[str] = set()
            while done < wanted and len(finished) < 0.7 * count:
                time.sleep(dice.uniform(0, 0.25))
                if not lines(journal):
                    continue  # nothing has begun yet
                process = dice.choice(going)
                before = lines(journal)
                victim = int(before[-1].split()[2]) if workers and dice.random() < 0.7 else None
                done += kill(victim or process.pid)
                if victim is None:
                    process.join()
                    going[going.index(process)] = begin(folder, journal, workers)
                keys = finished_cells(folder)
                again += len(
                    finished & {" ".join(x.split()[:2]) for x in lines(journal)[len(before) :]}
                )
                finished = keys
            for process in going:
                process.join()
            sweep(plugin, journal, folder, 0)
            faults.expect(table(folder) == whole, f"{folder} has other scores than undisturbed")
            faults.expect(not list(folder.rglob("*.tmp")), f"{folder} has half files")
            shutil.rmtree(folder)
        faults.expect(not again, f"{again} finished cells were computed again")
        wrong = faults.count - before_it
        what = f"{runs} run{'s'[: runs > 1]}, {'workers' if workers else 'no workers'}"
        print(
            f"kills: {what}: {done} kills over {rounds} sweeps of {count} cells in "
            f"{time.monotonic() - start:.0f} s; "
            + (f"{wrong} faults" if wrong else "every table was that of an undisturbed run"),
            flush=True,
        )


def lines(journal: Path) -> list[str]:
    return journal.read_text().splitlines()


def finished_cells(folder: Path) -> set[str]:
    found = set()
    for path in (folder / "records").glob("*.json"):
        cell = json.loads(path.read_bytes())["cell"]
        if cell["method"] == "quick":
            found.add(f"{cell['bits']} {cell['seed']}")
    return found


def kill(pid: int | None) -> int:
    """Whether there was such a process."""
    try:
        os.kill(pid or 0, signal.SIGKILL) if pid else None
    except ProcessLookupError:
        return 0
    return 1
