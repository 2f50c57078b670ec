"""What a page shows: one structure of plain values, whatever it was made from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

#: Significant digits of a number on a page, and of a point of a curve.
_DIGITS, CURVE = 6, 4


@dataclass
class PageData:
    """Everything on a page: names, numbers, thumbnails; no markup.

    Attributes:
        title: the page's heading.
        made: where the numbers are from: folder, version, date, counts.
        conventions: those one can switch between, the first is shown first: name, what it
            follows and does differently, its choices.
        metrics: what can be shown: id, title, direction, digits, bounds.
        methods: by name, what each says of itself.
        benches: what methods are compared on; each with its rows, and each row with its
            places by code length: scores by convention and metric, curves, health, cells.
        cells: by key, what one trained cell was: seed, hyper-parameters, dates, digests.
        environments: the machines and versions cells were computed on.
        escaped: what texts of a table are in LaTeX, Markdown and CSV, where they differ.
        sources: what else a number depends on, a sentence each: what was left out, and why.
        gallery: retrievals by bench, see `gallery.py`.
        thumbnails: images of the gallery as data URIs.
        differs: how much conventions alone make of one cell's codes, by bench.
    """

    title: str
    made: dict[str, Any]
    conventions: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    methods: dict[str, dict[str, Any]] = field(default_factory=dict)
    benches: list[dict[str, Any]] = field(default_factory=list)
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    environments: list[dict[str, str]] = field(default_factory=list)
    escaped: dict[str, dict[str, str]] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    gallery: list[dict[str, Any] | None] = field(default_factory=list)
    thumbnails: list[str] = field(default_factory=list)
    differs: list[dict[str, Any] | None] = field(default_factory=list)

    def to_json(self) -> str:
        """As JSON that holds no character a `<script>` could end or a parser trip over."""
        body = {item.name: getattr(self, item.name) for item in fields(self)}
        text = json.dumps(_plain(body), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
        for character in "<>&":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text


def rounded(value: float | None, digits: int = _DIGITS) -> float | None:
    """A number of a page; None where there is none."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (str, int, bool)) or value is None:
        return value
    return _plain(value.item()) if hasattr(value, "item") else str(value)
