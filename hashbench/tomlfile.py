"""TOML files: sweeps and hyper-parameters, as people exchange them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hashbench.errors import InputError, shown

#: Bytes of the longest file and line that are read: the parser's time on a key grows with the
#: square of its dots, and a data file given by mistake must not be read whole.
LARGEST, LONGEST = 100_000, 4_000


def read_text(path: Path, what: str) -> str:
    """The text of a TOML file.

    Args:
        path: the file.
        what: what it holds, as in "the sweep".

    Raises:
        InputError: if it cannot be read, is too long, or is no UTF-8.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {what} {path}: {shown(error)}") from error
    if len(data) > LARGEST:
        raise InputError(
            f"{path} is larger than {LARGEST // 1000} kB, and no file of this kind is: name another"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"cannot read {what} {path}: it is not UTF-8 text") from error


def parse(text: str, where: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        InputError: if it is no TOML, or has longer lines and numbers than people write.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST:
            raise InputError(
                f"{where}, line {number} is longer than {LONGEST:,} characters: cut it"
            )
    try:
        body = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no TOML file: {shown(error)}") from error
    _check_numbers(body, where)
    return body


def _check_numbers(value: Any, where: str) -> None:
    """TOML's whole numbers have 64 bits; Python refuses to print those of thousands of digits."""
    if isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            _check_numbers(part, where)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InputError(f"{where} holds a whole number of more than 64 bits: write a smaller one")
