"""Ceilings are kept by what they are of, and a damaged one is none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from made_cells import EVIDENCE

from hashbench.store import Store
from hashbench.store.ceilings import ceiling_path, get_ceiling, put_ceiling

VALUES = {"": 0.5, "unseen@all": 0.25}


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "results", create=True)
    put_ceiling(made, EVIDENCE, "lite", VALUES)
    return made


def test_is_read_back_for_what_it_is_of_alone(store):
    assert get_ceiling(store, EVIDENCE, "lite") == VALUES
    assert get_ceiling(store, EVIDENCE, "lite:multi") == {}
    assert get_ceiling(store, replace(EVIDENCE, images="c" * 64), "lite") == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("0.25", "0.75"),
        lambda text: text[:40],
        lambda text: "[]",
        lambda text: json.dumps({**json.loads(text), "values": 3}),
        lambda text: "[" * 100_000,
    ],
)
def test_a_damaged_one_is_none(store, damage):
    path = ceiling_path(store, EVIDENCE, "lite")
    path.write_text(damage(path.read_text()))
    assert get_ceiling(store, EVIDENCE, "lite") == {}


def test_that_of_another_bench_under_its_name_is_none(store):
    other = replace(EVIDENCE, images="c" * 64)
    path = ceiling_path(store, EVIDENCE, "lite")
    path.rename(ceiling_path(store, other, "lite"))
    assert get_ceiling(store, other, "lite") == {}
