"""What an entry's JSON must hold to be one: nothing a stranger's file says is trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hashbench.errors import InputError, shown
from hashbench.parsing import printable
from hashbench.store.checks import BadRecordError, NewerRecordError, parse

#: Bytes of the largest `entry.json`, and the version of its schema.
MOST_BYTES, SCHEMA = 1 << 20, 1

#: Values in all, levels of nesting, letters of a text, items of a part, bits of a code.
MOST_VALUES, DEEPEST, LONGEST, MOST_ITEMS, MOST_BITS = 20_000, 8, 4_000, 20_000_000, 4_096

#: Texts that may have several lines.
_LINES = ("bibtex", "comment")

_REQUIRED = object()
_SHA = re.compile(r"[0-9a-f]{64}")
#: Letters that turn the direction of a line: what is read would not be what is there.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class Field:
    """A field of a section.

    Attributes:
        check: whether a value fits.
        what: what it must be, for messages.
        default: where an entry leaves it out; a field without one is required.
    """

    check: Callable[[Any], bool]
    what: str
    default: Any = _REQUIRED


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _word(value: Any) -> bool:
    return _text(value) and 0 < len(value.strip()) <= 200


def _whole(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63


def _sha(value: Any) -> bool:
    return _text(value) and (not value or _SHA.fullmatch(value) is not None)


def _flat(value: Any) -> bool:
    return isinstance(value, dict) and all(
        item is None or isinstance(item, (str, bool, int, float)) for item in value.values()
    )


def _counts(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and {"query", "database"} <= set(value) <= {"query", "database", "train"}
        and all(type(count) is int and 0 < count <= MOST_ITEMS for count in value.values())
    )


def _origins(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and set(item) == {"sources", "base", "note"}
        and isinstance(item["sources"], dict)
        and all(map(_text, (*item["sources"].values(), item["base"], item["note"])))
        for item in value
    )


def _numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(type(item) in (int, float) for item in value.values())


def _scores(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= 20
        and all(
            isinstance(claims, dict)
            and all(item is None or type(item) in (int, float) for item in claims.values())
            for claims in value.values()
        )
    )


def _either(*words: str) -> Field:
    return Field(lambda value: value in words, f"must be {' or '.join(words)}", words[0])


_TEXT = Field(_text, "must be a text", "")
_TITLE = Field(_word, "must be a text of 1 to 200 letters")
_DIGEST = Field(_sha, 'must be 64 hex digits, or ""', "")
_SOME_DIGEST = Field(lambda value: _sha(value) and bool(value), "must be 64 hex digits")
_MAPPING = Field(lambda value: isinstance(value, dict), "must be an object", {})
_FLAG = Field(lambda value: isinstance(value, bool), "must be true or false")

#: Section -> its fields.
SECTIONS: Mapping[str, Mapping[str, Field]] = {
    "entry": {
        "author": _TITLE,
        "licence": _TITLE,
        "made": _TEXT,
        "made_with": _TEXT,
        "comment": _TEXT,
    },
    "bench": {
        "dataset": _TITLE,
        "title": _TEXT,
        "citation": _TEXT,
        "protocol": _TITLE,
        "split_seed": Field(_whole, "must be a whole number", 0),
        "options": Field(_flat, "must be an object of plain values", {}),
        "split_sha256": _SOME_DIGEST,
        "images_sha256": _TEXT,
        "counts": Field(_counts, "must say how many images are query and database (and train)"),
        "notes": Field(
            lambda value: isinstance(value, list) and all(map(_text, value)),
            "must be a list of texts",
            [],
        ),
    },
    "method": {
        "name": Field(
            lambda value: _word(value) and _NAME.fullmatch(value) is not None,
            "must be letters, digits, - and _",
        ),
        "title": _TEXT,
        "summary": _TEXT,
        "citation": _TEXT,
        "bibtex": _TEXT,
        "year": Field(lambda value: _whole(value) and 0 <= value < 10_000, "must be a year", 0),
        "kind": _either("deep", "shallow", "external"),
        "role": _either("method", "floor"),
        "source": _TEXT,
        "source_sha256": _DIGEST,
        "code": _TEXT,
        "params": _MAPPING,
        "origins": Field(_origins, "must be a list of {sources, base, note}", []),
        "adjusted": _MAPPING,
    },
    "training": {
        "mode": Field(
            lambda value: value in ("none", "head", "partial", "full", "other"),
            "must be none, head, partial, full or other",
        ),
        "seed": Field(_whole, "must be a whole number"),
        "backbone": _TITLE,
        "pretrained_on": _TITLE,
        "weights_sha256": _TEXT,
        "preprocessing_sha256": _TEXT,
        "seconds": Field(_numbers, "must be an object of numbers", {}),
        "environment": _MAPPING,
    },
    "seen": {
        "labels": _FLAG,
        "extra_data": Field(_text, 'must be a text, "" for none'),
        "test_set": _FLAG,
    },
    "codes": {
        "bits": Field(
            lambda value: _whole(value) and 0 < value <= MOST_BITS, f"must be 1 to {MOST_BITS}"
        ),
        "query_sha256": _SOME_DIGEST,
        "database_sha256": _SOME_DIGEST,
        "query_zeros_sha256": _DIGEST,
        "database_zeros_sha256": _DIGEST,
        "hasher_sha256": _DIGEST,
    },
}


def checked(data: bytes, where: str) -> dict[str, Any]:
    """The sections of an `entry.json`, defaults filled in, and `scores`.

    Args:
        data: the file.
        where: what messages call it.

    Raises:
        InputError: naming the first thing that is not as the format says.
    """
    try:
        body = parse(data, SCHEMA)
    except NewerRecordError as error:
        raise InputError(f"{where}: {error}: update hashbench to read it") from None
    except BadRecordError as error:
        raise InputError(
            f"{where} is no entry ({shown(error)}): write it as docs/bundles.md says"
        ) from None
    _bounded(body, where)
    extra = set(body) - {"format", "schema", "scores", *SECTIONS}
    if body.get("format") != "hashbench-entry" or extra:
        fault = f"it has '{shown(min(extra), 40)}'" if extra else "its format is another"
        raise InputError(f"{where} is no entry ({fault}): write it as docs/bundles.md says")
    found = {name: _section(body.get(name), name, fields, where)
             for name, fields in SECTIONS.items()}  # fmt: skip
    if not _scores(body.get("scores")):
        raise InputError(
            f"{where}: scores must be an object of 1 to 20 conventions, each with its numbers"
        )
    return {**found, "scores": body["scores"]}


def _section(body: Any, section: str, fields: Mapping[str, Field], where: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InputError(f"{where} has no section '{section}': add it")
    unknown = set(body) - set(fields)
    if unknown:
        raise InputError(
            f"{where}: {section}.{shown(min(unknown), 40)} is no field of the format: leave it out"
        )
    for name, field in fields.items():
        if name not in body:
            if field.default is _REQUIRED:
                raise InputError(f"{where}: {section}.{name} is missing, it {field.what}")
        elif not field.check(body[name]):
            raise InputError(f"{where}: {section}.{name} {field.what}")
    return {name: body.get(name, field.default) for name, field in fields.items()}


def _bounded(body: Any, where: str) -> None:
    """Refuse what is endless, nested deeply, or would reach a terminal as more than a line."""
    waiting: list[tuple[Any, int, bool]] = [(body, 0, False)]
    seen = 0
    while waiting:
        value, depth, lines = waiting.pop()
        seen += 1
        if seen > MOST_VALUES or depth > DEEPEST:
            raise InputError(f"{where} holds more than any entry does: cut it")
        if isinstance(value, dict):
            for name, item in value.items():
                _line(name, False, where)
                waiting.append((item, depth + 1, name in _LINES))
        elif isinstance(value, list):
            waiting += [(item, depth + 1, False) for item in value]
        elif isinstance(value, str):
            _line(value, lines, where)
        elif isinstance(value, int) and abs(value) >= 2**63:
            raise InputError(f"{where} holds a whole number of more than 64 bits")


def _line(text: str, lines: bool, where: str) -> None:
    plain = printable(text.replace("\n", "") if lines else text) and not _TURNING.search(text)
    if len(text) > LONGEST or not plain:
        raise InputError(
            f"{where}: '{shown(text, 40)}' is longer than {LONGEST:,} letters, or holds control "
            "characters: write plain texts"
        )
