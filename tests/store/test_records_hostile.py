"""Records are read from folders that strangers share: nothing in them is trusted."""

from __future__ import annotations

import contextlib
import json
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashbench.results.record import BadRecordError, Record
from hashbench.results.store import Store
from hashbench.results.tables import tables

CORPUS = sorted((Path(__file__).parent / "hostile").glob("*"))

CELL = {
    "dataset": "digits",
    "protocol": "digits",
    "split_seed": 0,
    "backbone": "pixels",
    "tuning": "none",
    "method": "lsh",
    "params": {},
    "bits": 16,
    "seed": 0,
    "code": "1",
    "options": {},
}
WHOLE = Record(
    key="0123456789abcdef",
    cell=CELL,
    status="ok",
    scores={"house": {"map@h2": 0.5, "p@h2": None}},
    curves={"house": {"r@h": [0.1, None]}},
    split={"sha256": "a" * 64, "counts": {"query": 3}, "notes": ["one"]},
    health={"query": {"balance": 0.5}},
    history=[{"epoch": 1, "loss": 0.1}],
    timings={"fit": 0.1},
    environment={"threads": 1},
    adjusted={"batch_size": 32},
    log="",
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_a_record_is_read_back_as_it_was() -> None:
    assert Record.from_json(WHOLE.to_json()) == WHOLE


def test_values_json_has_no_word_for_become_null() -> None:
    record = Record("k", CELL, "ok", scores={"house": {"map@h2": float("nan")}})
    assert Record.from_json(record.to_json()).scores == {"house": {"map@h2": None}}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_once_broke_is_refused_with_a_sentence(path) -> None:
    with pytest.raises(BadRecordError) as refusal:
        Record.from_json(path.read_bytes())
    assert len(str(refusal.value)) < 300


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data) -> None:
    with pytest.raises(BadRecordError):
        Record.from_json(data)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(WHOLE.to_json())), st.integers(0, 255))
def test_a_changed_byte_gives_a_record_or_a_refusal(place, value) -> None:
    data = bytearray(WHOLE.to_json())
    data[place : place + 1] = bytes([value])
    with contextlib.suppress(BadRecordError):
        usable(Record.from_json(bytes(data)))


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(sorted(json.loads(WHOLE.to_json()))), JSON, st.booleans())
def test_a_changed_field_gives_a_record_or_a_refusal(name, value, inside) -> None:
    body = json.loads(WHOLE.to_json())
    if inside and isinstance(body[name], dict) and body[name]:
        body[name][next(iter(body[name]))] = value
    else:
        body[name] = value
    try:
        record = Record.from_json(json.dumps(body).encode())
    except BadRecordError:
        return
    usable(record)


def usable(record: Record) -> None:
    """What is read from a record by the rest of the house works."""
    Record.from_json(record.to_json())
    for table in tables([record]):
        str(table.setting)
        for entry in table.entries.values():
            assert entry.mean is None or isinstance(entry.mean, float)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_a_store_with_any_file_in_it_gives_the_others(tmp_path_factory, data) -> None:
    store = Store(tmp_path_factory.mktemp("store"), create=True)
    store.put(WHOLE)
    store.path("records", "fedcba9876543210").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert store.records() == [WHOLE]
    assert (store.root / "quarantine" / "fedcba9876543210.json").read_bytes() == data


@pytest.mark.parametrize(
    ("data", "part"),
    [(b"", "damaged"), (b"PK\x03\x04 half a zip", "damaged"), (b"\x93NUMPY", "damaged")],
)
def test_codes_that_are_no_codes_give_a_sentence(tmp_path, data, part) -> None:
    from hashbench.errors import InputError

    store = Store(tmp_path, create=True)
    store.put(WHOLE)
    store.path("codes", WHOLE.key).write_bytes(data)
    with pytest.raises(InputError, match=part):
        store.open_codes(WHOLE)


def test_pickled_objects_are_not_loaded(tmp_path) -> None:
    import numpy as np

    from hashbench.errors import InputError

    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "exploded",))

    store = Store(tmp_path, create=True)
    store.put(WHOLE)
    objects = np.array([Bomb()], dtype=object)
    np.savez(
        store.path("codes", WHOLE.key), bits=np.array(8), query_codes=objects, allow_pickle=True
    )
    with pytest.raises(InputError, match="damaged"):
        store.open_codes(WHOLE)
    assert not (tmp_path / "exploded").exists()
