"""Invented cells and records, for stores of known content."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hashbench.cell import Bench, Cell
from hashbench.codes import Codes
from hashbench.evidence import Evidence
from hashbench.origin import Origin
from hashbench.store.arrays import digest_of
from hashbench.store.layout import split_arrays
from hashbench.store.record import Record
from hashbench.store.store import Store

BENCH = Bench("digits", "digits", 0, "pixels")
EVIDENCE = Evidence("a" * 64, "b" * 64)
CELL = Cell(BENCH, "lsh", {"width": 1.5, "name": "x"}, "none", 16, 0, "Hasher 1")


def made(cell: Cell = CELL, evidence: Evidence = EVIDENCE, **changes: object) -> Record:
    """A record with every field filled."""
    fields = {
        "key": cell.key(evidence),
        "cell": cell,
        "evidence": evidence,
        "status": "ok",
        "parts": {"method": {"title": "LSH", "year": 2002}, "dataset": {"title": "Digits"}},
        "request": {"dataset": "digits", "plugins": []},
        "split": {"counts": {"query": 3, "database": 5}, "notes": ["one"], "ids_sha256": "c" * 64},
        "relaxed": True,
        "health": {"query": {"balance": 0.5}},
        "history": [{"epoch": 1, "loss": 0.1}],
        "timings": {"fit": 0.1},
        "environment": {"threads": 1},
        "adjusted": {"batch_size": 32},
        "finished": "2020-01-01T00:00:00.000+00:00",
    }
    return Record(**{**fields, **changes})  # type: ignore[arg-type]


def stored(store: Store, record: Record | None = None, seed: int = 0, **changes: object) -> Record:
    """A record of random real outputs with some exact zeros, put into a store."""
    record = record or made(**changes)
    rng = np.random.default_rng(seed)
    outputs = [rng.integers(-2, 3, (n, record.cell.bits)).astype(np.float32) for n in (3, 5)]
    query, database = (Codes.from_real(part) for part in outputs)
    labels = {
        "query": np.eye(3, dtype=np.uint8),
        "database": np.eye(3, dtype=np.uint8)[[0, 1, 2, 0, 1]],
    }
    ids = {"query": [f"q{n}" for n in range(3)], "database": [f"d{n}" for n in range(5)]}
    arrays = split_arrays(labels, ids, ("cat", "dog", "ship"))
    store.put_split(record.evidence.split, lambda: arrays)
    record = replace(record, files={"split": digest_of(arrays)}, origins=(Origin(),))
    return store.put(record, (query, database))
