"""Time and peak memory of the shallow methods as the training set grows.

Each method learns in a process of its own, on synthetic features, with single and
with overlapping labels. Memory is what `fit` adds to the process that holds the
features, beside the size of one (n, n) matrix of doubles, which no method needs;
time is also given as a multiple of ITQ-CCA's in the same run.

    python benchmarks/baselines.py [--dim 1280] [--bits 64] [--sizes 5000,10500]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

METHODS = ("itq-cca", "lsh", "sdh", "ksh", "bre", "cnnh-stage-1")


def labelled_features(n: int, dim: int, multi: bool):
    import numpy as np

    generator = np.random.default_rng(0)
    if multi:
        labels = (generator.random((n, 21)) < 0.1).astype(np.uint8)
    else:
        labels = np.eye(10, dtype=np.uint8)[generator.integers(0, 10, n)]
    means = generator.normal(size=(labels.shape[1], dim)).astype(np.float32)
    noise = generator.normal(size=(n, dim)).astype(np.float32)
    return 0.12 * (labels @ means) + noise, labels


def measure(method: str, n: int, dim: int, bits: int, multi: bool) -> dict[str, float]:
    import numpy as np

    from hashbench.items import train_from_features

    features, labels = labelled_features(n, dim, multi)
    train = train_from_features(features, labels)
    if method == "cnnh-stage-1":
        from hashbench.methods.factorisation import factorise

        warm, learn = labels[:200], factorise
        factorise(warm, bits)  # compile outside the clock
        before, start = peak(), time.perf_counter()
        learn(labels, bits)
    else:
        from hashbench.registries import methods

        cls = methods().get(method)
        cls(bits=bits).fit(train.subset(np.arange(200)))
        before, start = peak(), time.perf_counter()
        cls(bits=bits).fit(train)
    return {"seconds": time.perf_counter() - start, "mib": peak() - before}


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dim", type=int, default=1280)
    parser.add_argument("--bits", type=int, default=64)
    parser.add_argument("--sizes", default="5000,10500")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(**json.loads(options.one))))
        return
    print(f"{options.bits} bits, {options.dim} dimensions\n")
    print("| labels | n | method | fit s | x ITQ-CCA | fit adds MiB | (n, n) doubles MiB |")
    print("|---|---|---|---|---|---|---|")
    for multi in (False, True):
        for n in map(int, options.sizes.split(",")):
            baseline = None
            for method in options.methods.split(","):
                job = {"method": method, "n": n, "dim": options.dim, "bits": options.bits}
                job["multi"] = multi
                command = [sys.executable, __file__, "--one", json.dumps(job)]
                answer = subprocess.run(command, check=True, capture_output=True, text=True)
                result = json.loads(answer.stdout)
                baseline = baseline or result["seconds"]
                print(
                    f"| {'multi' if multi else 'single'} | {n} | {method} "
                    f"| {result['seconds']:.2f} | {result['seconds'] / baseline:.1f} "
                    f"| {result['mib']:.0f} | {n * n * 8 / 2**20:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
