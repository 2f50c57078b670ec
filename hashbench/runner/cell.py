"""A Cell: the unit of work, identified by exactly what its codes depend on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """One method on one split at one code length under one seed.

    Attributes:
        dataset: data set name.
        protocol: protocol id.
        split_seed: seed of the split's draw.
        backbone: feature extractor name.
        tuning: "head", "partial" or "full" for deep methods, "none" for shallow ones.
        method: method name.
        params: every hyper-parameter, defaults filled in.
        bits: code length.
        seed: root seed of the method's own randomness.
        code: the method's code version, and the digest of a plugin's file.
        options: what changes the data beyond the protocol, such as images
            allowed to be missing.
    """

    dataset: str
    protocol: str
    split_seed: int
    backbone: str
    tuning: str
    method: str
    params: dict[str, Any]
    bits: int
    seed: int
    code: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """16 hex digits naming this cell; independent of any order of arguments."""
        body = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(body.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """The fields as a JSON-able dict."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.method} {self.bits} bits seed {self.seed} on {self.dataset}"
