"""Hashers trained from pixels come back from their files with the same codes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pixel_methods import each_mode, make
from safetensors.numpy import load, save

from hashbench.errors import InputError
from hashbench.methods.dch import DCH
from hashbench.methods.dnnh import DNNH
from hashbench.saved import dump_hasher, load_hasher


@each_mode
@pytest.mark.parametrize("cls", [DCH, DNNH])
def test_a_loaded_network_gives_the_same_codes(cls, tuning, train, split) -> None:
    hasher = make(cls, tuning).fit(train)
    again = load_hasher(dump_hasher(hasher), "it")
    for items in (split.query, split.database):
        one, two = hasher.encode(items), again.encode(items)
        assert np.array_equal(one.packed, two.packed)
        assert np.array_equal(one.relaxed, two.relaxed)


@each_mode
@pytest.mark.parametrize(
    ("name", "value"),
    [("side", 10**9), ("side", "48"), ("network", "none"), ("shape", {"tuple": [16, 16]}),
     ("dim", 10**12), ("dim", 9)],
)  # fmt: skip
def test_inputs_of_another_size_are_refused(tuning, train, name, value) -> None:
    data = dump_hasher(make(DCH, tuning).fit(train))
    length = int.from_bytes(data[:8], "little")
    body = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["hashbench"])
    inputs = next(pair[1] for pair in body["learned"]["dict"] if pair[0] == "inputs_")
    for pair in inputs["state"]["dict"]:
        if pair[0] == name:
            pair[1] = value
    with pytest.raises(InputError, match="does not fit the method dch"):
        load_hasher(save(load(data), {"hashbench": json.dumps(body)}), "it")
