"""Which criterion of `hashbench tune` chooses best, by what real queries say of its choices.

Every setting is fitted twice: on the part of the training set that `tune` fits on, for
what each criterion says of it, and on all of it, for what real queries say. The draw of
the split (`--split-seed`) is none that hyper-parameters are shipped for. A criterion is
as good as the score of what it chooses among the settings of a method at a code length:
printed are the mean and the largest loss to the best setting, the mean rank correlation
with the real scores, and the same of the defaults kept.

    python benchmarks/criterion.py --dataset cifar10 --data-root DIR --out settings.jsonl
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from hashbench import runtime
from hashbench.backbones import feature_table
from hashbench.data import Split, default_data_root, open_dataset
from hashbench.evaluation import Convention, score
from hashbench.items import source_of
from hashbench.registries import methods
from hashbench.runner.plan import build, resolve
from hashbench.seeds import derive
from hashbench.tuning.criterion import Judged, extrapolated, held_out, line_weights

#: The defaults first, then one thing at a time.
SETTINGS: dict[str, list[dict]] = {
    "itq-cca": [{}, *({"scaling": x} for x in (0.0, 0.5, 2.0, 4.0, 6.0)), {"ridge": 10.0}],
    "sdh": [
        {},
        {"width": 0.3},
        {"width": 0.8},
        {"ridge": 1e-3},
        {"reg": 0.1},
        {"fit_weight": 1e-3},
        {"width": 0.3, "ridge": 1e-3, "fit_weight": 1e-3},
    ],
    "dch": [{}, *({"gamma": x} for x in (5.0, 20.0, 40.0)), {"quantization": 0.01}],
    "hashnet": [{}, *({"slope": x} for x in (1.5, 2.5, 5.0, 20.0))],
    "dhn": [{}, *({"slope": x} for x in (1.5, 2.5, 5.0, 20.0))],
}

HOUSE = Convention.parse("house")


def splits(options: argparse.Namespace) -> tuple[Split, Split, Split]:
    """The real split, the held-out one, and its database inflated, with features."""
    found = []
    for extra in ({}, {"held_out": 1}, {"held_out": 1, "inflated": True}):
        dataset = open_dataset(options.dataset, options.data_root, **extra)
        split = dataset.split(None, options.split_seed)
        backbone = options.backbone or dataset.default_backbone
        table = feature_table(source_of(split.train), backbone)
        found.append(split.with_features(lambda table=table: table, backbone))
    real, held, inflated = found
    rows = inflated.database.features()  # once, not at every setting
    count = np.arange(len(rows))
    database = replace(inflated.database, _rows=count).with_features(lambda: rows)
    return real, held, replace(inflated, database=database)


def settings_of(options: argparse.Namespace) -> Iterator[tuple[str, int, dict]]:
    """Method, code length and hyper-parameters of each setting."""
    for method in options.methods.split(","):
        for bits in map(int, options.bits.split(",")):
            for params in SETTINGS[method]:
                yield method, bits, params


def fitted(method: str, bits: int, params: dict, train):
    """A hasher of a setting."""
    cls = methods().get(method)
    whole = resolve(method, cls, {method: params}, "head" if cls.kind == "deep" else "none")
    return build(method, cls, bits, derive(0, "method"), whole).fit(train)


def judge_one(method: str, bits: int, params: dict, parts: tuple[Split, Split, Split]) -> dict:
    """What real queries and what each criterion say of a setting."""
    real, held, inflated = parts
    begun = time.perf_counter()
    hasher = fitted(method, bits, params, real.train)
    (scores,) = score(
        hasher.encode(real.query),
        hasher.encode(real.database),
        real.query_labels,
        real.database_labels,
        [HOUSE],
        curves=False,
    )
    hasher = fitted(method, bits, params, held.train)
    query, size = hasher.encode(held.query), len(real.database)

    def judged(split: Split, size: int = size) -> Judged:
        codes = hasher.encode(split.database)
        labels = split.query_labels, split.database_labels
        return Judged(query, codes, *labels, HOUSE, "map@h2", size)

    small, large = judged(held), judged(inflated)
    # A line through the two largest sizes of the held-out database alone.
    whole = np.arange(len(held.database))
    steep = line_weights([len(whole) / 2, len(whole)], size)
    halves = [small.within(whole[at::2]).mean() for at in (0, 1)]
    two = steep @ [np.mean(halves), small.within(whole).mean()]
    said = {
        "held-out": held_out(small).mean(),
        "extrapolated": extrapolated(small).mean(),
        "extrapolated from two sizes": two,
        "inflated": held_out(large).mean(),
    }
    return {
        "method": method,
        "bits": bits,
        "params": params,
        "real": scores["map@h2"],
        "said": {name: float(value) for name, value in said.items()},
        "seconds": round(time.perf_counter() - begun, 1),
    }


def report(rows: list[dict]) -> None:
    """What each criterion's choices cost."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["method"], row["bits"]].append(row)
    names = list(rows[0]["said"])
    choosers: dict[str, Callable[[list[dict]], np.ndarray]] = {
        name: lambda group, name=name: np.array([row["said"][name] for row in group])
        for name in names
    }
    choosers["mean of extrapolated and inflated"] = lambda group: np.array(
        [(row["said"]["extrapolated"] + row["said"]["inflated"]) / 2 for row in group]
    )
    choosers["the defaults kept"] = lambda group: -np.arange(len(group))
    print(f"{len(rows)} settings of {len(groups)} methods and lengths\n")
    print("| criterion | mean loss | largest | rank correlation | worst | lost most at |")
    print("|---|---|---|---|---|---|")
    for name, say in choosers.items():
        losses, ranks = {}, []
        for key, group in groups.items():
            real, said = np.array([row["real"] for row in group]), say(group)
            losses[key] = float(real.max() - real[said.argmax()])
            places = [np.argsort(np.argsort(values)) for values in (real, said)]
            ranks.append(np.corrcoef(*places)[0, 1])
        worst = max(losses, key=lambda key: losses[key])
        print(
            f"| {name} | {np.mean(list(losses.values())):.4f} | {losses[worst]:.4f} "
            f"| {np.mean(ranks):.2f} | {min(ranks):.2f} | {worst[0]}, {worst[1]} bits |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--data-root", type=Path, default=default_data_root())
    parser.add_argument("--backbone")
    parser.add_argument("--methods", default="itq-cca,sdh,dch,hashnet,dhn")
    parser.add_argument("--bits", default="32,48")
    parser.add_argument("--split-seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("criterion.jsonl"))
    options = parser.parse_args()
    rows = []
    if options.out.exists():
        rows = [json.loads(line) for line in options.out.read_text().splitlines()]
    done = {(row["method"], row["bits"], json.dumps(row["params"])) for row in rows}
    wanted = [
        (method, bits, params)
        for method, bits, params in settings_of(options)
        if (method, bits, json.dumps(params)) not in done
    ]
    if wanted:
        parts = splits(options)
        with runtime.use(runtime.Runtime(device="cpu", threads=options.threads)):
            for method, bits, params in wanted:
                rows.append(judge_one(method, bits, params, parts))
                with options.out.open("a") as stream:
                    stream.write(json.dumps(rows[-1]) + "\n")
                real, seconds = rows[-1]["real"], rows[-1]["seconds"]
                print(method, bits, params, f"{real:.4f}, {seconds} s", flush=True)
        print()
    report(rows)


if __name__ == "__main__":
    main()
