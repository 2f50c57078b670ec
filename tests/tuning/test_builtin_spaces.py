"""Built-in methods say where to look, and every corner of it is a value they take."""

from __future__ import annotations

import itertools

import pytest

from hashbench.registry import methods
from hashbench.runner.plan import build, resolve
from hashbench.tuning.space import Range, default_space

TUNED = {
    name: cls
    for name, cls in methods().parts().items()
    if methods().entry(name).origin == "hashbench" and cls.space
}


def test_what_has_no_space_has_nothing_to_tune() -> None:
    """A method without hyper-parameters, or a floor, which nothing is tuned to lift."""
    for name, cls in methods().parts().items():
        if name not in TUNED and methods().entry(name).origin == "hashbench":
            assert cls.role == "floor" or not cls.supervised, name


@pytest.mark.parametrize("name", TUNED)
def test_the_corners_of_a_default_space_are_accepted(name: str) -> None:
    space = default_space(TUNED[name])
    ends = [
        tuple((int if at.whole else float)(end) for end in (at.low, at.high))
        if isinstance(at, Range)
        else at.options
        for at in space.values()
    ]
    for corner in itertools.product(*ends):
        params = resolve(name, TUNED[name], {name: dict(zip(space, corner, strict=True))}, "head")
        build(name, TUNED[name], 16, 0, params)


@pytest.mark.parametrize("name", TUNED)
def test_the_default_lies_within_the_space(name: str) -> None:
    known = resolve(name, TUNED[name], {}, "head")
    for parameter, at in default_space(TUNED[name]).items():
        assert known[parameter] is None or known[parameter] in at, parameter
