"""Hyper-parameters of every method: declared once with their bounds, checked in one place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import field, fields, is_dataclass
from numbers import Integral, Real
from typing import Any

from hashbench.errors import InputError, shown, unknown

#: How a bound is said; a whole number's exclusive bounds are never declared.
_WORDS = {"low": "of at least", "above": "above", "high": "at most", "below": "below"}


def number(
    default: float | str | None,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
    words: tuple[str, ...] = (),
) -> Any:
    """A dataclass field for a real hyper-parameter with bounds; None = the recipe's default.

    Args:
        default: its default.
        low: smallest allowed value.
        high: largest allowed value.
        above: a bound the value must exceed.
        below: a bound the value must stay under.
        words: names that may stand for a value.
    """
    bounds = {"low": low, "above": above, "high": high, "below": below}
    return _declared(default, bounds, False, words)


def whole(default: int | None, *, low: int = 1, high: float = math.inf) -> Any:
    """A dataclass field for a whole hyper-parameter from `low` to `high`."""
    return _declared(default, {"low": low, "high": high}, True, ())


def choice(default: str, options: tuple[str, ...]) -> Any:
    """A dataclass field for one of `options`."""
    return field(default=default, metadata={"options": options})


def _declared(default: Any, bounds: dict[str, float], is_whole: bool, words: Any) -> Any:
    finite = {kind: bound for kind, bound in bounds.items() if math.isfinite(bound)}
    return field(default=default, metadata={"bounds": finite, "whole": is_whole, "words": words})


def check(hasher: Any) -> None:
    """Check every declared hyper-parameter of a dataclass instance; others have none to check.

    A number that is declared by its default alone must be a finite number, and true or false
    likewise: a word would count as true.

    Raises:
        InputError: naming the method, the hyper-parameter, its value and what is allowed.
    """
    for item in fields(hasher) if is_dataclass(hasher) else ():
        if not item.init:
            continue
        value = getattr(hasher, item.name, None)
        name = f"{type(hasher).name}.{item.name}"
        options = item.metadata.get("options")
        if options is not None and not (isinstance(value, str) and value in options):
            raise unknown(name, shown(value), options)
        bounds = item.metadata.get("bounds")
        if bounds is None:
            if isinstance(item.default, float):
                _check_number(name, value, {}, False, ())
            elif isinstance(item.default, bool) and type(value).__name__ not in ("bool", "bool_"):
                raise InputError(f"{name} must be true or false, not {_written(value)}")
        elif value is not None or item.default is not None:
            _check_number(name, value, bounds, item.metadata["whole"], item.metadata["words"])


def edges(cls: type) -> Iterator[tuple[str, Any, bool]]:
    """Every declared bound of a dataclass: the hyper-parameter, a value, and whether it is allowed.

    An inclusive bound gives itself, allowed, and the next value beyond it,
    refused; an exclusive one gives itself, refused. A word that may stand for
    a number is allowed.
    """
    for item in fields(cls) if is_dataclass(cls) else ():
        is_whole = item.metadata.get("whole", False)
        for kind, bound in item.metadata.get("bounds", {}).items():
            value = int(bound) if is_whole else float(bound)
            inclusive = kind in ("low", "high")
            yield item.name, value, inclusive
            if inclusive:
                outwards = -math.inf if kind == "low" else math.inf
                step = -1 if kind == "low" else 1
                beyond = value + step if is_whole else math.nextafter(value, outwards)
                yield item.name, beyond, False
        for word in item.metadata.get("words", ()):
            yield item.name, word, True


def _check_number(
    name: str, value: Any, bounds: dict[str, float], is_whole: bool, words: tuple[str, ...]
) -> None:
    if isinstance(value, str) and value in words:
        return
    # Abstract kinds, for numpy's numbers are numbers; a bool is a whole number to Python only.
    fits = isinstance(value, Integral if is_whole else Real) and not isinstance(value, bool)
    passes = fits and _is_finite(value)
    for kind, bound in bounds.items() if passes else ():
        passes &= {
            "low": value >= bound,
            "above": value > bound,
            "high": value <= bound,
            "below": value < bound,
        }[kind]
    if not passes:
        limits = " and ".join(f"{_WORDS[kind]} {bound:g}" for kind, bound in bounds.items())
        allowed = f"a {'whole ' if is_whole else ''}number {limits}".rstrip()
        alternatives = "".join(f" or {word!r}" for word in words)
        raise InputError(f"{name} must be {allowed}{alternatives}, not {_written(value)}")


def _written(value: Any) -> str:
    """A value that is refused: short, words in quotes."""
    text = shown(value, 60)
    return f"'{text}'" if isinstance(value, str) else text


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False
