"""A Bundle: one entry of a board, with all that recomputing its scores needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from hashbench.bundles.checks import SCHEMA, checked
from hashbench.cell import Bench, Cell
from hashbench.codes import Codes
from hashbench.evaluation import code_health
from hashbench.evidence import Evidence
from hashbench.origin import Origin
from hashbench.registries import methods
from hashbench.store.record import Record, finite


@dataclass(frozen=True)
class Seen:
    """What a method was shown beside the training images.

    Attributes:
        labels: whether it learned from labels of the training set.
        extra_data: what else it learned from, beyond the backbone's pre-training; "" for nothing.
        test_set: whether queries, or labels of the database, had any part in it.
    """

    labels: bool
    extra_data: str = ""
    test_set: bool = False


@dataclass(frozen=True)
class Bundle:
    """An entry as its `entry.json` states it; the codes lie beside it, see `open_codes`.

    Attributes:
        cell: what was asked; its `code` is "" where nobody versions it.
        evidence: what was found; of strangers' entries the split's digest alone.
        author: who answers for the entry.
        licence: of the entry, as an SPDX identifier where it has one.
        seen: what the method was shown.
        pretrained_on: what the backbone was trained on before.
        counts: images in "query", "database" and, where said, "train".
        scores: convention -> metric -> claimed score, None where it is undefined.
        digests: sha256 by kind, see `folder.FILES`: of the packed codes' bytes, of the hasher.
        method: "title", "summary", "citation", "bibtex", "year", "kind", "role".
        dataset: "title" and "citation".
        source: where the method's code is; source_sha256 of it, "" where not said.
        origins: where its hyper-parameters came from.
        adjusted: hyper-parameters that had to differ from the cell's own.
        notes: what a reader of the scores must know of the split.
        seconds: of features, fit and encode.
        environment: versions and hardware.
        made: when, as ISO 8601; made_with: by what.
        comment: the author's words.
        folder: where it was read from.
    """

    cell: Cell
    evidence: Evidence
    author: str
    licence: str
    seen: Seen
    pretrained_on: str
    counts: Mapping[str, int]
    scores: Mapping[str, Mapping[str, float | None]]
    digests: Mapping[str, str]
    method: Mapping[str, Any] = field(default_factory=dict)
    dataset: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    source_sha256: str = ""
    origins: tuple[Origin, ...] = ()
    adjusted: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    made: str = ""
    made_with: str = ""
    comment: str = ""
    folder: Path | None = None

    @property
    def name(self) -> str:
        """Method, code length and seed, as verbs call a cell: "dch:48:0"."""
        return f"{self.cell.method}:{self.cell.bits}:{self.cell.seed}"

    @property
    def title(self) -> str:
        """The method's printed name."""
        return str(self.method.get("title") or self.cell.method)

    @property
    def ours(self) -> bool:
        """Whether its method is one of hashbench's own, in some version."""
        known = self.cell.method in methods().names()
        ours = known and methods().entry(self.cell.method).origin == "hashbench"
        return ours and bool(self.cell.code) and "+" not in self.cell.code

    @property
    def code(self) -> str:
        """What tells its method from others of that name: the version that hashbench gave it.

        A version that names no file, as strangers state it or leave it out, is one of
        its author's and its source's alone.
        """
        if self.ours or "+" in self.cell.code:
            return self.cell.code
        mine = hashlib.sha256(f"{self.author}\0{self.source_sha256}".encode()).hexdigest()
        return f"{self.cell.code}+{mine[:16]}"

    def to_json(self) -> bytes:
        """The `entry.json`: UTF-8, a line a value, in the order people read it."""
        cell, bench, evidence = self.cell, self.cell.bench, self.evidence
        body = {
            "format": "hashbench-entry",
            "schema": SCHEMA,
            "entry": {
                "author": self.author,
                "licence": self.licence,
                "made": self.made,
                "made_with": self.made_with,
                "comment": self.comment,
            },
            "bench": {
                "dataset": bench.dataset,
                **self.dataset,
                "protocol": bench.protocol,
                "split_seed": bench.split_seed,
                "options": bench.options,
                "split_sha256": evidence.split,
                "images_sha256": evidence.images,
                "counts": self.counts,
                "notes": self.notes,
            },
            "method": {
                "name": cell.method,
                **self.method,
                "source": self.source,
                "source_sha256": self.source_sha256,
                "code": cell.code,
                "params": cell.params,
                "origins": [asdict(origin) for origin in self.origins],
                "adjusted": self.adjusted,
            },
            "training": {
                "mode": cell.mode,
                "seed": cell.seed,
                "backbone": bench.backbone,
                "pretrained_on": self.pretrained_on,
                "weights_sha256": evidence.weights,
                "preprocessing_sha256": evidence.preprocessing,
                "seconds": self.seconds,
                "environment": self.environment,
            },
            "seen": asdict(self.seen),
            "codes": {
                "bits": cell.bits,
                **{f"{kind}_sha256": digest for kind, digest in self.digests.items() if digest},
            },
            "scores": self.scores,
        }
        return (json.dumps(finite(body), indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes, where: str, folder: Path | None = None) -> Self:
        """Read an `entry.json`, trusting nothing about it.

        Args:
            data: the file.
            where: what messages call it.
            folder: where it lies.

        Raises:
            InputError: naming the first thing that is not as the format says.
        """
        body = checked(data, where)
        entry, bench, method, training, seen, codes = (
            body[name] for name in ("entry", "bench", "method", "training", "seen", "codes")
        )
        facts = ("title", "summary", "citation", "bibtex", "year", "kind", "role")
        return cls(
            cell=Cell(
                bench=Bench(
                    bench["dataset"],
                    bench["protocol"],
                    bench["split_seed"],
                    training["backbone"],
                    bench["options"],
                ),
                method=method["name"],
                params=method["params"],
                mode=training["mode"],
                bits=codes["bits"],
                seed=training["seed"],
                code=method["code"],
            ),
            evidence=Evidence(
                bench["split_sha256"],
                bench["images_sha256"],
                training["weights_sha256"],
                training["preprocessing_sha256"],
            ),
            author=entry["author"],
            licence=entry["licence"],
            seen=Seen(**seen),
            pretrained_on=training["pretrained_on"],
            counts=bench["counts"],
            scores=body["scores"],
            digests={
                name.removesuffix("_sha256"): digest
                for name, digest in codes.items()
                if name.endswith("_sha256") and digest
            },
            method={name: method[name] for name in facts},
            dataset={name: bench[name] for name in ("title", "citation")},
            source=method["source"],
            source_sha256=method["source_sha256"],
            origins=tuple(Origin(**origin) for origin in method["origins"]),
            adjusted=method["adjusted"],
            notes=tuple(bench["notes"]),
            seconds=training["seconds"],
            environment=training["environment"],
            made=entry["made"],
            made_with=entry["made_with"],
            comment=entry["comment"],
            folder=folder,
        )

    def record(self, codes: tuple[Codes, Codes] | None = None) -> Record:
        """The entry as a record, for whatever shows records: tables, figures, pages.

        Args:
            codes: its (query, database) codes, for a record that says how healthy they are.
        """
        cell = replace(self.cell, code=self.code)
        return Record(
            key=cell.key(self.evidence),
            cell=cell,
            evidence=self.evidence,
            status="ok",
            parts={
                "method": {**self.method, "supervised": self.seen.labels},
                "dataset": dict(self.dataset),
            },
            request={"dataset": cell.bench.dataset},
            split={
                "counts": dict(self.counts),
                "notes": list(self.notes),
                "sha256": self.evidence.split,
            },
            health={}
            if codes is None
            else {"query": code_health(codes[0]), "database": code_health(codes[1])},
            timings=self.seconds,
            environment=self.environment,
            adjusted=self.adjusted,
            finished=self.made,
            origins=self.origins,
        )
