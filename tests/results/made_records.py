"""Invented records, for stores of known numbers."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from hashbench.codes import Codes
from hashbench.evaluation import Convention, code_health, score
from hashbench.results.record import Record
from hashbench.results.store import Store, split_arrays

CLASSES = ("cat", "dog", "ship")
SHA = "feed" * 16


def cell(method: str, bits: int, seed: int = 0, **changes: object) -> dict[str, object]:
    deep = method.startswith(("dch", "hashnet"))
    body: dict[str, object] = {
        "dataset": "cifar10",
        "protocol": "cifar10",
        "split_seed": 0,
        "backbone": "efficientnet_lite0",
        "tuning": "head" if deep else "none",
        "method": method,
        "params": {},
        "bits": bits,
        "seed": seed,
        "code": "1",
        "options": {},
    }
    return body | changes


def key(body: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


def record(method: str, bits: int, value: float | None, seed: int = 0, **changes: object) -> Record:
    """A record with one invented score, or a failed one if `value` is None."""
    body = cell(method, bits, seed, **changes)
    if value is None:
        return Record(key(body), body, "failed", "ran out of luck_&_time")
    names = {"house": value, "deephash": value + 0.05}
    return Record(
        key(body),
        body,
        "ok",
        scores={name: {"map@h2": number, "r@h2": number / 2} for name, number in names.items()},
        split={
            "sha256": SHA,
            "counts": {"query": 1000, "train": 5000, "database": 54000},
            "notes": [],
        },
    )


def real_record(store: Store, method: str, bits: int, noise: float, seed: int = 0) -> Record:
    """A record scored by the evaluator from noisy label codes, with all that belongs to it."""
    rng = np.random.default_rng(7)  # the split is the same for every method
    labels = rng.integers(0, len(CLASSES), 150)
    onehot = np.eye(len(CLASSES), dtype=np.uint8)[labels]
    draw = np.random.default_rng([seed, bits, len(method)])
    centres = draw.standard_normal((len(CLASSES), bits))
    outputs = centres[labels] + noise * draw.standard_normal((150, bits))
    query, database = Codes.from_real(outputs[:30]), Codes.from_real(outputs[30:])
    body = cell(method, bits, seed)
    scores = score(
        query,
        database,
        onehot[:30],
        onehot[30:],
        [Convention.parse(n) for n in ("house", "deephash")],
    )
    made = Record(
        key(body),
        body,
        "ok",
        scores={str(s.convention): s.to_dict() for s in scores},
        curves={str(s.convention): s.curves for s in scores},
        split={
            "sha256": SHA,
            "counts": {"query": 30, "train": 30, "database": 120},
            "notes": [],
        },
        health={"query": code_health(query), "database": code_health(database)},
        history=[
            {"epoch": epoch, "loss": 1 / epoch, "lr": 0.1, "validation map@h2": 1 - 1 / (epoch + 1)}
            for epoch in range(1, 6)
        ]
        if body["tuning"] == "head"
        else [],
    )
    store.put_split(
        SHA,
        lambda: split_arrays(
            onehot[:30],
            onehot[30:],
            [f"q{i}" for i in range(30)],
            [f"d{i}" for i in range(120)],
            CLASSES,
        ),
    )
    per_query = {
        f"{s.convention}|{name}": values for s in scores for name, values in s.per_query.items()
    }
    store.put(made, (query, database), per_query)
    return made
