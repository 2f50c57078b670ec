"""What a record file must hold to be one: nothing a stranger's file says is trusted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

#: The most digits a number of a record may have: Python refuses longer ones in its own way.
_DIGITS = 300

_SHA256 = re.compile(r"[0-9a-f]{64}")

Holds = Callable[[Any], bool]


class BadRecordError(ValueError):
    """A record file that is not a whole record of this schema."""


class NewerRecordError(ValueError):
    """A record that a newer hashbench wrote."""


def parse(data: bytes, schema: int) -> dict[str, Any]:
    """The JSON object of a record file.

    Raises:
        NewerRecordError: if its schema is a later one.
        BadRecordError: if it is none of this schema.
    """
    try:
        body = json.loads(
            data.decode("utf-8"), parse_int=_int, parse_float=_float, parse_constant=_constant
        )
        if b"\\ud" in data.lower():  # half of a surrogate pair is no text: it cannot be printed
            json.dumps(body, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise BadRecordError(f"not JSON ({str(error)[:80]})") from None
    found = body.get("schema") if isinstance(body, dict) else None
    if isinstance(found, int) and not isinstance(found, bool) and found > schema:
        raise NewerRecordError(f"it is of schema {found}, and this version knows {schema}")
    if found != schema:
        raise BadRecordError(f"not a record of schema {schema}")
    return dict(body)


def check_record(body: dict[str, Any]) -> None:
    """Raise unless every field of a record holds what it should.

    Raises:
        BadRecordError: naming the first field that does not.
    """
    if not {"key", "cell", "evidence", "status"} <= set(body) <= set(_CHECKS):
        raise BadRecordError("fields are missing or unknown")
    for name, value in body.items():
        if not _CHECKS[name](value):
            raise BadRecordError(f"field '{name}' does not hold what it should")


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


def number(value: Any) -> bool:
    """Whether a value is a number or null."""
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _count(value: Any) -> bool:
    return _whole(value) and value >= 0


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _sha(value: Any) -> bool:
    # A digest names a file: anything but hex digits could lead out of the store.
    return _text(value) and _SHA256.fullmatch(value) is not None


def numbers(value: Any) -> bool:
    """Whether a value is a list of numbers and nulls; of many, for each takes longer to look at."""
    return isinstance(value, list) and set(map(type, value)) <= {int, float, type(None)}


def mapping(check: Holds | None = None) -> Holds:
    """A check for dicts all of whose values pass `check`."""
    return lambda value: (
        isinstance(value, dict) and (check is None or all(map(check, value.values())))
    )


def listing(check: Holds) -> Holds:
    """A check for lists all of whose elements pass `check`."""
    return lambda value: isinstance(value, list) and all(map(check, value))


def _exactly(**checks: Holds) -> Holds:
    return lambda value: (
        isinstance(value, dict)
        and set(value) == set(checks)
        and all(check(value[name]) for name, check in checks.items())
    )


def _split(value: Any) -> bool:
    return isinstance(value, dict) and (
        not value
        or (
            mapping(_count)(value.get("counts", {}))
            and listing(_text)(value.get("notes", []))
            and _text(value.get("ids_sha256", ""))
            and _text(value.get("sha256", ""))
        )
    )


def _request(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _text(value.get("dataset", ""))
        and listing(_text)(value.get("plugins", []))
    )


_BENCH = _exactly(
    dataset=_text, protocol=_text, split_seed=_whole, backbone=_text, options=mapping()
)

_CHECKS: dict[str, Holds] = {
    "key": lambda value: _text(value) and re.fullmatch(r"[0-9a-f]{16}", value) is not None,
    "cell": _exactly(
        bench=_BENCH,
        method=_text,
        params=mapping(),
        mode=_text,
        bits=_count,
        seed=_whole,
        code=_text,
    ),
    "evidence": _exactly(split=_sha, images=_text, weights=_text, preprocessing=_text),
    "status": lambda value: value in ("ok", "failed", "timeout", "out-of-memory", "skipped"),
    "reason": _text,
    "parts": mapping(mapping()),
    "request": _request,
    "split": _split,
    "files": mapping(_sha),
    "relaxed": lambda value: isinstance(value, bool),
    "health": mapping(mapping(number)),
    "history": listing(mapping()),
    "timings": mapping(lambda value: number(value) and value is not None and value >= 0),
    "environment": mapping(),
    "adjusted": mapping(),
    "finished": _text,
    "log": _text,
}
