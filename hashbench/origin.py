"""Where the hyper-parameters of a cell came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

#: Where a value may come from, from the weakest to the strongest.
SOURCES = ("default", "tuned", "file", "command line")


@dataclass(frozen=True)
class Origin:
    """Where hyper-parameters came from: a cell may be asked for in several ways.

    Attributes:
        sources: hyper-parameter -> one of `SOURCES`; those at their default are left out.
        base: "defaults" where they start from the method's own, "tuned" where from what
            hashbench ships for the bench and code length, else the name of a file.
        note: how what is tuned was found, or the digest of the file; "" for defaults.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    base: str = "defaults"
    note: str = ""

    @property
    def label(self) -> str:
        """One of "defaults", "tuned", "from FILE"; ", set" where the command line changed some."""
        base = self.base if self.base in ("defaults", "tuned") else f"from {self.base}"
        return f"{base}, set" if "command line" in self.sources.values() else base

    @property
    def digest(self) -> str:
        """12 hex digits that name it."""
        body = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(body.encode()).hexdigest()[:12]
