"""Built-in methods say what to try: the same number of points, each of which they take."""

from __future__ import annotations

import pytest

from hashbench.methods.hashnet import HashNet
from hashbench.registries import methods
from hashbench.runner.plan import build, resolve
from hashbench.tuning.space import default_space, grid

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
def test_every_method_is_given_as_many_points_and_takes_them(name: str) -> None:
    points = grid(default_space(TUNED[name]), 8)
    assert len(points) == 8
    assert len(points[0]) <= 2
    known = resolve(name, TUNED[name], {}, "head")
    for point in points:
        assert {key: known[key] for key in point} != point, "the defaults are tried anyway"
        build(name, TUNED[name], 16, 0, resolve(name, TUNED[name], {name: point}, "head"))


def test_a_search_leaves_continuation_alone() -> None:
    """Tuned to an end near 1, HashNet is another method."""
    continued = [cls for cls in TUNED.values() if issubclass(cls, HashNet)]
    assert len(continued) > 1
    assert not any("beta" in default_space(cls) for cls in continued)
