"""Invented records, for stores of known numbers."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from hashbench import registries
from hashbench.cell import Bench, Cell
from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import Convention, Scores, code_health
from hashbench.evidence import Evidence
from hashbench.origin import Origin
from hashbench.results.exports import Tables, write
from hashbench.results.series import Series
from hashbench.results.terminal import show
from hashbench.store import Record, Store
from hashbench.store.arrays import digest_of
from hashbench.store.layout import split_arrays

CLASSES = ("cat", "dog", "ship")
EVIDENCE = Evidence(split="feed" * 16, images="cafe" * 16)
COUNTS = {"query": 1000, "train": 5000, "database": 54000}
TUNED = Origin(sources={"gamma": "tuned"}, base="tuned", note="20 trials")

#: What some methods say of themselves.
PARTS = {
    "dch": {"title": "DCH", "kind": "deep", "year": 2018, "supervised": True,
            "bibtex": "@inproceedings{cao2018dch,\n  title = {Deep {Cauchy} Hashing},\n}"},
    "dch-q": {"title": "DCH-Q", "kind": "deep", "year": 2018, "supervised": True},
    "hashnet": {"title": "HashNet", "kind": "deep", "year": 2017, "supervised": True},
    "ksh": {"title": "KSH", "kind": "shallow", "year": 2012, "supervised": True,
            "bibtex": "@inproceedings{liu2012ksh,\n  title = {Supervised Hashing},\n}"},
    "itq-cca": {"title": "ITQ-CCA", "kind": "shallow", "year": 2011, "supervised": True},
    "itq": {"title": "ITQ", "kind": "shallow", "year": 2011, "supervised": False},
    "pcah": {"title": "PCAH", "kind": "shallow", "year": 2006, "supervised": False},
    "sign": {"title": "Sign", "kind": "shallow", "supervised": False, "role": "floor"},
    "lsh": {"title": "LSH", "kind": "shallow", "year": 2002, "supervised": False,
            "role": "floor"},
}  # fmt: skip
DATASETS = {
    "cifar10": {
        "title": "CIFAR-10",
        "bibtex": "@techreport{krizhevsky2009cifar,\n  year = 2009,\n}",
    },
    "coco": {"title": "MS-COCO"},
}


def record(
    method: str,
    bits: int,
    seed: int = 0,
    *,
    evidence: Evidence = EVIDENCE,
    params: dict[str, Any] | None = None,
    mode: str | None = None,
    code: str = "1",
    origins: tuple[Origin, ...] = (Origin(),),
    part: dict[str, Any] | None = None,
    **changes: Any,
) -> Record:
    """A record; `changes` are of the bench where it has such a field, else of the record."""
    bench = {
        "dataset": "cifar10",
        "protocol": changes.get("dataset", "cifar10"),
        "split_seed": 0,
        "backbone": "efficientnet_lite0",
        "options": {},
    }
    bench |= {name: changes.pop(name) for name in list(changes) if name in bench}
    said = PARTS.get(method, {}) if part is None else part
    deep = said.get("kind") == "deep"
    cell = Cell(
        bench=Bench(**bench),
        method=method,
        params=({"gamma": 10.0} if deep else {}) if params is None else params,
        mode=mode or ("head" if deep else "none"),
        bits=bits,
        seed=seed,
        code=code,
    )
    facts: dict[str, Any] = {
        "status": "ok",
        "parts": {"method": said, "dataset": DATASETS.get(bench["dataset"], {})},
        "request": {"dataset": bench["dataset"], "plugins": []},
        "split": {"counts": COUNTS, "notes": []},
        "finished": "2026-01-01T00:00:00+00:00",
        "origins": origins,
    }
    return Record(key=cell.key(evidence), cell=cell, evidence=evidence, **(facts | changes))


class MadeJudge:
    """Gives the scores it was told."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}
        self.lookups: dict[str, dict[str, Any]] = {}
        self.ceilings: dict[str, float] = {}
        self.views: dict[str, float] = {}

    def add(
        self,
        method: str,
        bits: int,
        value: float | None,
        seed: int = 0,
        *,
        per_query: Any = None,
        bounds: tuple[float, float] | None = None,
        **changes: Any,
    ) -> Record:
        """A record of a known map@h2, or a failed one if `value` is None."""
        if value is None:
            changes = {"status": "failed", "reason": "ran out of luck_&_time"} | changes
        made = record(method, bits, seed, **changes)
        self.known[made.key] = {"value": value, "per_query": per_query, "bounds": bounds}
        return made

    def beside(
        self, method: str, bits: int, per_query: Any, seed: int = 0, **changes: Any
    ) -> Record:
        """A record whose score is the mean of these values of single queries."""
        values = np.asarray(per_query, np.float64)
        return self.add(method, bits, float(np.nanmean(values)), seed, per_query=values, **changes)

    def scores(self, found: Record, convention: Convention) -> Scores:
        if not found.ok:
            raise InputError(f"{found.status}, {found.reason}")
        told = self.known[found.key]
        value = told["value"] + (0.05 if convention.name == "deephash" else 0.0)
        return Scores(
            convention,
            {
                "map@h2": value,
                "r@h2": value / 2,
                **{f"map@h2[{view}]": value + more for view, more in self.views.items()},
            },
            {} if told["per_query"] is None else {"map@h2": told["per_query"]},
            {},
            {} if told["bounds"] is None else {"map@h2": told["bounds"]},
        )

    def lookup(self, found: Record) -> dict[str, Any]:
        return self.lookups.get(found.key, {})

    def ceiling(self, bench: Bench, evidence: Evidence) -> dict[str, float]:
        return self.ceilings


def real_record(store: Store, method: str, bits: int, noise: float, seed: int = 0) -> Record:
    """A record with codes made of noisy labels, and the split they are of."""
    rng = np.random.default_rng(7)  # the split is the same for every method
    labels = rng.integers(0, len(CLASSES), 150)
    onehot = np.eye(len(CLASSES), dtype=np.uint8)[labels]
    draw = np.random.default_rng([seed, bits, len(method)])
    centres = draw.standard_normal((len(CLASSES), bits))
    outputs = centres[labels] + noise * draw.standard_normal((150, bits))
    query, database = Codes.from_real(outputs[:30]), Codes.from_real(outputs[30:])
    arrays = split_arrays(
        {"query": onehot[:30], "database": onehot[30:]},
        {"query": [f"q{i}" for i in range(30)], "database": [f"d{i}" for i in range(120)]},
        CLASSES,
    )
    deep = PARTS[method]["kind"] == "deep"
    made = record(
        method,
        bits,
        seed,
        evidence=EVIDENCE,
        relaxed=True,
        split={"counts": {"query": 30, "train": 30, "database": 120}, "notes": []},
        files={"split": digest_of(arrays)},
        health={"query": code_health(query), "database": code_health(database)},
        history=[
            {"epoch": epoch, "loss": 1 / epoch, "lr": 0.1, "validation map@h2": 1 - 1 / (epoch + 1)}
            for epoch in range(1, 6)
        ]
        if deep
        else [],
    )
    store.put_split(made.evidence.split, lambda: arrays)
    return store.put(made, (query, database))


def exported(
    kind: str, judge: MadeJudge, *records: Record, convention: str = "house", **options: Any
) -> str:
    """The text of an export of some records."""
    tables = Tables(
        records=records, judge=judge, conventions=Convention.parse_list(convention), **options
    )
    return write(registries.exports().get(kind), tables)


def example(part: str) -> str:
    """The file of the documentation that defines an "Export" or a "Plot"."""
    page = Path(__file__).parents[2] / "docs" / "extending" / f"{part.lower()}s.md"
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.S)[0]


def printed(series: Series, width: int = 120) -> str:
    """What a terminal shows of a table."""
    console = Console(file=io.StringIO(), width=width)
    show(console, series)
    return console.file.getvalue()
