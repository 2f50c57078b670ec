"""Scores on disk: one file a result and convention, written whenever they are computed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from hashbench.evaluation.convention import Convention
from hashbench.evaluation.scores import Scores
from hashbench.files import read_regular, write_atomically
from hashbench.npy import read_arrays
from hashbench.store.arrays import read_sealed, write_sealed
from hashbench.store.checks import listing, mapping, number, numbers
from hashbench.store.record import Record, finite
from hashbench.store.store import Store, StoreError


def put_scores(store: Store, record: Record, scores: Scores, versions: Mapping[str, str]) -> None:
    """Keep the scores of a record under a convention.

    Args:
        store: where.
        record: whose codes they are the scores of.
        scores: the scores.
        versions: of everything that computed them.

    Raises:
        StoreError: if they cannot be written.
    """
    names = list(scores.per_query)
    body = {
        "key": record.key,
        "codes": record.files.get("codes", ""),
        "convention": str(scores.convention),
        "versions": dict(versions),
        "values": scores.to_dict(),
        "bounds": {name: list(pair) for name, pair in scores.bounds.items()},
        "curves": scores.curves,
        "per_query": names,
    }
    text = json.dumps(finite(body), sort_keys=True).encode()
    arrays = {f"q{place}": scores.per_query[name] for place, name in enumerate(names)}
    path = score_path(store, record.key, str(scores.convention))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sealed(path, {"body": np.frombuffer(text, np.uint8), **arrays})
    except OSError as error:
        raise StoreError(
            f"cannot write scores to {store.root}: {error.strerror or error}; make room or "
            "choose another folder with --results"
        ) from error


def get_scores(
    store: Store, record: Record, convention: Convention
) -> tuple[Scores, dict[str, str]] | None:
    """Stored scores of a record, and the versions that computed them; None without whole ones."""
    name = str(convention)
    try:
        arrays = read_sealed(score_path(store, record.key, name))
        body = _body_of(arrays.pop("body"), record, name)
        if body is None:
            return None
        per_query = {
            name: np.asarray(arrays[f"q{place}"], np.float64)
            for place, name in enumerate(body["per_query"])
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # they are cheap: computed again
    nan = float("nan")
    values = {name: nan if item is None else float(item) for name, item in body["values"].items()}
    bounds = {name: (float(low), float(high)) for name, (low, high) in body["bounds"].items()}
    curves = {
        name: [nan if item is None else item for item in curve] if None in curve else curve
        for name, curve in body["curves"].items()
    }
    return Scores(convention, values, per_query, curves, bounds), body["versions"]


def get_versions(store: Store, record: Record, convention: Convention) -> dict[str, str] | None:
    """The versions that computed stored scores of a record, whose values are not read.

    None where there are no scores. Those that turn out damaged when they are read are
    computed again then.
    """
    name = str(convention)
    try:
        arrays = read_arrays(score_path(store, record.key, name), ("body",))
        body = _body_of(arrays["body"], record, name)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return None if body is None else dict(body["versions"])


def kept_conventions(store: Store, record: Record) -> list[str]:
    """Names of the conventions under which a record has stored scores, sorted."""
    folder = store.scores_folder(record.key)
    try:
        with os.scandir(folder) as entries:
            files = [folder / entry.name for entry in entries if entry.name.endswith(".npz")]
    except OSError:
        return []
    return sorted(name for name in map(_named, files) if name)


def score_path(store: Store, key: str, convention: str) -> Path:
    """Where the scores of a key under a convention lie."""
    return store.scores_folder(key) / f"{_stem(convention)}.npz"


@lru_cache(maxsize=1000)
def _stem(convention: str) -> str:
    return hashlib.sha256(convention.encode()).hexdigest()[:16]


#: Conventions by the stem of the files that are named by their digest.
_NAMES: dict[str, str] = {}


def _named(path: Path) -> str:
    """The convention that a file of scores is of, "" for none: read once for each name."""
    if path.stem not in _NAMES:
        try:
            body = json.loads(read_sealed(path)["body"].tobytes())
            name = str(body["convention"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return ""
        if _stem(name) != path.stem:
            return ""
        _NAMES[path.stem] = name
    return _NAMES[path.stem]


def _body_of(text: NDArray[Any], record: Record, convention: str) -> dict[str, Any] | None:
    """What a file of scores says, if it is of a record's codes under a convention."""
    body = orjson.loads(text.tobytes())
    wanted = record.key, record.files.get("codes", ""), convention
    if not _is_scores(body) or (body["key"], body["codes"], body["convention"]) != wanted:
        return None
    return dict(body)


def put_lookup(store: Store, record: Record, figures: Mapping[str, Any]) -> None:
    """Keep what a lookup measurement of a record's codes found.

    Raises:
        StoreError: if it cannot be written.
    """
    body = {"codes": record.files.get("codes", ""), "figures": finite(dict(figures))}
    data = json.dumps(body, indent=1, sort_keys=True).encode()
    path = store.scores_folder(record.key) / "lookup.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda stream: stream.write(data))
    except OSError as error:
        raise StoreError(f"cannot write to {path}: {error.strerror or error}") from error


def get_lookup(store: Store, record: Record) -> dict[str, Any]:
    """What was measured of lookup in a record's codes; empty if nothing was."""
    try:
        body = json.loads(read_regular(store.scores_folder(record.key) / "lookup.json", 1 << 20))
        if body["codes"] != record.files.get("codes", "") or not isinstance(body["figures"], dict):
            return {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return dict(body["figures"])


def _is_scores(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and body.keys() == _CHECKS.keys()
        and all(check(body[name]) for name, check in _CHECKS.items())
    )


def _text(value: Any) -> bool:
    return isinstance(value, str)


_pair = listing(number)

_CHECKS = {
    "key": _text,
    "codes": _text,
    "convention": _text,
    "versions": mapping(_text),
    "values": lambda value: isinstance(value, dict) and numbers(list(value.values())),
    "bounds": mapping(lambda value: _pair(value) and len(value) == 2 and None not in value),
    "curves": mapping(numbers),
    "per_query": listing(_text),
}
