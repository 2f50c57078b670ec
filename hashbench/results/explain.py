"""Everything a score depends on, and what differs between two that should agree."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.errors import shown as printed
from hashbench.evaluation import Convention
from hashbench.parsing import in_number
from hashbench.results.choose import Selected, current
from hashbench.seeds import derive
from hashbench.store.record import Record
from hashbench.store.scorefiles import get_lookup, get_scores, kept_conventions
from hashbench.store.store import Store

#: Parts of a description that differ between any two runs and explain nothing.
NOISE = ("timings", "finished", "lookup")


def find_cell(store: Store, name: str) -> Record:
    """The record that `name` means: the beginning of a key, or METHOD:BITS:SEED.

    Of several called METHOD:BITS:SEED it is the one that is not out of date, as in tables.

    Raises:
        InputError: if there is none, or more than one.
    """
    records = store.records()
    name = printed(name, 200)  # a notebook may hand over anything
    parts = name.split(":")
    if len(parts) == 3:
        found = [
            record
            for record in records
            if [record.cell.method, str(record.cell.bits), str(record.cell.seed)] == parts
        ]
        if len(found) > 1:
            found = current(Selected(found, records))[0] or found
    else:
        found = [record for record in records if name and record.key.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            f"no cell '{printed(name)}' in {store.root}{_near(records, name)}: write "
            "METHOD:BITS:SEED, as in dch:48:0, or the beginning of a key, as "
            "`hashbench run --dry-run` lists them"
        )
    raise InputError(
        f"'{printed(name)}' is {len(found)} cells of {store.root}: name one of "
        f"{_apart(found[:5])}{f' and {len(found) - 5} more' if len(found) > 5 else ''}"
    )


def cell_name(record: Record) -> str:
    """What `find_cell` calls a record, unless others are called the same."""
    cell = record.cell
    return f"{cell.method}:{cell.bits}:{cell.seed}"


def _apart(records: Sequence[Record]) -> str:
    """Keys, each with what tells its cell apart from the others."""
    bodies = [flatten({"": _asked(record)}) for record in records]
    differing = [
        name
        for name in dict.fromkeys(name for body in bodies for name in body)
        if len({json.dumps(body.get(name), sort_keys=True) for body in bodies}) > 1
    ]
    return "; ".join(
        f"{record.key} ({', '.join(_trait(name, body) for name in differing[:4])})"
        for record, body in zip(records, bodies, strict=True)
    )


def _trait(name: str, body: Mapping[str, Any]) -> str:
    return printed(f"{name.removeprefix('.')} {shown(body.get(name))}", 60)


def _near(records: Sequence[Record], name: str) -> str:
    """The cells whose names are most like `name`, and what tells those of one name apart."""
    named: dict[str, list[Record]] = {}
    for record in records:
        named.setdefault(cell_name(record), []).append(record)
    method, *numbers = name.split(":")
    methods = dict.fromkeys(record.cell.method for record in records)
    alike = [method] if method in methods else difflib.get_close_matches(method, methods)
    lengths = [int(text) for text in numbers[:2] if text.isdecimal() and len(text) < 10]

    def distance(item: tuple[str, list[Record]]) -> tuple[int, ...]:
        cell = item[1][0].cell
        off = (abs(a - b) for a, b in zip((cell.bits, cell.seed), lengths, strict=False))
        return (alike.index(cell.method), *off, cell.bits, cell.seed)

    near = sorted(
        (item for item in named.items() if item[1][0].cell.method in alike), key=distance
    )[:3]
    said = [
        printed(label)
        if len(found) == 1
        else f"{printed(label)}, {len(found)} cells: {_apart(found[:3])}"
        for label, found in near
    ]
    if not said:
        return (
            f" (there are cells of {printed(', '.join(sorted(methods)), 200)})" if methods else ""
        )
    return f" (near it: {'; '.join(said)})"


def _asked(record: Record) -> dict[str, Any]:
    body = record.cell.to_dict()
    return {**body, "evidence": asdict(record.evidence), "finished": record.finished}


def describe(store: Store, record: Record) -> dict[str, Any]:
    """Everything the scores of a record depend on, and the scores, as nested JSON-able dicts."""
    codes = _open_codes(store, record)
    scores = _scores(store, record)
    return {
        "key": record.key,
        "status": record.status,
        **({"reason": record.reason} if record.reason else {}),
        "cell": record.cell.to_dict(),
        "evidence": asdict(record.evidence),
        "hyper-parameters": _origins(record),
        "parts": {name: dict(part) for name, part in record.parts.items()},
        "request": dict(record.request),
        "adjusted": dict(record.adjusted),
        "seeds": {"method": derive(record.cell.seed, "method")},
        "split": dict(record.split),
        "files": dict(record.files),
        "finished": record.finished,
        "codes": {
            name: hashlib.sha256(part.packed.tobytes()).hexdigest()
            for name, part in zip(("query", "database"), codes or (), strict=False)
        },
        "conventions": {name: _knobs(name) for name in scores},
        "scores": scores,
        "lookup": get_lookup(store, record),
        "health": {name: dict(values) for name, values in record.health.items()},
        "environment": dict(record.environment),
        "timings": dict(record.timings),
        **({"log": record.log} if record.log else {}),
    }


def defaults_of(record: Record) -> dict[str, dict[str, Any]]:
    """What the unset hyper-parameters of a deep method's record were: "of", "value", by name.

    "of" is whose default it is, the recipe's or the method's; the value None stands for what the
    data or the backbone decided. Empty where nothing is unset, or where the code that made the
    record is not what is here, which may have other defaults.
    """
    from hashbench.hasher import code_of
    from hashbench.registries import methods

    cell = record.cell
    unset = [name for name, value in cell.params.items() if value is None]
    if not unset or cell.method not in methods().names():
        return {}
    try:
        cls = methods().get(cell.method)
        if code_of(cls, methods().entry(cell.method).digest) != cell.code:
            return {}
        found = cls(bits=cell.bits, seed=cell.seed, **cell.params).in_use()
    except Exception:  # a shallow method, or a stranger's, which may not even import
        return {}
    if "epochs" in unset and record.history:  # a small training set gets more than the recipe's
        found["epochs"] = len(record.history)
    from hashbench.training.deep import TRAINING

    return {
        name: {"of": "recipe" if name in TRAINING else "method", "value": found.get(name)}
        for name in unset
    }


def compare(
    first: tuple[Store, Record], second: tuple[Store, Record], *, noise: bool = False
) -> dict[str, tuple[Any, Any]]:
    """What differs between two records: dotted name -> (first's value, second's value).

    Args:
        first: a record and its store.
        second: another record and its store.
        noise: timings too, which no two runs share.
    """
    ours, theirs = (flatten(describe(*one)) for one in (first, second))
    differing = {
        name: (ours.get(name), theirs.get(name))
        for name in dict.fromkeys([*ours, *theirs])
        if ours.get(name) != theirs.get(name) and (noise or name.partition(".")[0] not in NOISE)
    }
    bits = _differing_bits(first, second)
    if bits:
        differing["codes"] = (f"{bits[0]} of {in_number(bits[1], 'bit', 'bits')} differ", None)
    return differing


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dicts as one of dotted names; what is no dict stays as it is."""
    flat: dict[str, Any] = {}
    for name, part in value.items():
        path = f"{prefix}{name}"
        if isinstance(part, Mapping):
            flat |= flatten(part, f"{path}.")
        else:
            flat[path] = part
    return flat


def shown(value: Any) -> str:
    """A value of a description as a person reads it."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(map(shown, value))
    return json.dumps(value) if isinstance(value, bool) or value is None else str(value)


def _scores(store: Store, record: Record) -> dict[str, dict[str, float | None]]:
    found = {}
    for name in kept_conventions(store, record):
        try:
            stored = get_scores(store, record, Convention.parse(name))
        except InputError:  # of a plugin that is not loaded
            continue
        if stored is not None:
            found[name] = stored[0].to_dict()
    return found


def _origins(record: Record) -> dict[str, Any]:
    return {
        f"asked {place}": {"from": origin.label, "note": origin.note, **origin.sources}
        for place, origin in enumerate(record.origins, 1)
    }


def _open_codes(store: Store, record: Record) -> tuple[Codes, Codes] | None:
    try:
        return store.open_codes(record) if record.ok else None
    except InputError:
        return None


def _knobs(name: str) -> dict[str, Any]:
    try:
        return asdict(Convention.parse(name))
    except InputError:
        return {"unknown": True}


def _differing_bits(
    first: tuple[Store, Record], second: tuple[Store, Record]
) -> tuple[int, int] | None:
    ours, theirs = _open_codes(*first), _open_codes(*second)
    if ours is None or theirs is None:
        return None
    count = total = 0
    for one, other in zip(ours, theirs, strict=True):
        if one.packed.shape != other.packed.shape or one.bits != other.bits:
            return None
        count += int(np.bitwise_count(one.packed ^ other.packed).sum())
        total += len(one) * one.bits
    return (count, total) if count else None
