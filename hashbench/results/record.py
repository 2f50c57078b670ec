"""A Record: what a finished cell leaves behind, as one small JSON file."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

SCHEMA = 1

Status = Literal["ok", "failed", "timeout", "out-of-memory", "skipped"]
STATUSES: tuple[str, ...] = get_args(Status)


class BadRecordError(ValueError):
    """A record file that is not a whole record of this schema."""


@dataclass(frozen=True)
class Record:
    """The outcome of one cell.

    Attributes:
        key: the cell's key.
        cell: the cell's own fields: dataset, protocol, split_seed, backbone,
            tuning, method, params, bits, seed, code.
        status: "ok", or why there are no scores.
        reason: one sentence when the status is not "ok".
        scores: convention name -> metric name -> value (None where undefined).
        curves: convention name -> curve name -> list of values.
        split: sha256 and counts of the id lists, class names, notes.
        health: "query" and "database" -> code health.
        history: one dict per training epoch, for methods that train.
        lookup: FAISS index figures when they were asked for.
        timings: seconds spent in features, fit, encode and score.
        environment: versions, hardware and threads.
        log: the last lines the worker printed, when it failed.
    """

    key: str
    cell: dict[str, Any]
    status: Status
    reason: str = ""
    scores: dict[str, dict[str, float | None]] = field(default_factory=dict)
    curves: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    health: dict[str, dict[str, float | None]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    lookup: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    log: str = ""

    @property
    def ok(self) -> bool:
        """Whether this record has scores."""
        return self.status == "ok"

    def to_json(self) -> bytes:
        """This record as UTF-8 JSON; NaN and infinities become null."""
        body = {"schema": SCHEMA, **asdict(self)}
        return (json.dumps(_finite(body), indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> Record:
        """Read a record back.

        Raises:
            BadRecordError: if `data` is not a whole record of this schema.
        """
        try:
            body = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise BadRecordError(f"not JSON ({error})") from None
        if not isinstance(body, dict) or body.pop("schema", None) != SCHEMA:
            raise BadRecordError(f"not a record of schema {SCHEMA}")
        known = {item.name: item for item in fields(cls)}
        if not {"key", "cell", "status"} <= set(body) or not set(body) <= set(known):
            raise BadRecordError("fields are missing or unknown")
        kinds = {"key": str, "reason": str, "status": str, "log": str, "history": list}
        for name, value in body.items():
            if not isinstance(value, kinds.get(name, dict)):
                raise BadRecordError(f"field '{name}' has the wrong type")
        if body["status"] not in STATUSES:
            raise BadRecordError(f"unknown status {body['status']!r}")
        for name in ("scores", "curves", "health"):
            if not all(isinstance(part, dict) for part in body.get(name, {}).values()):
                raise BadRecordError(f"field '{name}' has the wrong type")
        return cls(**body)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item"):  # numpy scalars
        return _finite(value.item())
    return value
