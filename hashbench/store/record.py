"""A Record: what a finished cell leaves behind, as one small JSON file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from hashbench.cell import Cell
from hashbench.evidence import Evidence
from hashbench.files import read_regular
from hashbench.origin import Origin
from hashbench.store.checks import BadRecordError, check_record, parse

SCHEMA = 2

#: A record is small; what is larger is none.
_MOST_BYTES = 64 << 20

Status = Literal["ok", "failed", "timeout", "out-of-memory", "skipped"]
STATUSES: tuple[str, ...] = get_args(Status)


@dataclass(frozen=True)
class Record:
    """The outcome of one cell; its scores are kept apart, for they can be had at any time.

    Attributes:
        key: the key of cell and evidence.
        cell: what was asked.
        evidence: what was found.
        status: "ok", or why there are no codes.
        reason: one sentence when the status is not "ok".
        parts: what the method and the data set say of themselves, by "method" and "dataset":
            title, citation, bibtex, and of a method kind, year, supervised, role.
        request: how it was asked for: "dataset" as typed, "plugins" (paths).
        split: "counts" of query, train and database images, "notes" on them, "sha256" of
            ids, labels and classes, "ids_sha256" of the ids alone.
        files: digests of the content of the files that belong to it, by kind.
        relaxed: whether the method gives real-valued outputs.
        health: "query" and "database" -> code health.
        history: one dict per training epoch, for methods that train.
        timings: seconds spent in features, fit and encode.
        environment: versions, hardware, threads, checksum of the features.
        adjusted: hyper-parameters that had to differ from the cell's own, such
            as the parts of a batch when a GPU ran out of memory.
        finished: when, as ISO 8601 in UTC.
        log: the last lines the worker printed, when it failed.
        origins: the ways its hyper-parameters were asked for; kept beside the record, for
            another run may ask for the same cell in another way.
        found: when a run last found data and code to be what they were for this record, though
            later records are of others; kept beside it, "" for never.
    """

    key: str
    cell: Cell
    evidence: Evidence
    status: Status
    reason: str = ""
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    relaxed: bool = False
    health: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    timings: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    adjusted: Mapping[str, Any] = field(default_factory=dict)
    finished: str = ""
    log: str = ""
    origins: tuple[Origin, ...] = ()
    found: str = ""

    @property
    def age(self) -> tuple[str, str]:
        """What orders records: the last time that a run gave it, or found it to be right."""
        return max(self.finished, self.found), self.key

    @property
    def ok(self) -> bool:
        """Whether this record has codes."""
        return self.status == "ok"

    def title(self, part: str) -> str:
        """The printed name of the record's "method" or "dataset"."""
        name = self.cell.method if part == "method" else self.cell.bench.dataset
        return str(self.parts.get(part, {}).get("title") or name)

    def to_json(self) -> bytes:
        """This record as UTF-8 JSON with its own digest; NaN and infinities become null."""
        body = {item.name: getattr(self, item.name) for item in fields(self)}
        del body["origins"], body["found"]
        body |= {"schema": SCHEMA, "cell": self.cell.to_dict(), "evidence": asdict(self.evidence)}
        body = finite(body)
        body["sha256"] = _digest(body)
        return (json.dumps(body, indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> Record:
        """Read a record back, trusting nothing about it.

        Raises:
            NewerRecordError: if it is whole, and of a schema this version does not know.
            BadRecordError: if it is not a whole record whose key is that of its content.
        """
        body = _whole(data)
        if body is None:
            body = parse(data, SCHEMA)
            digest = body.pop("sha256", None)
            if digest != _digest(body):
                raise BadRecordError("its content does not fit its digest")
        del body["schema"]
        check_record(body)
        body["cell"] = Cell.from_dict(body["cell"])
        body["evidence"] = Evidence(**body["evidence"])
        record = cls(**body)
        if record.cell.key(record.evidence) != record.key:
            raise BadRecordError("its content does not fit its key")
        return record

    def with_origins(self, origins: tuple[Origin, ...]) -> Record:
        """The same record with the ways it was asked for."""
        return replace(self, origins=origins)


def _whole(data: bytes) -> dict[str, Any] | None:
    """What `parse` gives of a record whose digest is right, in less time; None for any other.

    orjson refuses what `parse` refuses, but that it takes whole numbers beyond 64 bits for
    others: those are written with an exponent in what the digest is of, and are left to `parse`.
    """
    try:
        body = orjson.loads(data)
        if not isinstance(body, dict) or body.get("schema") != SCHEMA:
            return None
        digest, text = body.pop("sha256", None), _canonical(body)
    except (ValueError, RecursionError):
        return None
    if "e+" in text or digest != hashlib.sha256(text.encode()).hexdigest():
        return None
    return body


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(body).encode()).hexdigest()


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def finite(value: Any) -> Any:
    """`value` as JSON holds it: NaN and infinities None, numpy scalars plain, keys texts."""
    if isinstance(value, Mapping):
        return {str(key): finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item"):
        return finite(value.item())
    return value


def read_small(path: Path) -> bytes:
    """The bytes of a record, or of what lies beside one.

    Raises:
        OSError: if it cannot be opened, or is no regular file.
        BadRecordError: if it is larger than any.
    """
    data = read_regular(path, _MOST_BYTES)
    if len(data) > _MOST_BYTES:
        raise BadRecordError("it is larger than any record")
    return data
