"""The evaluator, tests, and the training of heads, of two versions of the code, timed in turn.

    python benchmarks/versions.py REVISION      # this checkout against another

The other version is checked out beside this one for as long as it takes. Each
version runs in a process of its own on the same data; they take turns, and what
is printed is the median processor time of a few rounds and its ratio.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision", help="the version to compare with, as git names it")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="tasks whose name holds this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        git = ["git", "-C", str(HERE.parents[1]), "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", str(other), options.revision], check=True)
        try:
            compare(other, options)
        finally:
            subprocess.run([*git, "remove", "--force", str(other)], check=True)


def compare(other: Path, options: argparse.Namespace) -> None:
    workers = [Worker(HERE.parents[1]), Worker(other)]
    print(f"{'processor milliseconds':32}{'here':>9}{options.revision[:9]:>11}{'ratio':>8}")
    for name in TASKS:
        if options.only not in name:
            continue
        times = [[worker.time(name) for worker in workers] for _ in range(options.rounds + 1)]
        here, there = (statistics.median(side) for side in zip(*times[1:], strict=True))
        print(f"{name:32}{1e3 * here:9.2f}{1e3 * there:11.2f}{there / here:7.2f}x", flush=True)
    for worker in workers:
        worker.process.kill()


class Worker:
    """A process that runs tasks with one version of the code."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE), "--worker"],
            env=os.environ | {"PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def time(self, name: str) -> float:
        """Processor seconds of one run of a task."""
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def single(classes: int, items: int = 54_000, queries: int = 1000, bits: int = 64):
    """Trained codes of items with one class each: near their class's, with noise."""
    from hashbench.codes import Codes

    rng = np.random.default_rng(classes)
    ids = rng.integers(0, classes, queries + items)
    signs = rng.normal(size=(classes, bits))[ids] + 0.7 * rng.normal(size=(len(ids), bits))
    labels = np.zeros((len(ids), classes), np.uint8)
    labels[np.arange(len(ids)), ids] = 1
    codes = Codes.from_bits(signs > 0)
    return (
        Codes(codes.packed[:queries], bits),
        Codes(codes.packed[queries:], bits),
        labels[:queries],
        labels[queries:],
    )


def several(classes: int, items: int = 110_000, queries: int = 1000, bits: int = 64):
    """The same with about three classes an item."""
    from hashbench.codes import Codes

    rng = np.random.default_rng(classes)
    popularity = 1 / (1 + np.arange(classes)) ** 0.8
    chance = np.minimum(3 * popularity / popularity.sum(), 1)
    kinds = (rng.random((items // 5, classes), np.float32) < chance).astype(np.uint8)
    labels = kinds[rng.integers(0, len(kinds), queries + items)]
    plane = rng.normal(size=(classes, bits)).astype(np.float32)
    outputs = labels.astype(np.float32) @ plane
    noise = 0.3 * outputs.std()
    codes = Codes.from_bits(outputs + noise * rng.normal(size=outputs.shape) > 0)
    return (
        Codes(codes.packed[:queries], bits),
        Codes(codes.packed[queries:], bits),
        labels[:queries],
        labels[queries:],
    )


def counting(world, **options):
    from hashbench.evaluation.histograms import count

    return lambda: count(*world, **options)


def scoring(world, names: str, **options):
    from hashbench.evaluation import Convention, score

    conventions = Convention.parse_list(names)
    return lambda: score(*world, conventions, **options)


def rivals(methods: int, seeds: int = 3, queries: int = 1000):
    """Scores of single queries: of methods better and better, the last one by a little more."""
    rng = np.random.default_rng(methods)
    base = rng.random(queries)
    means = np.r_[np.linspace(0.3, 0.6, methods - 1), 0.635]
    noise = rng.normal(0, 0.2, (methods, seeds, queries)) + rng.normal(
        0, 0.003, (methods, seeds, 1)
    )
    return dict(enumerate(np.clip(means[:, None, None] + 0.5 * (base - 0.5) + noise, 0, 1)))


def comparing(methods: int, **options):
    from hashbench.evaluation.statistics import compare_family

    scores = rivals(methods, **options)
    return lambda: compare_family(scores)


def leading(methods: int, **options):
    """Whether the best of a column has its dagger."""
    from hashbench.evaluation.statistics import leads

    scores = rivals(methods, **options)
    return lambda: leads(scores, methods - 1, range(methods - 1))


def head(method: str, kind: str, steps: int = 300, bits: int = 48):
    """Training of a head on features of 5,000 items, as many as official CIFAR-10 has."""
    train, _ = features()
    hasher = deep(method, kind, bits, -(-steps // 20))
    return lambda: hasher.fit(train)


def encoding(kind: str, bits: int = 48):
    """Codes of 54,000 items whose features lie scattered in a table of 60,000."""
    train, database = features()
    hasher = deep("DCH", kind, bits, 1).fit(train)
    return lambda: hasher.encode(database)


def deep(method: str, kind: str, bits: int, epochs: int):
    import torch

    torch.set_num_threads(1)
    module = import_module(f"hashbench.methods.{method.lower()}")  # of whatever version
    return getattr(module, method)(bits=bits, head=kind, epochs=epochs)


def features(items: int = 60_000, dim: int = 1280, classes: int = 10):
    """Training items and database over one table of as many features as Lite0 has."""
    from hashbench.items import items_from_features, train_from_features

    rng = np.random.default_rng(0)
    ids = rng.integers(0, classes, items)
    table = rng.standard_normal((items, dim), np.float32)
    table += 0.1 * rng.standard_normal((classes, dim), np.float32)[ids]
    labels = np.eye(classes, dtype=np.uint8)[ids]
    train = train_from_features(table[:5000], labels[:5000])
    return train, items_from_features(table).subset(rng.permutation(items)[:54_000])


def command(world, names: str):
    """`hashbench score` as a process; its processor time counts."""
    folder = tempfile.mkdtemp()
    path = Path(folder) / "codes.npz"
    np.savez(
        path,
        query_codes=world[0].unpack(),
        database_codes=world[1].unpack(),
        query_labels=world[2],
        database_labels=world[3],
    )
    line = [sys.executable, "-c", "from hashbench.cli import main; main()", "score"]

    def run() -> None:
        subprocess.run(
            [*line, "--codes", str(path), "--convention", names],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,  # not where another version may lie
        )

    run.children = True
    return run


TASKS = {
    "count, 10 classes": lambda: counting(single(10)),
    "count, 1,000 classes": lambda: counting(single(1000)),
    "count, 10 classes, 16 bits": lambda: counting(single(10, bits=16)),
    "count, 80 classes a few each": lambda: counting(several(80)),
    "count, 1,000 classes a few each": lambda: counting(several(1000)),
    "ball, 10 classes": lambda: counting(single(10), reach=2),
    "ball, 80 classes a few each": lambda: counting(several(80), reach=2),
    "score, house": lambda: scoring(single(10), "house"),
    "score, ball alone": lambda: scoring(single(10), "house(scope=ball)"),
    "score, storage, list": lambda: scoring(single(10), "house(order=stable,scope=list)"),
    "score, storage, ball": lambda: scoring(single(10), "house(order=stable,scope=ball)"),
    "score, storage, a few each": lambda: scoring(several(80), "house(order=stable,scope=list)"),
    "score, house, a few each": lambda: scoring(several(80), "house"),
    "score, house, 10,000 items": lambda: scoring(single(10, 10_000, 500), "house"),
    "dagger of 40 methods": lambda: leading(40),
    "dagger of 40 methods, one seed": lambda: leading(40, seeds=1),
    "780 comparisons": lambda: comparing(40),
    "780 comparisons, one seed": lambda: comparing(40, seeds=1),
    "head, DCH, linear, 300 steps": lambda: head("DCH", "linear"),
    "head, DCH, mlp, 100 steps": lambda: head("DCH", "mlp", 100),
    "head, HashNet, linear, 300 steps": lambda: head("HashNet", "linear"),
    "head, DPSH, linear, 60 steps": lambda: head("DPSH", "linear", 60),
    "encode 54,000, linear": lambda: encoding("linear"),
    "encode 54,000, mlp": lambda: encoding("mlp"),
    "hashbench score, CPU": lambda: command(single(10, 2000, 100), "house"),
}


def work() -> None:
    """Run the tasks that are named on stdin, and write down the processor time of each."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    ready = {}
    for line in sys.stdin:
        name = line.strip()
        if name not in ready:
            ready = {name: TASKS[name]()}  # one world at a time in memory
        task = ready[name]
        if getattr(task, "children", False):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            task()
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        else:
            start = time.process_time()
            task()
            seconds = time.process_time() - start
        out.write(f"{seconds}\n")
        out.flush()


if __name__ == "__main__":
    work() if "--worker" in sys.argv else main()
