"""Hyper-parameters of deep methods: declared once, checked in one place."""

from __future__ import annotations

import math
from dataclasses import field, fields
from typing import Any

from hashbench.errors import InputError, unknown


def number(
    default: float | None,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> Any:
    """A dataclass field for a real hyper-parameter with bounds; None = the recipe's default.

    Args:
        default: its default.
        low: smallest allowed value.
        high: largest allowed value.
        above: a bound the value must exceed.
        below: a bound the value must stay under.
    """
    bounds = {"low": low, "high": high, "above": above, "below": below}
    return field(default=default, metadata={"bounds": bounds, "whole": False})


def whole(default: int | None, *, low: int = 1) -> Any:
    """A dataclass field for a whole hyper-parameter of at least `low`."""
    return field(default=default, metadata={"bounds": {"low": low}, "whole": True})


def choice(default: str, options: tuple[str, ...]) -> Any:
    """A dataclass field for one of `options`."""
    return field(default=default, metadata={"options": options})


def check(hasher: Any) -> None:
    """Check every declared hyper-parameter of a dataclass instance.

    Raises:
        InputError: naming the method, the hyper-parameter, its value and what is allowed.
    """
    for item in fields(hasher):
        value = getattr(hasher, item.name, None)
        name = f"{type(hasher).name}.{item.name}"
        options = item.metadata.get("options")
        if options is not None and value not in options:
            raise unknown(name, str(value), options)
        bounds = item.metadata.get("bounds")
        if bounds is not None and value is not None:
            _check_number(name, value, bounds, item.metadata["whole"])


def _check_number(name: str, value: Any, bounds: dict[str, float], is_whole: bool) -> None:
    fits = isinstance(value, int) or (isinstance(value, float) and not is_whole)
    if isinstance(value, bool) or not fits or not math.isfinite(value):
        raise InputError(f"{name} must be a {'whole ' if is_whole else ''}number, not {value!r}")
    passes = {
        "low": value >= bounds.get("low", -math.inf),
        "high": value <= bounds.get("high", math.inf),
        "above": value > bounds.get("above", -math.inf),
        "below": value < bounds.get("below", math.inf),
    }
    words = {"low": "at least", "high": "at most", "above": "more than", "below": "less than"}
    for bound, passed in passes.items():
        if not passed:
            raise InputError(f"{name} must be {words[bound]} {bounds[bound]:g}, not {value!r}")
