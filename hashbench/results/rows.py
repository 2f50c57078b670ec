"""Rows: which results are one line of a table, and what tells two lines apart."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hashbench.errors import shown
from hashbench.store import Record

#: Blocks of a table, from the top; the methods' alone is ranked.
BLOCKS = {
    "floor": "floor",
    "unsupervised": "without labels",
    "method": "",
    "ceiling": "un-hashed features",
}

#: Longest value of a hyper-parameter in a row's label.
_LONGEST_VALUE = 24


@dataclass(frozen=True)
class Row:
    """What results share that differ by code length and seed alone.

    Attributes:
        method: its name.
        title: its printed name.
        mode: training mode, "none" for shallow methods.
        origin: where its hyper-parameters came from, "" where it has none.
        variant: (name, JSON value) of hyper-parameters that compete at one code length, and
            of those that the command line set.
        code: the version of its code.
        block: one of `BLOCKS`.
        kind: "deep", "shallow", or "external" for codes that were made elsewhere.
        year: of its paper, 0 where not known.
        bibtex: its BibTeX entry, "" for none.
    """

    method: str
    title: str
    mode: str = "none"
    origin: str = ""
    variant: tuple[tuple[str, str], ...] = ()
    code: str = ""
    block: str = "method"
    kind: str = "shallow"
    year: int = 0
    bibtex: str = ""

    def __repr__(self) -> str:
        apart = (f"{name}={value}" for name, value in self.variant)
        return f"<Row {' '.join(filter(None, [self.method, self.origin, *apart]))}>"

    @property
    def ranked(self) -> bool:
        """Whether it competes for the best place of a column."""
        return self.block == "method"

    @property
    def beneath(self) -> bool:
        """Whether it is what methods are held against, and is not compared as one."""
        return self.block in ("floor", "ceiling")

    @property
    def external(self) -> bool:
        """Whether its codes were made elsewhere."""
        return self.kind == "external"

    @property
    def order(self) -> tuple[Any, ...]:
        """Floors first, then shallow methods by year, deep ones by year, the undated last."""
        return (
            list(BLOCKS).index(self.block),
            self.kind != "shallow",
            self.year or 9999,
            self.title.lower(),
            self.method,
            ("none", "head", "partial", "full").index(self.mode)
            if self.mode in ("none", "head", "partial", "full")
            else 9,
            self.origin,
            self.variant,
            self.code,
        )

    @property
    def base(self) -> Row:
        """The same row wherever its hyper-parameters came from."""
        return replace(self, origin="")


def rows_of(records: Sequence[Record], facts: Mapping[str, Row]) -> dict[str, tuple[Row, ...]]:
    """The rows each record stands in, by key: one for every way it was asked for.

    Records must share bench and evidence. A method that is tuned for each code
    length is one row: what makes a variant competes at one length.

    Args:
        records: which.
        facts: what `facts_of` says of these and of whatever stands in one table with them.
    """
    groups: dict[Row, list[Record]] = defaultdict(list)
    for record in records:
        for origin in origins_of(record):
            row = replace(
                facts[record.cell.method],
                mode=record.cell.mode,
                origin=origin,
                code=record.cell.code,
            )
            groups[row].append(record)
    found: dict[str, list[Row]] = defaultdict(list)
    for row, group in groups.items():
        names = _competing(group) | {name for record in group for name in _set(record, row.origin)}
        for record in group:
            variant = tuple(
                (name, json.dumps(record.cell.params[name], sort_keys=True))
                for name in sorted(names)
                if name in record.cell.params
            )
            found[record.key].append(replace(row, variant=variant))
    return {key: tuple(rows) for key, rows in found.items()}


def facts_of(records: Iterable[Record]) -> dict[str, Row]:
    """What each method says of itself, by name, as its newest result has it."""
    found: dict[str, Row] = {}
    for record in sorted(records, key=lambda record: record.age):
        part = record.parts.get("method", {})
        year = part.get("year", 0)
        method = record.cell.method
        found[method] = Row(
            method=method,
            title=str(part.get("title") or method),
            block=_block(part),
            kind=str(part.get("kind") or ("shallow" if record.cell.mode == "none" else "deep")),
            year=year if isinstance(year, int) else 0,
            bibtex=str(part.get("bibtex") or ""),
        )
    return found


def origins_of(record: Record) -> list[str]:
    """Where a record's hyper-parameters came from, one label a way; "" where it has none."""
    if not record.cell.params:
        return [""]
    return list(dict.fromkeys(origin.label for origin in record.origins)) or ["of unknown origin"]


def labels(rows: Sequence[Row]) -> dict[Row, str]:
    """Each row's printed name: its title, and in brackets what tells it from the others."""
    modes = {row.mode for row in rows if row.mode != "none"}
    origins = {row.origin for row in rows if row.origin}
    names: dict[str, set[str]] = defaultdict(set)
    codes: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        names[row.title].add(row.method)
        codes[row.method].add(row.code)
    found = {}
    for row in rows:
        parts = ["external"] if row.external else []
        parts += [row.mode] if len(modes) > 1 and row.mode != "none" else []
        if len(origins) > 1 and row.origin:
            parts.append(row.origin.removesuffix(", set") if row.variant else row.origin)
        parts += [f"{name}={_value(value)}" for name, value in row.variant]
        if len(codes[row.method]) > 1:
            parts.append(f"code {_short(row.code)}")
        title = row.title if len(names[row.title]) == 1 else f"{row.title} ({row.method})"
        found[row] = f"{title} [{', '.join(parts)}]" if parts else title
    return found


def said(rows: Iterable[Row], text: Mapping[Row, str]) -> str:
    """Where hyper-parameters came from, as a caption says it; "" where no row has any."""
    by_origin: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.origin:
            by_origin[row.origin].append(text[row].partition(" [")[0])
    if not by_origin:
        return ""
    if len(by_origin) == 1:
        return f"hyper-parameters: {next(iter(by_origin))}"
    parts = [f"{origin} ({', '.join(dict.fromkeys(names))})" for origin, names in by_origin.items()]
    return f"hyper-parameters: {'; '.join(parts)}"


def _competing(records: Sequence[Record]) -> set[str]:
    """Hyper-parameters of which one code length has more than one value."""
    names = {name for record in records for name in record.cell.params}
    lengths = {record.cell.bits for record in records}
    absent = object()

    def value(record: Record, name: str) -> object:
        found = record.cell.params.get(name, absent)
        return absent if found is absent else json.dumps(found, sort_keys=True)

    return {
        name
        for name in names
        if len({(record.cell.bits, value(record, name)) for record in records}) > len(lengths)
    }


def _set(record: Record, label: str) -> set[str]:
    """Hyper-parameters that the command line set, where the record was asked for so."""
    return {
        name
        for origin in record.origins
        if origin.label == label
        for name, source in origin.sources.items()
        if source == "command line"
    }


def _block(part: Mapping[str, Any]) -> str:
    if part.get("role") in ("floor", "ceiling"):
        return str(part["role"])
    return "unsupervised" if part.get("supervised") is False else "method"


def _value(text: str) -> str:
    value = json.loads(text)
    return shown(value if isinstance(value, str) else text, _LONGEST_VALUE)


def _short(code: str) -> str:
    return code if len(code) <= 16 else hashlib.sha256(code.encode()).hexdigest()[:6]
