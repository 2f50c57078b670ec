"""A Cell: what was asked, the unit of work. With the Evidence it makes the key of a result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hashbench.evidence import Evidence
from hashbench.parsing import in_number

#: Training modes in which a network is trained from images rather than from features.
FROM_PIXELS = ("partial", "full")

#: What is trained of a deep method's network; shallow methods have "none".
MODES = ("head", *FROM_PIXELS)

#: What options of the data say of a bench, in words.
_OPTIONS = {
    "mirrored": "mirror images trained on",
    "distractors": "distractors of",
    "allow_missing": "missing images allowed",
    "allow_overlap": "queries allowed in the database",
    "allow_unlabelled": "images without labels allowed",
    "allow_duplicates": "copies of queries allowed",
    "held_out": "held out of the training set in carving",
    "inflated": "database filled up with mixtures",
}


@dataclass(frozen=True)
class Bench:
    """What methods are compared on.

    Attributes:
        dataset: data set name.
        protocol: protocol id.
        split_seed: seed of the split's draw.
        backbone: feature extractor name.
        options: what changes the data beyond the protocol, such as images
            allowed to be missing.
    """

    dataset: str
    protocol: str
    split_seed: int
    backbone: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> tuple[str, ...]:
        """The options in words, by their names' order."""
        found = []
        for name, value in sorted(self.options.items()):
            words = _OPTIONS.get(name, name.replace("_", " "))
            if value is True:
                found.append(words)
            elif value:  # what is off changes nothing
                found.append(f"{words} {value if isinstance(value, str) else json.dumps(value)}")
        return tuple(found)

    def __str__(self) -> str:
        seed = f", split seed {self.split_seed}" if self.split_seed else ""
        options = "".join(f", {words}" for words in self.said)
        return f"{self.dataset}, protocol {self.protocol}{seed}, {self.backbone} features{options}"


@dataclass(frozen=True)
class Cell:
    """One method on one bench at one code length under one seed.

    Attributes:
        bench: data, protocol and backbone.
        method: method name.
        params: every hyper-parameter, defaults filled in.
        mode: "head", "partial" or "full" for deep methods, "none" for shallow ones.
        bits: code length.
        seed: root seed of the method's own randomness.
        code: the versions its codes depend on, and the digest of a plugin's files.
    """

    bench: Bench
    method: str
    params: Mapping[str, Any]
    mode: str
    bits: int
    seed: int
    code: str

    def key(self, evidence: Evidence) -> str:
        """16 hex digits naming the result of this cell on data with this evidence."""
        return _digest({"cell": self._body(self.code), "evidence": vars(evidence)})

    @property
    def question(self) -> str:
        """16 hex digits that results share which differ by code version alone."""
        return _digest(self._body(""))

    def to_dict(self) -> dict[str, Any]:
        """The fields as a JSON-able dict."""
        return asdict(self)

    def _body(self, code: str) -> dict[str, Any]:
        """What `to_dict` gives, with another code and nothing copied: for a digest alone."""
        return {**vars(self), "bench": vars(self.bench), "code": code}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Cell:
        """The cell `to_dict` gave."""
        return cls(**{**body, "bench": Bench(**body["bench"])})

    def __str__(self) -> str:
        draw = f", split seed {self.bench.split_seed}" if self.bench.split_seed else ""
        code = f"{self.method} {in_number(self.bits, 'bit', 'bits')}"
        return f"{code} seed {self.seed} on {self.bench.dataset}{draw}"


def _digest(body: object) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
