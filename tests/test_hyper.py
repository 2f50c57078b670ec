"""Hyper-parameters: declared bounds, and what is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from hashbench.errors import InputError
from hashbench.hyper import check, choice, edges, number, whole


@dataclass(kw_only=True)
class Declared:
    name: ClassVar[str] = "declared"

    share: float = number(0.5, above=0, high=1)
    ridge: float | str = number(1.0, above=0, words=("published",))
    rate: float | None = number(None, low=0, below=2)
    steps: int = whole(5, low=0, high=9)
    mode: str = choice("plain", ("plain", "fancy"))
    plain: float = 0.1
    flag: bool = True
    text: str = "as given"


@pytest.mark.parametrize(
    "params",
    [
        {"share": 1},
        {"share": np.float32(0.25)},
        {"ridge": "published"},
        {"ridge": 5},
        {"rate": None},
        {"rate": 0.0},
        {"steps": 0},
        {"steps": np.int64(9)},
        {"mode": "fancy"},
        {"plain": -3.0},
        {"flag": np.False_},
        {"text": "anything"},
    ],
)
def test_what_is_within_the_bounds_passes(params) -> None:
    check(Declared(**params))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"share": 0.0}, r"declared\.share must be a number above 0 and at most 1, not 0\.0"),
        ({"share": math.nextafter(1, 2)}, "above 0 and at most 1"),
        ({"share": math.nan}, "above 0 and at most 1, not nan"),
        ({"share": math.inf}, "not inf"),
        ({"share": 10**400}, "above 0 and at most 1"),
        ({"share": "0.5"}, "not '0.5'"),
        ({"share": None}, "not None"),
        ({"share": True}, "not True"),
        ({"flag": "no"}, r"declared\.flag must be true or false, not 'no'"),
        ({"flag": 0}, "true or false, not 0"),
        ({"mode": np.zeros((2, 2))}, r"unknown declared\.mode 'array"),
        ({"steps": np.zeros((2, 2))}, r"not array\(\[\[0\., 0\.\], \[0\., 0\.\]\]\)$"),
        ({"ridge": "publisht"}, "a number above 0 or 'published', not 'publisht'"),
        ({"rate": 2}, "of at least 0 and below 2, not 2"),
        ({"steps": -1}, "a whole number of at least 0 and at most 9, not -1"),
        ({"steps": 10}, "not 10"),
        ({"steps": 3.0}, r"not 3\.0"),
        ({"steps": None}, "not None"),
        ({"mode": "fanzy"}, r"unknown declared\.mode 'fanzy': did you mean fancy"),
        ({"plain": math.nan}, r"declared\.plain must be a number, not nan"),
        ({"plain": "x"}, r"declared\.plain must be a number, not 'x'"),
    ],
)
def test_what_is_outside_is_refused_with_its_name_and_its_bounds(params, message) -> None:
    with pytest.raises(InputError, match=message):
        check(Declared(**params))


def test_every_bound_gives_values_on_it_and_beyond_it() -> None:
    assert set(edges(Declared)) == {
        ("share", 0.0, False),
        ("share", 1.0, True),
        ("share", math.nextafter(1, 2), False),
        ("ridge", 0.0, False),
        ("ridge", "published", True),
        ("rate", 0.0, True),
        ("rate", math.nextafter(0, -1), False),
        ("rate", 2.0, False),
        ("steps", 0, True),
        ("steps", -1, False),
        ("steps", 9, True),
        ("steps", 10, False),
    }


def test_a_class_without_declarations_has_nothing_to_check() -> None:
    class Plain:
        name = "plain"
        ridge = -1.0

    check(Plain())
    assert list(edges(Plain)) == []
