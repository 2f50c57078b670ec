"""Files of hyper-parameters: what `tune` writes, `run --params` reads, and hashbench ships.

A table for each method, or for a method at one code length; the table `tuned-for` says what
they were tuned for::

    [tuned-for]
    dataset = "cifar10"

    [dch]
    gamma = 12.3

    [dch.16]
    gamma = 20.0
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from hashbench.errors import InputError, shown
from hashbench.files import is_special, write_named
from hashbench.tomlfile import parse, read_text

SETTING = "tuned-for"

#: What messages call such a file.
_WHAT = "the hyper-parameters in"

#: Names TOML takes without quotes.
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")

#: A code length as the name of a table.
_LENGTH = re.compile(r"[1-9][0-9]{0,3}")

#: Hyper-parameters by method name, and under a code length those that hold there alone.
Params = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Setting:
    """What hyper-parameters are tuned for.

    Attributes:
        dataset: data set name.
        protocol: protocol id.
        split_seed: seed of the split's draw: another draw's queries may be
            images this one was tuned on.
        tuning: training mode of deep methods, "none" for shallow ones.
        head: head of deep methods, "" for shallow ones.
        backbone: feature extractor.
    """

    dataset: str
    protocol: str
    split_seed: int
    tuning: str
    head: str
    backbone: str


def read_params(path: Path) -> Params:
    """Hyper-parameters by method name, from a TOML file.

    Raises:
        InputError: if the file cannot be read, or holds anything but tables of
            numbers, words and true/false.
    """
    return _parse(read_text(path, _WHAT), str(path))[0]


def at_length(table: Mapping[str, Any], bits: int) -> dict[str, Any] | None:
    """A method's hyper-parameters at a code length; None where its table says nothing of it."""
    lengths = _by_length(table)
    plain = {name: value for name, value in table.items() if name not in lengths}
    if lengths and not plain and str(bits) not in lengths:
        return None
    return plain | lengths.get(str(bits), {})


def write_params(
    path: Path,
    setting: Setting,
    method: str,
    params: Mapping[str, Any],
    note: str,
    bits: int | None = None,
) -> None:
    """Put a method's hyper-parameters into a file, beside those of other methods and lengths.

    Args:
        path: the file; it and its folder are made if they do not exist.
        setting: what they were tuned for.
        method: the method; a table it has already is replaced.
        params: its hyper-parameters.
        note: how they were found, one line; kept as a comment above the table.
        bits: the code length they hold at; None for all.

    Raises:
        InputError: if the file is there and was tuned for something else or is
            damaged, or cannot be written.
    """
    params_of, notes = written_for(path, setting)
    table = params_of.setdefault(method, {})
    if bits is None:
        params_of[method] = dict(params)
    else:
        table[str(bits)] = dict(params)
    notes[_heading(method, bits)] = note
    blocks = [_table(SETTING, asdict(setting))]
    for name in sorted(params_of):
        blocks += _tables(name, params_of[name], notes)
    body = "\n".join(blocks).encode()
    try:
        write_named(path, lambda stream: stream.write(body))
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror or error}; name another file with --out"
        ) from error


def written_for(path: Path, setting: Setting) -> tuple[Params, dict[str, str]]:
    """What a file holds that more is to be put into, and its notes; nothing where there is none.

    Raises:
        InputError: if the file is there and was tuned for something else or is damaged.
    """
    if not path.exists() or is_special(path):
        return {}, {}
    text = read_text(path, _WHAT)
    params_of, found = _parse(text, str(path))
    if found != asdict(setting):
        raise InputError(
            f"{path} holds hyper-parameters tuned for something else ({_describe(found)}): "
            "name another file with --out"
        )
    return params_of, _notes(text)


def shipped_params(setting: Setting) -> Params:
    """The hyper-parameters hashbench ships for a setting, by method name; empty if none."""
    wanted = asdict(setting)
    found: Params = {}
    for params, made_for, _ in _shipped():
        if made_for == wanted:
            found |= params
    return deepcopy(found)


def shipped_note(setting: Setting, method: str, bits: int) -> str:
    """How the shipped hyper-parameters of a method were found; "" if there are none."""
    wanted = asdict(setting)
    names = [_heading(method, bits), method]
    found = [
        notes.get(name, "")
        for _, made_for, notes in _shipped()
        if made_for == wanted
        for name in names
    ]
    return next(filter(None, found), "")


@cache
def _shipped() -> tuple[tuple[Params, dict[str, Any], dict[str, str]], ...]:
    folder = files("hashbench") / "shipped"
    paths = sorted(path.name for path in folder.iterdir() if path.name.endswith(".toml"))
    texts = [(name, (folder / name).read_text("utf-8")) for name in paths]
    return tuple((*_parse(text, name), _notes(text)) for name, text in texts)


def _parse(text: str, where: str) -> tuple[Params, dict[str, Any]]:
    body = parse(text, where)
    for name, table in body.items():
        if not isinstance(table, dict):
            raise InputError(
                f"'{shown(name)}' in {where} is outside a table: put it under its method, "
                "as in [dch]"
            )
        lengths = {} if name == SETTING else _by_length(table)
        _check_names([name, *table], where)
        _check_values(name, {key: table[key] for key in table if key not in lengths}, where)
        for length, inner in lengths.items():
            _check_names(inner, where)
            _check_values(_heading(name, length), inner, where)
    setting = body.pop(SETTING, {})
    return body, setting


def _by_length(table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables within a method's, by code length, shortest first."""
    found = {
        key: value
        for key, value in table.items()
        if isinstance(value, dict) and _LENGTH.fullmatch(key)
    }
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


def _check_names(names: Iterable[str], where: str) -> None:
    for key in names:
        if not _KEY.fullmatch(key):
            raise InputError(
                f"'{shown(key)}' in {where} is no name of a method or a hyper-parameter: remove it"
            )


def _check_values(name: str, table: Mapping[str, Any], where: str) -> None:
    for key, value in table.items():
        plain = isinstance(value, (bool, int, float, str))
        if not plain or (isinstance(value, float) and not math.isfinite(value)):
            raise InputError(
                f"{name}.{key} in {where} is {shown(value)}: "
                "a hyper-parameter is a number, a word or true/false"
            )


def _heading(method: str, bits: int | str | None) -> str:
    return method if bits is None else f"{method}.{bits}"


def _tables(name: str, table: Mapping[str, Any], notes: Mapping[str, str]) -> list[str]:
    """The tables of a method: what holds at all lengths, then each length by size."""
    lengths = _by_length(table)
    plain = {key: value for key, value in table.items() if key not in lengths}
    parts = [(name, plain)] if plain or not lengths else []
    parts += [(_heading(name, length), values) for length, values in lengths.items()]
    return [
        (f"# {notes[heading]}\n" if heading in notes else "") + _table(heading, values)
        for heading, values in parts
    ]


def _table(name: str, values: Mapping[str, Any]) -> str:
    # JSON and TOML agree on the form of finite numbers, booleans and, but for DEL, of strings.
    lines = [
        f"{key} = {json.dumps(value, allow_nan=False, ensure_ascii=False)}".replace(
            "\x7f", "\\u007f"
        )
        for key, value in values.items()
    ]
    return "\n".join([f"[{name}]", *lines, ""])


def _notes(text: str) -> dict[str, str]:
    lines = text.splitlines()
    return {
        below.strip("[]"): line.removeprefix("# ")
        for line, below in pairwise(lines)
        if line.startswith("# ") and below.startswith("[")
    }


def _describe(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in setting.items() if value) or "unknown"
