"""Arguments of Python's front door: of which kind each must be, said in one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from numbers import Real
from operator import index
from pathlib import Path
from typing import Any

from hashbench.errors import InputError, shown
from hashbench.spelling import typed


def listed(what: str, value: Any, *, alone: bool = False) -> str:
    """Names or numbers as the command line writes them.

    Args:
        what: the argument's name.
        value: one name or number, or several.
        alone: whether one number in a list is that number, where alone it may be how many.

    Raises:
        InputError: for anything else.
    """
    if isinstance(value, (str, Path)) or hasattr(value, "main_metric"):  # a convention
        return str(value)
    try:
        if is_whole(value):
            return str(index(value))
        pieces = [str(piece) for piece in _several(what, "names or numbers", value)]
    except Exception:  # whatever somebody's own class raises
        raise InputError(
            f"{what}={shown(value, 40)} is neither a name or a whole number nor a list of such"
        ) from None
    return ",".join(pieces) + "," * (alone and len(pieces) == 1)


def is_whole(value: Any) -> bool:
    """Whether a value is one whole number, of Python or of a library; true and false are none."""
    if _is_flag(value) or isinstance(value, type):
        return False
    return hasattr(value, "__index__") and getattr(value, "ndim", 0) == 0


def word(what: str, value: Any) -> Any:
    """A text, or None, as it is.

    Raises:
        InputError: for anything else.
    """
    if value is not None and not isinstance(value, str):
        raise InputError(f"{what} must be a text, got {shown(value, 40)}")
    return value


def flag(what: str, value: Any) -> bool:
    """True or false: a word would count as true.

    Raises:
        InputError: for anything else.
    """
    if not _is_flag(value):
        raise InputError(f"{what} must be True or False, got {shown(value, 40)}")
    return bool(value)


def path(what: str, value: Any) -> Path:
    """A path as a user typed it, see `typed`.

    Raises:
        InputError: for what is none.
    """
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise InputError(f"{what} must be a path, got {shown(value, 40)}")
    return typed(text)


def paths(what: str, value: Any) -> tuple[Path, ...]:
    """Several paths; one alone is one of them, and None is none.

    Raises:
        InputError: for what are none.
    """
    if value is None:
        return ()
    if isinstance(value, (str, os.PathLike)):
        return (path(what, value),)
    return tuple(path(f"each of {what}", one) for one in _several(what, "paths", value))


def names(what: str, value: Any) -> str | list[str] | None:
    """Names as typed, or a list of them; None is all.

    Raises:
        InputError: for what are none.
    """
    if value is None or isinstance(value, str):
        return value
    found = _several(what, "names", value)
    for name in found:
        if not isinstance(name, str):
            raise InputError(f"each of {what} must be a text, got {shown(name, 40)}")
    return found


def _several(what: str, kind: str, value: Any) -> list[Any]:
    try:
        if isinstance(value, (bytes, Mapping)):  # which would be numbers, and keys alone
            raise TypeError
        return list(value)
    except Exception:  # whatever somebody's own class raises
        raise InputError(f"{what} must be {kind}, got {shown(value, 40)}") from None


def limit(what: str, value: Any) -> Any:
    """A finite number of at least 0, or None.

    Raises:
        InputError: for anything else.
    """
    if value is None:
        return None
    number = index(value) if is_whole(value) else value
    if not isinstance(number, Real) or _is_flag(number):
        raise InputError(f"{what} must be a number, got {shown(value, 40)}")
    if not number < float("inf"):  # nor is NaN
        raise InputError(f"{what} must be a finite number, got {number}")
    if number < 0:
        raise InputError(f"{what} must not be below 0, got {number}")
    return number


def settings(value: Any) -> list[str]:
    """Hyper-parameters as `--set` takes them, of a mapping, a list of texts, or one.

    Raises:
        InputError: for anything else.
    """
    if value is None or isinstance(value, str):
        return [value] if value else []
    pairs = isinstance(value, Mapping)
    if not pairs and not isinstance(value, (list, tuple)):
        raise InputError(
            f'settings must be as {{"dch.gamma": 10}} or ["dch.gamma=10"], got {shown(value, 40)}'
        )
    for name in value:
        if not isinstance(name, str):
            raise InputError(
                f"a setting must be a text such as dch.gamma=10, got {shown(name, 40)}"
            )
    return [f"{name}={_json(given)}" for name, given in value.items()] if pairs else list(value)


def _is_flag(value: object) -> bool:
    """Whether a value is true or false, Python's or NumPy's, which costs no import of it."""
    return type(value).__name__ in {"bool", "bool_"}


def _json(value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        raise InputError(
            f"a hyper-parameter must be a number, a word or true/false: {shown(value, 40)}"
        ) from None
