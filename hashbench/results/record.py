"""A Record: what a finished cell leaves behind, as one small JSON file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

SCHEMA = 1

Status = Literal["ok", "failed", "timeout", "out-of-memory", "skipped"]
STATUSES: tuple[str, ...] = get_args(Status)

#: The most digits a number of a record may have: Python refuses longer ones in its own way.
_DIGITS = 300

_SHA256 = re.compile(r"[0-9a-f]{64}")


class BadRecordError(ValueError):
    """A record file that is not a whole record of this schema."""


@dataclass(frozen=True)
class Record:
    """The outcome of one cell.

    Attributes:
        key: the cell's key.
        cell: the cell's own fields: dataset, protocol, split_seed, backbone,
            tuning, method, params, bits, seed, code, options.
        status: "ok", or why there are no scores.
        reason: one sentence when the status is not "ok".
        scores: convention name -> metric name -> value (None where undefined).
        curves: convention name -> curve name -> list of values.
        split: sha256 and counts of the id lists, notes.
        health: "query" and "database" -> code health.
        history: one dict per training epoch, for methods that train.
        lookup: FAISS index figures when they were asked for.
        timings: seconds spent in features, fit, encode and score.
        environment: versions, hardware, threads, hashes of backbone and data.
        adjusted: hyper-parameters that had to differ from the cell's own, such
            as a batch halved when CUDA ran out of memory.
        log: the last lines the worker printed, when it failed.
    """

    key: str
    cell: dict[str, Any]
    status: Status
    reason: str = ""
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, Sequence[float | None]]] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    health: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    lookup: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    adjusted: dict[str, Any] = field(default_factory=dict)
    log: str = ""

    @property
    def indexes(self) -> dict[str, dict[str, Any]]:
        """The figures of each FAISS index that lookup was measured with, by its name."""
        return {name: part for name, part in self.lookup.items() if isinstance(part, dict)}

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
        """Read a record back, trusting nothing about it.

        Raises:
            BadRecordError: if `data` is not a whole record of this schema.
        """
        try:
            body = json.loads(
                data.decode("utf-8"), parse_int=_int, parse_float=_float, parse_constant=_constant
            )
            if b"\\ud" in data.lower():  # half of a surrogate pair is no text: it cannot be printed
                json.dumps(body, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            raise BadRecordError(f"not JSON ({str(error)[:80]})") from None
        if not isinstance(body, dict) or body.pop("schema", None) != SCHEMA:
            raise BadRecordError(f"not a record of schema {SCHEMA}")
        if not {"key", "cell", "status"} <= set(body) <= set(_CHECKS):
            raise BadRecordError("fields are missing or unknown")
        for name, value in body.items():
            if not _CHECKS[name](value):
                raise BadRecordError(f"field '{name}' does not hold what it should")
        return cls(**body)


def _int(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError("a number is too long")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is not finite")
    return value


def _constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _mapping(check: Callable[[Any], bool] | None = None) -> Callable[[Any], bool]:
    def checker(value: Any) -> bool:
        return isinstance(value, dict) and (check is None or all(map(check, value.values())))

    return checker


def _list(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


_CELL: dict[str, Callable[[Any], bool]] = {
    "dataset": _text,
    "protocol": _text,
    "split_seed": _whole,
    "backbone": _text,
    "tuning": _text,
    "method": _text,
    "params": _mapping(),
    "bits": _whole,
    "seed": _whole,
    "code": _text,
    "options": _mapping(),
}


def _cell(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == set(_CELL)
        and all(check(value[name]) for name, check in _CELL.items())
    )


def _split(value: Any) -> bool:
    # The hash names a file: anything but hex digits could lead out of the store.
    return isinstance(value, dict) and (
        not value
        or (
            _text(value.get("sha256"))
            and _SHA256.fullmatch(value["sha256"]) is not None
            and _mapping(_whole)(value.get("counts", {}))
            and _list(_text)(value.get("notes", []))
        )
    )


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "key": _text,
    "cell": _cell,
    "status": lambda value: value in STATUSES,
    "reason": _text,
    "scores": _mapping(_mapping(_number)),
    "curves": _mapping(_mapping(_list(_number))),
    "split": _split,
    "health": _mapping(_mapping(_number)),
    "history": _list(_mapping()),
    "lookup": _mapping(),
    "timings": _mapping(lambda value: _number(value) and value is not None and value >= 0),
    "environment": _mapping(),
    "adjusted": _mapping(),
    "log": _text,
}


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
