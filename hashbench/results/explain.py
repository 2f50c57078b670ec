"""Everything a score depends on, and what differs between two that should agree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.results.record import Record
from hashbench.results.store import Store
from hashbench.seeds import derive

#: Parts of a description that differ between any two runs and explain nothing.
NOISE = ("timings", "lookup")


def find_cell(store: Store, name: str) -> Record:
    """The record that `name` means: the beginning of a key, or METHOD:BITS:SEED.

    Raises:
        InputError: if there is none, or more than one.
    """
    records = store.records()
    parts = name.split(":")
    if len(parts) == 3:
        found = [
            record
            for record in records
            if [str(record.cell[part]) for part in ("method", "bits", "seed")] == parts
        ]
    else:
        found = [record for record in records if name and record.key.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            f"no cell '{name}' in {store.root}: write the beginning of its key, as "
            "`hashbench run --dry-run` lists them, or METHOD:BITS:SEED, as in dch:48:0"
        )
    keys = ", ".join(record.key for record in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    raise InputError(f"'{name}' is {len(found)} cells of {store.root}: name one of {keys}{more}")


def describe(store: Store, record: Record) -> dict[str, Any]:
    """Everything the scores of a record depend on, and the scores, as nested JSON-able dicts."""
    codes = _open_codes(store, record)
    return {
        "key": record.key,
        "status": record.status,
        **({"reason": record.reason} if record.reason else {}),
        "cell": dict(record.cell),
        "adjusted": dict(record.adjusted),
        "seeds": {"method": derive(int(record.cell["seed"]), "method")},
        "split": dict(record.split),
        "codes": {
            name: hashlib.sha256(part.packed.tobytes()).hexdigest()
            for name, part in zip(("query", "database"), codes or (), strict=False)
        },
        "conventions": {name: _knobs(name) for name in record.scores},
        "scores": {name: dict(values) for name, values in record.scores.items()},
        **({"lookup": dict(record.lookup)} if record.lookup else {}),
        "health": {name: dict(values) for name, values in record.health.items()},
        "environment": dict(record.environment),
        "timings": dict(record.timings),
        **({"log": record.log} if record.log else {}),
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
        differing["codes"] = (f"{bits[0]} of {bits[1]} bits differ", None)
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
