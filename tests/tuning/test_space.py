from __future__ import annotations

from dataclasses import dataclass

import pytest

from hashbench.errors import InputError
from hashbench.hasher import Hasher
from hashbench.parsing import parse_value
from hashbench.tuning.space import Choice, Range, default_space, describe, grid, parse_space


@dataclass(kw_only=True)
class Parent(Hasher):
    name = "parent"
    space = {"lr": (1e-4, 1e-2, "log"), "gamma": (1, 2)}  # noqa: RUF012

    bits: int = 8
    seed: int = 0
    lr: float = 1e-3
    gamma: float | None = None
    layers: int = 1
    head: str = "linear"

    def fit(self, train):
        return self

    def encode(self, items):
        raise NotImplementedError


class Child(Parent):
    name = "child"
    space = {"gamma": (1, 50, "log"), "head": ["linear", "mlp"]}  # noqa: RUF012


class Heir(Parent):
    name = "heir"


class Bare(Hasher):
    name = "bare"


def test_a_method_says_its_own_space_or_its_base_does() -> None:
    assert default_space(Child) == {
        "gamma": Range(1, 50, log=True),
        "head": Choice(("linear", "mlp")),
    }
    assert default_space(Heir) == default_space(Parent)
    assert default_space(Parent)["gamma"] == Range(1, 2)


def test_a_grid_is_every_combination_within_its_budget() -> None:
    space = parse_space("gamma=1:100:log,head=linear|mlp", Child)
    assert grid(space, 8) == [
        {"gamma": gamma, "head": head}
        for gamma in (1.0, pytest.approx(4.642), pytest.approx(21.54), 100.0)
        for head in ("linear", "mlp")
    ]
    assert grid(parse_space("lr=0:1", Child), 5) == [
        {"lr": lr} for lr in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert [point["layers"] for point in grid(parse_space("layers=1:3", Child), 8)] == [1, 2, 3]
    assert len(grid(parse_space("lr=0:1,gamma=1:2", Child), 8)) == 4  # two a range, not three
    assert grid(parse_space("lr=0.5|0.5,gamma=3", Child), 8) == [{"lr": 0.5, "gamma": 3}]
    for text, most in (("lr=1|2|3,gamma=1|2|3", 8), ("lr=0:1,gamma=1|2|3", 5)):
        with pytest.raises(InputError, match=f"has more than {most} points: name fewer"):
            grid(parse_space(text, Child), most)


def test_a_space_is_said_as_it_is_written() -> None:
    text = "gamma=1:50:log,lr=0.001:0.1,head=mlp|linear"
    assert describe(parse_space(text, Child)) == text


def test_spaces_as_users_write_them() -> None:
    assert parse_space(" gamma=1:50:log, lr=0.001:1e-1,layers=1:3 , head=mlp|linear,", Child) == {
        "gamma": Range(1, 50, log=True),  # gamma is real, whatever its bounds look like
        "lr": Range(0.001, 0.1),
        "layers": Range(1, 3, whole=True),
        "head": Choice(("mlp", "linear")),
    }
    assert parse_space("layers=1|4", Child) == {"layers": Choice((1, 4))}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gama=1:2", "did you mean gamma"),
        ("gamma", "cannot read 'gamma'"),
        ("gamma=", "cannot read"),
        ("gamma=1:2:3:4", "cannot read"),
        ("gamma=a:b", "cannot be read"),
        ("gamma=1:2|3", "cannot be read"),
        ("gamma=1:inf", "cannot be read"),
        ("gamma=1:2:lin", "cannot be read"),
        ("gamma=5:1", "is empty"),
        ("gamma=0:1:log", "start above 0"),
        ("", "--space is empty"),
    ],
)
def test_what_is_no_space_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_space(text, Child)


def test_a_method_without_a_space_says_how_to_name_one() -> None:
    with pytest.raises(InputError, match="bare declares no search space: name one with --space"):
        default_space(Bare)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".5", 0.5),
        ("1.", 1.0),
        ("+2", 2.0),
        ("-.5e-3", -5e-4),
        ("7", 7),
        ("a.5", "a.5"),
        (".", "."),
    ],
)
def test_values_are_read_as_people_write_them(text, value) -> None:
    found = parse_value(text)
    assert (found, type(found)) == (value, type(value))
