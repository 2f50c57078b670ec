"""Search spaces: which hyper-parameters are tuned, and the grid of values that are tried."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hashbench.errors import InputError, unknown
from hashbench.hasher import Hasher, hyperparameters
from hashbench.parsing import parse_value

SYNTAX = "write NAME=A, NAME=A|B|C, NAME=LOW:HIGH or NAME=LOW:HIGH:log, as in gamma=1:50:log"


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, whole or not, on a linear or logarithmic scale."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __contains__(self, value: object) -> bool:
        return isinstance(value, (int, float)) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    options: tuple[Any, ...]

    def __contains__(self, value: object) -> bool:
        return value in self.options


Space = dict[str, Range | Choice]


def default_space(cls: type[Hasher]) -> Space:
    """The space a method declares, or else the one its base does.

    Raises:
        InputError: for a declaration that cannot be searched, or if there is none.
    """
    if not cls.space:
        raise InputError(
            f"{cls.name} declares no search space: name one with --space, as in gamma=5|10|20"
        )
    return {name: _declared(cls, name, values) for name, values in cls.space.items()}


def parse_space(text: str, cls: type[Hasher]) -> Space:
    """`gamma=1:50:log,head=linear|mlp` as a space of `cls`.

    Raises:
        InputError: for another form, or a hyper-parameter `cls` does not have.
    """
    space: Space = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, values = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not values:
            raise InputError(f"cannot read '{part}' in --space: {SYNTAX}")
        if name in space:
            raise InputError(f"--space names {name} twice: give all its values at once, as A|B|C")
        if ":" not in values:
            options = [parse_value(option.strip()) for option in values.split("|")]
            space[name] = _declared(cls, name, options)
            continue
        bounds = values.split(":")
        if len(bounds) not in (2, 3):
            raise InputError(f"cannot read '{part}' in --space: {SYNTAX}")
        numbers = [parse_value(bound.strip()) for bound in bounds[:2]]
        space[name] = _declared(cls, name, (*numbers, *bounds[2:]))
    if not space:
        raise InputError(f"--space is empty: {SYNTAX}")
    return space


def grid(space: Space, most: int) -> list[dict[str, Any]]:
    """At most `most` points of a space, every combination of the values of each part.

    Values that are named are taken as they are; ranges share what they leave, evenly
    or on a logarithmic scale, both ends included.

    Raises:
        InputError: if there are more combinations of what is named.
    """
    ranges = [at for at in space.values() if isinstance(at, Range)]
    named = math.prod(len(at.options) for at in space.values() if isinstance(at, Choice))
    each = math.floor((most / named) ** (1 / len(ranges)) + 1e-9) if ranges else 1
    if named > most or (ranges and each < 2):
        raise InputError(
            f"the space {describe(space)} has more than {most} points: name fewer values or raise "
            "--trials"
        )
    values = [
        list(at.options) if isinstance(at, Choice) else _between(at, each) for at in space.values()
    ]
    return [dict(zip(space, point, strict=True)) for point in itertools.product(*values)]


def describe(space: Space) -> str:
    """A space as `--space` takes it."""
    parts = []
    for name, at in space.items():
        if isinstance(at, Choice):
            values = "|".join(
                f"{option:g}" if _is_number(option) else str(option) for option in at.options
            )
        else:
            values = f"{at.low:g}:{at.high:g}" + ":log" * at.log
        parts.append(f"{name}={values}")
    return ",".join(parts)


def _between(at: Range, count: int) -> list[Any]:
    low, high = float(at.low), float(at.high)
    even = np.geomspace(low, high, count) if at.log else np.linspace(low, high, count)
    values: list[Any] = [float(f"{value:.4g}") for value in even]
    if at.whole:
        return list(dict.fromkeys(round(value) for value in values))
    return values


def _declared(cls: type[Hasher], name: str, values: Sequence[Any]) -> Range | Choice:
    known = hyperparameters(cls)
    if name not in known:
        raise unknown(f"hyper-parameter of {cls.name}", name, known)
    if isinstance(values, list):
        return Choice(tuple(dict.fromkeys(values)))
    low, high, *scale = values
    what = f"the space of {cls.name}.{name}, {':'.join(map(str, values))},"
    if not all(_is_number(bound) for bound in (low, high)) or scale not in ([], ["log"]):
        raise InputError(f"{what} cannot be read: {SYNTAX}")
    if not low < high:
        raise InputError(f"{what} is empty: its low end must be below its high end")
    if scale and low <= 0:
        raise InputError(f"{what} cannot be searched on a log scale: start above 0")
    annotation = inspect.signature(cls).parameters[name].annotation
    real = isinstance(known[name], float) or "float" in str(annotation)
    whole = isinstance(low, int) and isinstance(high, int) and not real
    return Range(low, high, bool(scale), whole)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
