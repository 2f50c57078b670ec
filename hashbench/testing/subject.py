"""What every check shares: the class under test, ways to make and fit it, and how to complain."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from hashbench.codes import Codes
from hashbench.hasher import Hasher
from hashbench.items import Items, TrainItems
from hashbench.parsing import in_number
from hashbench.testing.toy import Toy, toy

#: Code length of the checks: no multiple of 8, so that packing is exercised.
BITS = 12
SEED = 3

#: Epochs of a training of which only what its length does not change is looked at.
FEW = 5


class CheckError(AssertionError):
    """A hasher failed a check; the message says what to do about it."""


def require(condition: object, advice: str) -> None:
    """Fail with `advice` unless `condition` holds."""
    if not condition:
        raise CheckError(advice)


class Subject:
    """A hasher class under test.

    Args:
        cls: the class.
    """

    def __init__(self, cls: type[Hasher]) -> None:
        self.cls = cls

    @property
    def toy(self) -> Toy:
        """The easy problem, drawn afresh: a check may meet a hasher that writes to its input."""
        return toy(seed=0)

    @property
    def other_toy(self) -> Toy:
        """Another easy problem, with other class centres."""
        return toy(seed=1)

    @cached_property
    def fitted(self) -> Hasher:
        """A hasher fitted on the easy problem, shared by the checks that only encode."""
        return self.fit()

    @cached_property
    def begun(self) -> Hasher:
        """As `fitted`, of few epochs."""
        return self.fit_briefly()

    @property
    def brief(self) -> dict[str, Any]:
        """The class's `test_params`, with few epochs where they say how many."""
        return self.at_most(FEW)

    def at_most(self, most: int) -> dict[str, Any]:
        """The class's `test_params`, with at most so many epochs where they say how many."""
        params = dict(self.cls.test_params)
        epochs = params.get("epochs")
        return {**params, "epochs": min(most, epochs)} if isinstance(epochs, int) else params

    def make(self, **params: Any) -> Hasher:
        """A fresh hasher with the class's `test_params`, overridden by `params`."""
        return self.cls(**self.params(**params))

    def params(self, **params: Any) -> dict[str, Any]:
        """What `make` makes it with."""
        return {"bits": BITS, "seed": SEED, **self.cls.test_params, **params}

    def fit(self, train: TrainItems | None = None, **params: Any) -> Hasher:
        """A fresh hasher, fitted."""
        hasher = self.make(**params)
        hasher.fit(self.toy.train if train is None else train)
        return hasher

    def fit_briefly(self, train: TrainItems | None = None, **params: Any) -> Hasher:
        """As `fit`, of few epochs: for what a training's length does not change."""
        return self.fit(train, **{**self.brief, **params})

    def encode(self, hasher: Hasher, items: Items) -> Codes:
        """The codes of `items`, checked to be codes of the right shape."""
        codes = hasher.encode(items)
        require(
            isinstance(codes, Codes),
            f"encode() returned {type(codes).__name__}: return hashbench.Codes, for instance "
            "Codes.from_real(outputs)",
        )
        require(
            len(codes) == len(items) and codes.bits == hasher.bits,
            f"encode() returned {in_number(len(codes), 'code', 'codes')} of "
            f"{in_number(codes.bits, 'bit', 'bits')} for {in_number(len(items), 'item', 'items')} "
            f"and bits={hasher.bits}: return one code of `bits` bits for each item",
        )
        return codes


def differing(one: Codes, two: Codes) -> int:
    """How many bits differ."""
    return int(np.count_nonzero(one.unpack() != two.unpack()))


def require_same(one: Codes, two: Codes, advice: str, *, rounding: bool = False) -> None:
    """Fail unless codes are equal.

    Args:
        one: codes.
        two: codes of the same items.
        advice: what to tell the author.
        rounding: let one bit in 400 differ, as when a matrix product sums in
            another order and an output lies at zero.
    """
    bits = len(one) * one.bits
    count = differing(one, two)
    require(count <= (bits // 400 if rounding else 0), f"{advice} ({count} of {bits} bits differ)")


def require_like_outputs(one: Codes, two: Codes, advice: str) -> None:
    """Fail unless relaxed outputs, where both have them, are the same but for rounding.

    One in 400 may differ more, as where an output lies at a step of its relaxation.
    """
    if one.relaxed is None or two.relaxed is None:
        return
    scale = float(np.abs(one.relaxed).max(initial=0.0))
    apart = ~np.isclose(one.relaxed, two.relaxed, rtol=0.01, atol=1e-3 * scale)
    count = int(np.count_nonzero(apart))
    require(
        count <= apart.size // 400, f"{advice} ({count} of {apart.size} relaxed outputs differ)"
    )
