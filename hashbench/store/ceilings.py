"""Ceilings on disk: what retrieval by the features themselves gives, one file a bench."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from hashbench.evidence import Evidence
from hashbench.files import open_regular, write_atomically
from hashbench.store.store import Store, StoreError

_MOST_BYTES = 1 << 20


def put_ceiling(
    store: Store, evidence: Evidence, backbone: str, values: Mapping[str, float]
) -> None:
    """Keep the mAP of ranking by cosine of features.

    Args:
        store: where.
        evidence: of the data and the backbone.
        backbone: its name, for one network gives several kinds of features.
        values: by view of the split, "" for what the plain score is of.

    Raises:
        StoreError: if it cannot be written.
    """
    body = {**_ground(evidence, backbone), "values": dict(values)}
    data = json.dumps({**body, "sha256": _digest(body)}, indent=1, sort_keys=True).encode()
    path = ceiling_path(store, evidence, backbone)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda stream: stream.write(data))
    except OSError as error:
        raise StoreError(f"cannot write to {path}: {error.strerror or error}") from error


def get_ceiling(store: Store, evidence: Evidence, backbone: str) -> dict[str, float]:
    """What `put_ceiling` kept; empty where there is nothing whole."""
    try:
        with open_regular(ceiling_path(store, evidence, backbone)) as stream:
            body = json.loads(stream.read(_MOST_BYTES))
        seal = body.pop("sha256")
        values = {str(name): float(value) for name, value in body["values"].items()}
        ground = {name: part for name, part in body.items() if name != "values"}
        if seal != _digest(body) or ground != _ground(evidence, backbone):
            return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return values if all(0 <= value <= 1 for value in values.values()) else {}


def ceiling_path(store: Store, evidence: Evidence, backbone: str) -> Path:
    """Where the ceiling of a bench lies."""
    name = _digest(_ground(evidence, backbone))
    return store.root / "scores" / "ceilings" / f"{name}.json"


def _ground(evidence: Evidence, backbone: str) -> dict[str, object]:
    return {"evidence": asdict(evidence), "backbone": backbone}


def _digest(body: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
