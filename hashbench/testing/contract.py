"""Checks of the contract: the constructor, what fit and encode promise, and errors."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hashbench.hasher import hyperparameters
from hashbench.testing.subject import BITS, SEED, CheckError, Subject, require

_BOTH = {"deep", "shallow"}


def constructor(subject: Subject) -> None:
    """Hyper-parameters are keywords with defaults that JSON can hold; it takes bits and seed."""
    parameters = inspect.signature(subject.cls).parameters
    for name, parameter in parameters.items():
        require(
            parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD},
            f"__init__ takes *{name}: name every hyper-parameter, so that it can be listed and set",
        )
    for name in ("bits", "seed"):
        require(
            name in parameters,
            f"__init__ has no '{name}': every hasher takes bits and seed as keyword arguments",
        )
    for name, default in hyperparameters(subject.cls).items():
        require(
            parameters[name].default is not inspect.Parameter.empty,
            f"'{name}' has no default: give every hyper-parameter one, so that "
            "`hashbench run` works without --set",
        )
        try:
            json.dumps(default, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise CheckError(
                f"the default of '{name}', {default!r}, cannot be written as JSON, and a cell is "
                "identified by its hyper-parameters: use numbers, words, true/false or None"
            ) from error
    subject.cls(bits=BITS, seed=SEED)  # type: ignore[call-arg]
    for name in subject.cls.test_params:
        require(
            name in parameters,
            f"test_params names '{name}', which is no hyper-parameter: correct or remove it",
        )


def description(subject: Subject) -> None:
    """It says its kind, a summary, a citation and a version."""
    cls = subject.cls
    require(cls.kind in _BOTH, f"kind is {cls.kind!r}: set it to 'deep' or 'shallow'")
    for attribute in ("summary", "citation", "version"):
        value = getattr(cls, attribute)
        require(
            isinstance(value, str) and value.strip() and "\n" not in value,
            f"{attribute} is {value!r}: set the class attribute to one line of text",
        )


def hyperparameters_stored(subject: Subject) -> None:
    """The constructor stores its arguments unchanged and learns nothing; fit leaves them alone."""
    params = {**subject.brief, "bits": 5, "seed": 11}
    hasher = subject.make(**params)
    given = {**hyperparameters(subject.cls), **params}
    learned = [name for name in vars(hasher) if name.endswith("_") and not name.startswith("_")]
    require(
        not learned,
        f"__init__ sets {', '.join(learned)}: names ending in _ are learned state, set them in fit",
    )
    for when in ("__init__", "fit"):
        if when == "fit":
            hasher.fit(subject.toy.train)
        for name, value in given.items():
            require(
                hasattr(hasher, name) and _equal(getattr(hasher, name), value),
                f"after {when}, self.{name} is {getattr(hasher, name, 'missing')!r} and not the "
                f"given {value!r}: store each argument unchanged under its own name, and put "
                "derived values elsewhere",
            )


def fit_returns_self(subject: Subject) -> None:
    """`fit` returns the hasher itself, with JSON-able history if it keeps one."""
    hasher = subject.make(**subject.brief)
    require(
        hasher.fit(subject.toy.train) is hasher,
        "fit() returned something else: end it with `return self`",
    )
    history = getattr(hasher, "history_", [])
    require(
        isinstance(history, list) and all(isinstance(epoch, dict) for epoch in history),
        "history_ must be a list with one dict an epoch",
    )
    try:
        json.dumps(history)
    except TypeError as error:
        raise CheckError(
            f"history_ goes into the record and cannot be written as JSON ({error}): "
            "keep plain numbers in it, such as float(loss)"
        ) from error


def code_lengths(subject: Subject) -> None:
    """Codes of 1, 12 and 33 bits are of that length, and agree with their real outputs."""
    for bits in (1, BITS, 33):
        hasher = subject.fitted if bits == BITS else subject.fit_briefly(bits=bits)
        codes = subject.encode(hasher, subject.toy.query)
        if codes.relaxed is None:
            continue
        require(
            np.isfinite(codes.relaxed).all(),
            "the relaxed outputs hold NaN or infinity: bound them, for instance by tanh",
        )
        require(
            np.array_equal(codes.relaxed > 0, codes.unpack() == 1),
            "a bit must be 1 exactly where its relaxed output is above 0: "
            "make both at once with Codes.from_real(outputs)",
        )


def encode_before_fit(subject: Subject) -> None:
    """Encoding before fitting is an error, not a code."""
    hasher = subject.make()
    try:
        hasher.encode(subject.toy.query)
    except Exception as error:  # whichever its author chose
        text = str(error)
        require(
            "fit" in text or isinstance(error, AttributeError),
            f"encode() before fit() raised {type(error).__name__}: {text!r}; say that fit() must "
            "come first, as in RuntimeError('call fit(train) first')",
        )
    else:
        raise CheckError(
            "encode() before fit() returned codes: learn in fit() only, and raise "
            "RuntimeError('call fit(train) first') when nothing has been learned"
        )


def bad_hyperparameters(subject: Subject) -> None:
    """A senseless hyper-parameter is refused with a message that names it or its value."""
    trials: list[tuple[str, Any]] = [("bits", 0), ("bits", -4)]
    for name, default in hyperparameters(subject.cls).items():
        if isinstance(default, float):
            trials.append((name, math.nan))
        elif isinstance(default, str):
            trials.append((name, "no-such-value"))
    for name, value in trials:

        def use(name: str = name, value: Any = value) -> None:
            subject.fit(**{name: value}).encode(subject.toy.query)

        refused(
            use,
            words=(name.lower().removesuffix("s"), str(value).lower()),
            what=f"{name}={value!r}",
            advice=f'check it and raise hashbench.InputError(f"{name} must be ..., '
            f'not {{{name}!r}}")',
        )


def refused(use: Callable[[], object], words: tuple[str, ...], what: str, advice: str) -> None:
    """Fail unless `use` raises a ValueError or TypeError whose message has one of `words`."""
    try:
        use()
    except (ValueError, TypeError) as error:
        require(
            any(word in str(error).lower() for word in words),
            f"{what} is refused with the unhelpful '{type(error).__name__}: {error}': {advice}",
        )
    except Exception as error:  # the point of the check
        raise CheckError(
            f"{what} ends in {type(error).__name__} ({error}): {advice}; InputError is a ValueError"
        ) from error
    else:
        raise CheckError(f"{what} is accepted: {advice}")


def _equal(one: Any, two: Any) -> bool:
    return one is two or (type(one) is type(two) and bool(one == two))


CHECKS = (
    constructor,
    description,
    hyperparameters_stored,
    fit_returns_self,
    code_lengths,
    encode_before_fit,
    bad_hyperparameters,
)
