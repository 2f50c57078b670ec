"""Flipped bits, files of other cells: refused or computed again, never used."""

from __future__ import annotations

import os
import random
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest
from made_cells import CELL, made, stored

from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.store import Store
from hashbench.store.judge import judge
from hashbench.store.scorefiles import get_scores, score_path

HOUSE = Convention.parse("house")


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path, create=True)


def flipped(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


@pytest.mark.parametrize("kind", ["record", "codes", "split"])
def test_two_hundred_flips_of_a_bit_are_refused_or_change_nothing(store, kind) -> None:
    record = stored(store)
    expected = judge(store, record, [HOUSE])["house"].to_dict()
    shutil.rmtree(store.scores_folder(record.key))
    path = store.path(kind, record.evidence.split if kind == "split" else record.key)
    whole, dice = path.read_bytes(), random.Random(kind)
    refused = 0
    for _ in range(200):
        path.write_bytes(flipped(whole, dice))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = Store(store.root).get(record.key)
        try:
            scores = None if found is None else judge(Store(store.root), found, [HOUSE])["house"]
        except InputError:
            scores = None
        if scores is None:
            refused += 1
        else:
            assert scores.to_dict() == expected  # the bit is of no account, such as a time stamp
            shutil.rmtree(store.scores_folder(record.key))
    assert refused > 100


def test_two_hundred_flips_of_stored_scores_are_computed_again(store) -> None:
    record = stored(store)
    whole = judge(store, record, [HOUSE])["house"]
    path = score_path(store, record.key, "house")
    data, dice = path.read_bytes(), random.Random(3)
    again = 0
    for _ in range(200):
        path.write_bytes(flipped(data, dice))
        again += get_scores(store, record, HOUSE) is None
        found = judge(store, record, [HOUSE])["house"]
        assert found.to_dict() == whole.to_dict()
        for name, values in whole.per_query.items():
            np.testing.assert_array_equal(found.per_query[name], values)
    assert again > 100


def test_codes_of_another_cell_are_refused(store) -> None:
    record = stored(store, seed=1)
    other = stored(store, made(replace(CELL, seed=1)), seed=2)
    shutil.copyfile(store.path("codes", other.key), store.path("codes", record.key))
    with pytest.raises(InputError, match="belongs to another result"):
        store.open_codes(record)
    assert store.whole(other)


def test_scores_of_another_cell_are_not_shown(store) -> None:
    record = stored(store, seed=1)
    other = stored(store, made(replace(CELL, seed=1)), seed=2)
    judge(store, other, [HOUSE])
    path = score_path(store, record.key, "house")
    path.parent.mkdir(parents=True)
    shutil.copyfile(score_path(store, other.key, "house"), path)
    assert get_scores(store, record, HOUSE) is None


def test_relaxed_outputs_of_other_codes_are_refused(store) -> None:
    from hashbench.codes import Codes

    record = stored(store)
    rng = np.random.default_rng(0)
    codes = tuple(Codes.from_real(rng.normal(size=(n, 16))) for n in (3, 5))
    store.put_relaxed(record, codes)
    assert store.has_relaxed(record)
    other = stored(store, record, seed=9)  # trained again
    with pytest.raises(InputError, match="of other codes"):
        store.open_codes(other)


@pytest.mark.skipif(os.name != "posix", reason="limits open files")
def test_nothing_is_damaged_because_no_more_files_may_be_open(store) -> None:
    import resource

    record = stored(store)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        for read in (store.open_codes, Store(store.root).open_split, store.whole):
            with pytest.raises(OSError, match="Too many open files"):
                read(record)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert store.whole(record)
