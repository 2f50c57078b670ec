"""Search spaces: which hyper-parameters are tuned, and within what bounds."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hashbench.errors import InputError, unknown
from hashbench.hasher import Hasher, hyperparameters

SYNTAX = "write NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A|B, as in gamma=1:50:log"


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
    """The space a method and its bases declare; a method's own bounds win over its base's.

    Raises:
        InputError: for a declaration that cannot be searched.
    """
    declared: dict[str, Sequence[Any]] = {}
    for base in reversed(cls.__mro__):
        declared |= vars(base).get("space", {})
    if not declared:
        raise InputError(
            f"{cls.name} declares no search space: name one with --space, as in gamma=1:50:log"
        )
    known = hyperparameters(cls)  # a variant may have fixed one of its base's
    return {
        name: _declared(cls, name, values) for name, values in declared.items() if name in known
    }


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
        if "|" in values:
            options = [_value(option.strip()) for option in values.split("|")]
            space[name] = _declared(cls, name, options)
            continue
        bounds = values.split(":")
        if len(bounds) not in (2, 3):
            raise InputError(f"cannot read '{part}' in --space: {SYNTAX}")
        numbers = [_value(bound.strip()) for bound in bounds[:2]]
        space[name] = _declared(cls, name, (*numbers, *bounds[2:]))
    if not space:
        raise InputError(f"--space is empty: {SYNTAX}")
    return space


def suggest(trial: Any, space: Space) -> dict[str, Any]:
    """Values an Optuna trial picks from `space`."""
    values: dict[str, Any] = {}
    for name, bounds in space.items():
        if isinstance(bounds, Choice):
            values[name] = trial.suggest_categorical(name, bounds.options)
        elif bounds.whole:
            values[name] = trial.suggest_int(
                name, int(bounds.low), int(bounds.high), log=bounds.log
            )
        else:
            values[name] = trial.suggest_float(name, bounds.low, bounds.high, log=bounds.log)
    return values


def _declared(cls: type[Hasher], name: str, values: Sequence[Any]) -> Range | Choice:
    known = hyperparameters(cls)
    if name not in known:
        raise unknown(f"hyper-parameter of {cls.name}", name, known)
    if isinstance(values, list):
        return Choice(tuple(values))
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


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text, text)
