"""Records are read from folders that strangers share: nothing in them is trusted."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hostility import fuzz
from hypothesis import given
from hypothesis import strategies as st
from made_cells import made, stored

from hashbench.errors import InputError
from hashbench.store import BadRecordError, Record, Store
from hashbench.store.checks import NewerRecordError
from hashbench.store.record import _digest

CORPUS = sorted((Path(__file__).parent / "hostile").glob("*"))
WHOLE = made()

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def sealed(body: dict[str, object]) -> bytes:
    """A record file with a digest that fits, as a forger writes it."""
    body = {name: value for name, value in body.items() if name != "sha256"}
    return json.dumps({**body, "sha256": _digest(body)}).encode()


def test_a_record_is_read_back_as_it_was() -> None:
    assert Record.from_json(WHOLE.to_json()) == WHOLE


def test_values_json_has_no_word_for_become_null() -> None:
    record = made(health={"query": {"balance": float("nan")}})
    assert Record.from_json(record.to_json()).health == {"query": {"balance": None}}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_once_broke_is_refused_with_a_sentence(path) -> None:
    with pytest.raises((BadRecordError, NewerRecordError)) as refusal:
        Record.from_json(path.read_bytes())
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("cell", "bits"), True),
        (("cell", "bits"), -1),
        (("cell", "bits"), None),
        (("cell", "bench", "split_seed"), 10**23),
        (("cell", "bench", "dataset"), 3),
        (("cell", "params"), []),
        (("evidence", "split"), "../../etc/passwd"),
        (("key",), "../x"),
        (("timings", "fit"), -1.0),
        (("status",), []),
        (("status",), "done"),
        (("surprise",), 1),
        (("history",), [1.0]),
        (("health", "query"), "good"),
        (("files", "codes"), "../../codes"),
        (("split", "notes"), [1]),
        (("split", "counts", "query"), -3),
        (("request", "plugins"), "x.py"),
        (("finished",), 0),
    ],
    ids=str,
)
def test_a_forged_value_is_refused(path, value) -> None:
    body = json.loads(WHOLE.to_json())
    place = body
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(BadRecordError):
        Record.from_json(sealed(body))


@fuzz(200)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data) -> None:
    with pytest.raises(BadRecordError):
        Record.from_json(data)


@fuzz(300)
@given(st.integers(0, len(WHOLE.to_json()) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_changes_nothing(place, value) -> None:
    data = bytearray(WHOLE.to_json())
    data[place] = value
    with contextlib.suppress(BadRecordError, NewerRecordError):
        assert Record.from_json(bytes(data)) == WHOLE  # white space, or the byte it was


@fuzz(400)
@given(st.sampled_from(sorted(json.loads(WHOLE.to_json()))), JSON, st.booleans())
def test_a_forged_field_gives_a_record_or_a_refusal(name, value, inside) -> None:
    body = json.loads(WHOLE.to_json())
    if inside and isinstance(body[name], dict) and body[name]:
        body[name][next(iter(body[name]))] = value
    else:
        body[name] = value
    with contextlib.suppress(BadRecordError, NewerRecordError, ValueError):
        record = Record.from_json(sealed(body))
        assert Record.from_json(record.to_json()) == record
        assert record.cell.key(record.evidence) == record.key


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("cell", {"bits": 32}),
        ("cell", {"method": "dch"}),
        ("cell", {"bench": {"protocol": "other"}}),
        ("evidence", {"split": "f" * 64}),
        ("evidence", {"images": "f" * 64}),
    ],
)
def test_content_that_does_not_fit_its_key_is_refused(field, change) -> None:
    body = json.loads(WHOLE.to_json())
    for name, value in change.items():
        if isinstance(value, dict):
            body[field][name].update(value)
        else:
            body[field][name] = value
    with pytest.raises(BadRecordError, match="does not fit its key"):
        Record.from_json(sealed(body))


def test_a_newer_record_is_left_alone_with_one_sentence(tmp_path) -> None:
    store = Store(tmp_path, create=True)
    record = stored(store)
    path = store.path("record", record.key)
    body = json.loads(path.read_bytes())
    newer = json.dumps({**body, "schema": 99, "fields": "of tomorrow"}).encode()
    path.write_bytes(newer)
    with pytest.warns(UserWarning, match=r"is left alone: it is of schema 99"):
        assert store.records() == []
    assert store.newer(record.key)
    assert path.read_bytes() == newer


@fuzz(60)
@given(data=st.binary(max_size=200))
def test_a_store_with_any_file_in_it_gives_the_others(tmp_path_factory, data) -> None:
    store = Store(tmp_path_factory.mktemp("store"), create=True)
    whole = stored(store)
    path = store.path("record", "fedcba9876543210")
    path.write_bytes(data)
    with pytest.warns(UserWarning, match="damaged"):
        assert store.records() == [whole]
    assert path.read_bytes() == data  # reading moves nothing


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_what_is_no_file_hangs_nothing(tmp_path) -> None:
    store = Store(tmp_path, create=True)
    whole = stored(store)
    for number, make in enumerate(
        (os.mkfifo, os.mkdir, lambda path: path.symlink_to(path)), start=1
    ):
        path = store.path("record", f"{number:016x}")
        make(path)
        with pytest.raises(InputError, match="cannot read the record"):
            store.get(f"{number:016x}")
    assert store.get(whole.key) == whole


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 half a zip", b"\x93NUMPY"])
def test_codes_that_are_no_codes_give_a_sentence(tmp_path, data) -> None:
    store = Store(tmp_path, create=True)
    record = stored(store)
    store.path("codes", record.key).write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        store.open_codes(record)


def test_pickled_objects_are_not_loaded(tmp_path) -> None:
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "exploded",))

    store = Store(tmp_path, create=True)
    record = stored(store)
    objects = np.array([Bomb()], dtype=object)
    np.savez(
        store.path("codes", record.key), bits=np.array(8), query_codes=objects, allow_pickle=True
    )
    with pytest.raises(InputError, match="damaged"):
        store.open_codes(record)
    assert not (tmp_path / "exploded").exists()


def test_results_of_an_earlier_hashbench_are_one_sentence_and_untouched(tmp_path) -> None:
    for folder in ("records", "per-query"):
        (tmp_path / folder).mkdir()
    (tmp_path / "records" / "0123456789abcdef.json").write_text("{}")
    for create in (False, True):
        with pytest.raises(InputError, match=r"name another folder with --results"):
            Store(tmp_path, create=create)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "0123456789abcdef.json",
        "per-query",
        "records",
    ]
