"""What a run and its folder survive: kills, faults of the machine, flipped bits, mutated files.

    python benchmarks/faults.py                        # every part at its full size: hours
    python benchmarks/faults.py kills --kills 20
    python benchmarks/faults.py machine flips
    python benchmarks/faults.py parsers --mutations 500

Parts:

- kills: one, two and four runs over one folder; a run, or a worker of it, is killed at random
  moments and started again. Then the folder is held against that of an undisturbed run.
- machine: a full disk, a limit on the size of files, few descriptors, no HOME, closed stdin, stdout
  and stderr, a clock set back. Each ends in one sentence and is finished by a plain run.
- flips: single bits of every kind of file are turned; nothing but what was there is ever read.
- parsers: the tests' mutations of every kind of file that is read, more of them.

Every part prints what it did and saw. The exit code is 1 if anything was not as it should be.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from kills import kills, table

ROOT = Path(__file__).parents[1]
TABLE = "house"


class Faults:
    """What was not as it should be."""

    def __init__(self) -> None:
        self.count = 0

    def expect(self, holds: object, what: str) -> None:
        """Count it unless it holds."""
        if not holds:
            self.count += 1
            print(f"  FAULT: {what}", flush=True)


# Faults of the machine


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "hashbench", *args]


def limited(kind: int, size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (size, resource.getrlimit(kind)[1]))


def closed(descriptor: int) -> Callable[[], None]:
    return lambda: os.close(descriptor)


def machine(args: argparse.Namespace, place: Path, faults: Faults) -> None:
    """One run under each fault, then a plain one over the same folder."""
    base = {**os.environ, "HASHBENCH_CACHE": str(place / "cache"), "OMP_NUM_THREADS": "1"}
    homeless = {name: value for name, value in base.items() if not name.startswith(("HOME", "XDG"))}
    del homeless["HASHBENCH_CACHE"]
    run = ("run", "--methods", "lsh,itq-cca", "--bits", "8,16", "--datasets", "digits",
           "--no-floors")  # fmt: skip
    subprocess.run(command(*run, "--results", "warm"), cwd=place, env=base, capture_output=True)
    files, size = resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE
    trials: list[tuple[str, tuple[str, ...], dict[str, object]]] = [
        ("no file over 2 kB", ("--workers", "0"), {"preexec_fn": limited(size, 2_000)}),
        ("no file over 20 kB", ("--workers", "2"), {"preexec_fn": limited(size, 20_000)}),
        *(
            (f"{count} descriptors", ("--workers", workers), {"preexec_fn": limited(files, count)})
            for count in (8, 16, 24, 40)
            for workers in ("0", "2")
        ),
        ("no HOME", ("--workers", "2"), {"env": homeless}),
        *(
            (f"{name} closed", ("--workers", "2"), {"preexec_fn": closed(number), name: None})
            for number, name in enumerate(("stdin", "stdout", "stderr"))
        ),
    ]
    for number, (what, more, how) in enumerate(trials):
        folder = f"machine-{number}"
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": base, **how}
        with tempfile.TemporaryFile(dir=place) as bystander:
            options = {k: (bystander if v is None else v) for k, v in options.items()}
            done = subprocess.run(
                command(*run, *more, "--results", folder),
                cwd=place,
                text=True,
                **options,  # type: ignore[call-overload]
            )
        judge_end(what, done, faults)
        finish(what, place, folder, run, base, faults)
    disk_full(place, run, base, faults)
    clock_back(place, run, base, faults)


def judge_end(what: str, done: subprocess.CompletedProcess[str], faults: Faults) -> None:
    said = (done.stderr or "").strip().splitlines()
    text = (done.stdout or "") + (done.stderr or "")
    faults.expect("Traceback" not in text, f"{what}: a traceback: {text[-300:]}")
    faults.expect(done.returncode in (0, 1, 2), f"{what}: exit code {done.returncode}")
    faults.expect(done.returncode == 0 or text or done.stderr is None, f"{what}: not a word")
    print(
        f"machine: {what}: exit code {done.returncode} {said[-1][:150] if said else ''}", flush=True
    )


def finish(
    what: str, place: Path, folder: str, run: tuple[str, ...], env: dict[str, str], faults: Faults
) -> None:
    done = subprocess.run(
        command(*run, "--results", folder), cwd=place, env=env, capture_output=True, text=True
    )
    faults.expect(done.returncode == 0, f"{what}: a plain run then ends with {done.returncode}")
    faults.expect(table(place / folder) == table(place / "warm"), f"{what}: another table")


def disk_full(place: Path, run: tuple[str, ...], env: dict[str, str], faults: Faults) -> None:
    """A folder on a file system of 100 kB, in a mount namespace of its own."""
    shell = 'mount -t tmpfs -o size=100k none full && exec "$@"'
    (place / "full").mkdir()
    order = ["unshare", "--mount", "sh", "-c", shell, "sh"]
    try:
        probe = subprocess.run([*order, "true"], cwd=place, capture_output=True)
    except OSError:
        probe = None
    if probe is None or probe.returncode:
        print("machine: full disk: not tried, for nothing may be mounted here", flush=True)
        return
    done = subprocess.run(
        [*order, *command(*run, "--results", "full/results")],
        cwd=place, env=env, capture_output=True, text=True,
    )  # fmt: skip
    judge_end("full disk", done, faults)
    faults.expect(done.returncode == 2, f"full disk: exit code {done.returncode}")


def clock_back(place: Path, run: tuple[str, ...], env: dict[str, str], faults: Faults) -> None:
    """Every file of a finished folder is twenty years ahead of the clock."""
    future = time.time() + 20 * 365 * 86_400
    before = {}
    for path in sorted((place / "warm").rglob("*")):
        os.utime(path, (future, future))
        before[path] = path.read_bytes() if path.is_file() else b""
    finish("clock set back", place, "warm", run, env, faults)
    after = {path: path.read_bytes() if path.is_file() else b"" for path in before}
    faults.expect(before == after, "clock set back: something was computed again")
    print("machine: clock set back by 20 years: nothing is computed again", flush=True)


# Flipped bits


def flips(args: argparse.Namespace, place: Path, faults: Faults) -> None:
    """Turn one bit of a file, and read it."""
    from hashbench.errors import InputError

    subprocess.run(
        command("run", "--methods", "itq-cca", "--bits", "16", "--datasets", "digits",
                "--no-floors", "--convention", TABLE, "--results", "flips"),
        cwd=place, capture_output=True, check=True,
    )  # fmt: skip
    dice = random.Random(args.seed)
    for kind, path, read in readers(place / "flips"):
        whole, wanted = path.read_bytes(), read()
        refused = unchanged = 0
        for _ in range(args.flips):
            body, at = bytearray(whole), dice.randrange(8 * len(whole))
            body[at // 8] ^= 1 << at % 8
            path.write_bytes(body)
            try:
                found = read()
            except InputError:
                found = None
            except Exception as error:
                faults.expect(False, f"{kind}, bit {at}: {type(error).__name__}: {error}")
                continue
            faults.expect(found in (None, wanted), f"{kind}, bit {at}: something else was read")
            refused += found is None
            unchanged += found == wanted
        path.write_bytes(whole)
        faults.expect(read() == wanted, f"{kind}: what was put back is not read")
        print(
            f"flips: {args.flips} bits of {kind}: {refused} refused, {unchanged} read as before",
            flush=True,
        )


def readers(folder: Path) -> Iterator[tuple[str, Path, Callable[[], object]]]:
    """Every kind of file of a finished folder, and what is read of it, as plain values."""
    from hashbench.evaluation import Convention
    from hashbench.saved import dump_hasher, read_hasher
    from hashbench.store import Store
    from hashbench.store.scorefiles import get_scores

    (record,) = Store(folder).records()
    key, house = record.key, Convention.parse(TABLE)

    def scores() -> object:
        found = get_scores(Store(folder), record, house)
        return found and (
            found[0].to_dict(),
            {k: v.tolist() for k, v in found[0].per_query.items()},
        )

    def split() -> object:
        return {k: v.tolist() for k, v in Store(folder).open_split(record).items()}

    def codes() -> object:
        return [(part.packed.tobytes(), part.bits) for part in Store(folder).open_codes(record)]

    def hasher() -> object:
        return dump_hasher(read_hasher(path("hasher"), record.files["hasher"]))

    def path(kind: str) -> Path:
        return Store(folder).path(kind, record.evidence.split if kind == "split" else key)

    yield "a record", path("record"), lambda: Store(folder).get(key)
    yield "codes", path("codes"), codes
    yield "a split", path("split"), split
    yield "a hasher", path("hasher"), hasher
    (file,) = (folder / "scores" / key).glob("*.npz")
    yield "scores", file, scores


# Parsers


def parsers(args: argparse.Namespace, place: Path, faults: Faults) -> None:
    """Run the tests that change files at random, with more changes each."""
    tests = sorted(
        str(path) for path in (ROOT / "tests").rglob("test_*.py") if "@fuzz" in path.read_text()
    )
    env = {**os.environ, "HASHBENCH_FUZZ": str(args.mutations), "OMP_NUM_THREADS": "1"}
    order = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-k", FUZZED, *tests]
    begin = time.monotonic()
    done = subprocess.run(order, cwd=ROOT, env=env, capture_output=True, text=True)
    last = (done.stdout.strip().splitlines() or ["nothing"])[-1]
    faults.expect(done.returncode == 0, f"parsers: {done.stdout[-2000:]}")
    print(
        f"parsers: at least {args.mutations} mutated inputs each: {last} "
        f"({time.monotonic() - begin:.0f} s)",
        flush=True,
    )


#: What the names of tests that change files at random have in common.
FUZZED = "changed or damaged or forged or mutated or any"

PARTS = {"kills": kills, "machine": machine, "flips": flips, "parsers": parsers}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--flips", type=int, default=1_000)
    parser.add_argument("--mutations", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # a damaged record is told of: here it is what is looked for
    faults = Faults()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HASHBENCH_CACHE"] = str(Path(folder) / "cache")
        for name in args.parts or PARTS:
            PARTS[name](args, Path(folder), faults)
    print(f"{faults.count} faults")
    return int(faults.count > 0)


if __name__ == "__main__":
    sys.exit(main())
