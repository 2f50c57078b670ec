from __future__ import annotations

from dataclasses import dataclass

import pytest

from hashbench.errors import InputError
from hashbench.hasher import Hasher
from hashbench.tuning.space import Choice, Range, default_space, parse_space


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


class Bare(Hasher):
    name = "bare"


def test_a_method_adds_its_own_bounds_to_its_bases() -> None:
    assert default_space(Child) == {
        "lr": Range(1e-4, 1e-2, log=True),
        "gamma": Range(1, 50, log=True),
        "head": Choice(("linear", "mlp")),
    }
    assert default_space(Parent)["gamma"] == Range(1, 2)


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
        ("gamma=3", "cannot read"),
        ("gamma=1:2:3:4", "cannot read"),
        ("gamma=a:b", "cannot be read"),
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
