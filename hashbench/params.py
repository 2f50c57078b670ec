"""Files of hyper-parameters: what `tune` writes, `run --params` reads, and hashbench ships.

A table for each method; the table `tuned-for` says what they were tuned for::

    [tuned-for]
    dataset = "cifar10"

    [dch]
    gamma = 12.3
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from hashbench.errors import InputError, shown
from hashbench.files import write_atomically
from hashbench.tomlfile import parse, read_text

SETTING = "tuned-for"

#: What messages call such a file.
_WHAT = "the hyper-parameters in"

#: Names TOML takes without quotes.
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")

Params = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Setting:
    """What hyper-parameters are tuned for.

    Attributes:
        dataset: data set name.
        protocol: protocol id.
        split_seed: seed of the split's draw: another draw's queries may be
            images this one was tuned on.
        bits: the code lengths, as "16" or "16,64".
        tuning: tuning mode of deep methods, "none" for shallow ones.
        head: head of deep methods, "" for shallow ones.
        backbone: feature extractor.
    """

    dataset: str
    protocol: str
    split_seed: int
    bits: str
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


def write_params(
    path: Path, setting: Setting, method: str, params: Mapping[str, Any], note: str
) -> None:
    """Put a method's hyper-parameters into a file, beside those of other methods.

    Args:
        path: the file; it and its folder are made if they do not exist.
        setting: what they were tuned for.
        method: the method; a table it has already is replaced.
        params: its hyper-parameters.
        note: how they were found, one line; kept as a comment above the table.

    Raises:
        InputError: if the file is there and was tuned for something else or is
            damaged, or cannot be written.
    """
    params_of: Params = {}
    notes: dict[str, str] = {}
    if path.exists():
        text = read_text(path, _WHAT)
        params_of, found = _parse(text, str(path))
        if found != asdict(setting):
            raise InputError(
                f"{path} holds hyper-parameters tuned for something else ({_describe(found)}): "
                "name another file with --out"
            )
        notes = _notes(text)
    params_of[method] = dict(params)
    notes[method] = note
    blocks = [_table(SETTING, asdict(setting))]
    blocks += [
        f"# {notes[name]}\n{_table(name, params_of[name])}"
        if name in notes
        else _table(name, params_of[name])
        for name in sorted(params_of)
    ]
    body = "\n".join(blocks).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda stream: stream.write(body))
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror or error}; name another file with --out"
        ) from error


def shipped_params(setting: Setting) -> Params:
    """The hyper-parameters hashbench ships for a setting, by method name; empty if none."""
    wanted = asdict(setting)
    found: Params = {}
    for params, made_for, _ in _shipped():
        if made_for == wanted:
            found |= params
    return {name: dict(values) for name, values in found.items()}


def shipped_note(setting: Setting, method: str) -> str:
    """How the shipped hyper-parameters of a method were found; "" if there are none."""
    wanted = asdict(setting)
    found = [notes.get(method, "") for _, made_for, notes in _shipped() if made_for == wanted]
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
        for key in (name, *(table if isinstance(table, dict) else ())):
            if not _KEY.fullmatch(key):
                raise InputError(
                    f"'{shown(key)}' in {where} is no name of a method or a hyper-parameter: "
                    "remove it"
                )
        if not isinstance(table, dict):
            raise InputError(
                f"'{name}' in {where} is outside a table: put it under its method, as in [dch]"
            )
        for key, value in table.items():
            plain = isinstance(value, (bool, int, float, str))
            if not plain or (isinstance(value, float) and not math.isfinite(value)):
                raise InputError(
                    f"{name}.{key} in {where} is {shown(value)}: "
                    "a hyper-parameter is a number, a word or true/false"
                )
    setting = body.pop(SETTING, {})
    return body, setting


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
