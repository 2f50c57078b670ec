"""Cells of a table that nobody has run, and the command that runs exactly those."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from hashbench.cell import Bench
from hashbench.errors import InputError
from hashbench.params import Setting, at_length, read_params, shipped_params
from hashbench.parsing import in_number, parse_value
from hashbench.results.rows import Row
from hashbench.results.series import Series
from hashbench.runtime import DEFAULT_RESULTS
from hashbench.store import Record

#: Options of the data that `run` does not have.
_OF_TUNE = {"held_out", "inflated"}

#: Options of `run` that name a file.
_FILES = ("--params", "--plugin")


@dataclass(frozen=True)
class Gap:
    """Cells that are missing: a sentence, and the command lines that run them."""

    sentence: str
    commands: tuple[str, ...]


@dataclass(frozen=True)
class _Ask:
    """What one command line asks for."""

    bits: tuple[int, ...]
    seeds: tuple[int, ...]
    arguments: tuple[str, ...]
    methods: tuple[str, ...]


def gap(series: Series, results: Path | None = None, whole: Series | None = None) -> Gap | None:
    """What is missing of the grid of rows, code lengths and seeds; None if nothing is.

    Args:
        series: the grid.
        results: the folder the cells belong in, where it is not the default one.
        whole: the average that the series is a draw of, whose rows, lengths and seeds it
            should have.
    """
    whole = whole or series
    asks: list[_Ask] = []
    missing = total = 0
    if series.rivals or _OF_TUNE & series.bench.options.keys():
        return None  # which of the states the data are in is not known here; tune has its own plan
    rows = _that_can_be_run(whole)
    seeds = sorted(
        {
            record.cell.seed
            for (row, _), found in whole.places.items()
            if row in rows
            for record in found
        }
    )
    for row in rows:
        example = next(record for (r, _), found in whole.places.items() if r == row
                       for record in found)  # fmt: skip
        by_seeds: dict[tuple[int, ...], list[int]] = {}
        for bits in whole.bits:
            if not _can_be(row, example, series.bench, bits):
                continue
            total += len(seeds)
            there = {record.cell.seed for record in series.places.get((row, bits), ())}
            if absent := tuple(seed for seed in seeds if seed not in there):
                by_seeds.setdefault(absent, []).append(bits)
                missing += len(absent)
        for absent, lengths in by_seeds.items():
            ask = _Ask(
                tuple(lengths), absent, _arguments(row, example, series.bench), (row.method,)
            )
            asks.append(ask)
    if not asks:
        return None
    verb = "has" if missing == 1 else "have"
    draw = f", {series.drawn}," if series.bench.split_seed else ""
    return Gap(
        f"{missing} of {in_number(total, 'cell', 'cells')} on {series.title}{draw} {verb} not "
        f"been run.{_elsewhere(asks)}",
        tuple(_line(ask, results) for ask in _together(asks)),
    )


def _elsewhere(asks: Sequence[_Ask]) -> str:
    """A sentence on files that the commands name and that are not here, "" for none."""
    named = (word for ask in asks for flag, word in pairwise(ask.arguments) if flag in _FILES)
    absent = [name for name in dict.fromkeys(named) if not Path(name).exists()]
    verb = "lies" if len(absent) == 1 else "lie"
    return f" Write where {' and '.join(absent)} {verb}." if absent else ""


def never_run(
    series: Series, methods: Sequence[tuple[str, str]], results: Path | None, whole: Series
) -> Gap:
    """Methods that belong in a series and have no row: the command is that of its methods.

    Args:
        series: one draw of the split.
        methods: name and title of each.
        results: as in `gap`.
        whole: the average that it is a draw of, or itself.
    """
    rows = _that_can_be_run(series) or list(series.rows)
    row = next((row for row in rows if row.mode != "none"), rows[0])
    seeds = tuple(sorted({record.cell.seed for record in whole.records}))
    example = next(record for (r, _), found in series.places.items() if r == row
                   for record in found)  # fmt: skip
    arguments = _arguments(row, example, series.bench, settings=False)
    ask = _Ask(whole.bits, seeds, arguments, tuple(name for name, _ in methods))
    titles = ", ".join(title for _, title in methods)
    verb = "has" if len(methods) == 1 else "have"
    where = f"{series.title}{f', {series.drawn}' if series.bench.split_seed else ''}"
    sentence = f"{titles} {verb} not been run on {where}.{_elsewhere([ask])}"
    return Gap(sentence, (_line(ask, results),))


def _that_can_be_run(series: Series) -> list[Row]:
    """The rows of a grid: not those of codes made elsewhere, nor of code that a run found older."""
    newest: dict[str, Record] = {}
    for record in series.records:
        name = record.cell.method
        if name not in newest or record.age > newest[name].age:
            newest[name] = record
    return [
        row for row in series.rows if not row.external and row.code == newest[row.method].cell.code
    ]


def _can_be(row: Row, record: Record, bench: Bench, bits: int) -> bool:
    """Whether a run can give a cell of a row at a length: what it starts from says so there."""
    bases = {origin.base for origin in record.origins if origin.label == row.origin} or {"defaults"}
    if "tuned" in bases:
        head = record.cell.params.get("head", "")
        setting = Setting(
            bench.dataset, bench.protocol, bench.split_seed, row.mode, head, bench.backbone
        )
        return _says(shipped_params(setting), row.method, bits)
    if "defaults" in bases:
        return True
    try:
        return any(_says(read_params(Path(base)), row.method, bits) for base in bases)
    except InputError:  # it lies elsewhere, which the command will say
        return True


def _says(params: Mapping[str, Mapping[str, Any]], method: str, bits: int) -> bool:
    """Whether hyper-parameters have a table for a method at a code length."""
    return method in params and at_length(params[method], bits) is not None


def _together(asks: Sequence[_Ask]) -> list[_Ask]:
    """Methods that differ by their name alone in one command."""
    found: dict[_Ask, list[str]] = {}
    for ask in asks:
        found.setdefault(replace(ask, methods=()), []).extend(ask.methods)
    return [replace(ask, methods=tuple(dict.fromkeys(names))) for ask, names in found.items()]


def _arguments(row: Row, record: Record, bench: Bench, *, settings: bool = True) -> tuple[str, ...]:
    """The arguments of `run` that give cells of a row on a bench, but for method, bits and seeds.

    The record is one of the row, on this bench or another draw of its split; without `settings`
    they are for another method, which has not what the command line set of this one.
    """
    parts = ["--datasets", str(record.request.get("dataset") or bench.dataset)]
    parts += ["--protocol", bench.protocol]
    if bench.split_seed:
        parts += ["--split-seed", str(bench.split_seed)]
    parts += ["--backbone", bench.backbone]
    if row.mode not in ("none", "head"):
        parts += ["--train", row.mode]
    for name, value in sorted(bench.options.items()):
        if value is True:
            parts.append(f"--{name.replace('_', '-')}")
        elif isinstance(value, str) and value:
            parts += [f"--{name.replace('_', '-')}", value]
    for plugin in record.request.get("plugins", []):
        parts += ["--plugin", str(plugin)]
    for origin in record.origins:
        if origin.label != row.origin:
            continue
        if origin.base == "defaults":
            parts.append("--untuned")
        elif origin.base != "tuned":
            parts += ["--params", origin.base]
        for name, source in sorted(origin.sources.items()):
            if settings and source == "command line" and name in record.cell.params:
                parts += ["--set", f"{row.method}.{name}={_typed(record.cell.params[name])}"]
        break
    return tuple(parts)


def _typed(value: object) -> str:
    """A hyper-parameter as `--set` reads it back: JSON, or a word."""
    if isinstance(value, str) and parse_value(value) == value == value.strip():
        return value
    return json.dumps(value)


def _line(ask: _Ask, results: Path | None) -> str:
    parts = ["hashbench", "run", *ask.arguments, "--methods", ",".join(ask.methods)]
    parts += ["--bits", ",".join(map(str, ask.bits)), "--no-floors"]
    if ask.seeds != (0,):
        parts += ["--seeds", _seeds(ask.seeds)]
    if results is not None and results != DEFAULT_RESULTS:
        parts += ["--results", str(results)]
    return shlex.join(parts)


def _seeds(seeds: tuple[int, ...]) -> str:
    """Seeds as `--seeds` reads them: a count, or a list."""
    if seeds == tuple(range(len(seeds))):
        return str(len(seeds))
    return ",".join(map(str, seeds)) + ("," if len(seeds) == 1 else "")
