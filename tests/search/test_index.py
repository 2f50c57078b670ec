"""Indexes on disk find what a comparison of every pair finds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hostility import fuzz, mutated_json, result_or_refusal, within
from hypothesis import given
from hypothesis import strategies as st

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.search import build_index, open_index
from hashbench.search.index import Entries

STRUCTURES = ("flat", "hash", "multihash")


def distances(query: Codes, database: Codes) -> np.ndarray:
    return (query.unpack()[:, None] != database.unpack()[None]).sum(2)


def names(count: int) -> list[str]:
    return [f"a folder/{row}.png" for row in range(count)]


@pytest.mark.parametrize("bits", [1, 7, 16, 48])
@pytest.mark.parametrize("structure", [*STRUCTURES, "lancedb"])
def test_a_ball_is_found_whole_after_a_journey(structure, bits, make_codes, tmp_path) -> None:
    if structure == "lancedb":
        pytest.importorskip("lancedb")
    engine = "lancedb" if structure == "lancedb" else "faiss"
    codes, queries = make_codes(600, bits), make_codes(20, bits, seed=1)
    folder = tmp_path / "index"
    build_index(folder, codes, Entries(names(600)), engine, {"structure": structure})
    moved = folder.rename(tmp_path / "elsewhere")
    index = open_index(moved)
    assert (index.bits, len(index)) == (bits, 600)
    true = distances(queries, codes)
    for radius in (0, 2) if bits > 1 else (0, 1):
        found = index.engine.within(queries.packed, radius)
        for near, row in zip(found, true, strict=True):
            inside = np.flatnonzero(row <= radius)
            order = inside[np.argsort(row[inside], kind="stable")]
            assert near.rows.tolist() == order.tolist()
            assert near.distances.tolist() == row[order].tolist()


@pytest.mark.parametrize("engine", ["faiss", "lancedb"])
def test_the_nearest_are_nearest(engine, make_codes, tmp_path) -> None:
    if engine == "lancedb":
        pytest.importorskip("lancedb")
    codes, queries = make_codes(300, 32), make_codes(9, 32, seed=2)
    index = build_index(tmp_path / "index", codes, Entries(names(300)), engine)
    for near, row in zip(
        index.engine.nearest(queries.packed, 10), distances(queries, codes), strict=True
    ):
        assert near.distances.tolist() == np.sort(row)[:10].tolist()
        assert row[near.rows].tolist() == near.distances.tolist()
    assert [len(near.rows) for near in index.engine.nearest(queries.packed[:1], 5000)] == [300]


def test_both_engines_find_the_same_items(make_codes, tmp_path) -> None:
    """20,000 codes in partitions; `benchmarks/search.py` does it with 200,000 and more."""
    pytest.importorskip("lancedb")
    codes, queries = make_codes(20_000, 48, centres=500), make_codes(50, 48, centres=500)
    ids = Entries([str(row) for row in range(20_000)])
    one = build_index(tmp_path / "one", codes, ids, "faiss", {"structure": "multihash"})
    two = build_index(tmp_path / "two", codes, ids, "lancedb")
    assert two.settings["partitions"] > 1
    sizes = []
    for ours, theirs in zip(
        one.engine.within(queries.packed, 2), two.engine.within(queries.packed, 2), strict=True
    ):
        assert ours.rows.tolist() == theirs.rows.tolist()
        assert ours.distances.tolist() == theirs.distances.tolist()
        sizes.append(len(ours.rows))
    assert sum(sizes) > 500


def test_lancedb_elsewhere_by_its_address(make_codes, tmp_path) -> None:
    pytest.importorskip("lancedb")
    codes = make_codes(50, 16)
    elsewhere = tmp_path / "store"
    index = build_index(
        tmp_path / "index", codes, Entries(names(50)), "lancedb", {"address": str(elsewhere)}
    )
    assert elsewhere.is_dir()
    assert not (tmp_path / "index" / "lance").exists()
    assert len(index.engine.within(codes.packed[:1], 0)[0].rows) >= 1


def test_ids_labels_and_odd_names_come_back(make_codes, tmp_path) -> None:
    odd = ["ä/ö.png", "a\nb", "x" * 300, "\udcff.png"]
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], np.uint8)
    entries = Entries(odd, labels, ("cat", "dog"), "/pictures")
    index = build_index(tmp_path / "index", make_codes(4, 8), entries)
    again = open_index(tmp_path / "index").entries
    assert list(again.ids) == odd
    assert [again.classes_of(row) for row in range(4)] == [["cat"], ["dog"], ["cat", "dog"], []]
    assert index.entries.path(0) == "/pictures/ä/ö.png"


def test_hash_tables_say_what_they_cannot_find(make_codes, tmp_path) -> None:
    codes = make_codes(50, 32)
    index = build_index(tmp_path / "i", codes, Entries(names(50)), "faiss", {"structure": "hash"})
    with pytest.raises(InputError, match="within radius 2 and not 3"):
        index.engine.within(codes.packed[:1], 3)
    with pytest.raises(InputError, match="sees the ball"):
        index.engine.nearest(codes.packed[:1], 3)


def test_a_picture_finds_itself(trained, tmp_path) -> None:
    encoder = trained("dch")
    codes = encoder.encode(trained.images)
    build_index(tmp_path / "index", codes, Entries(names(20)), encoder=encoder)
    index = open_index(tmp_path / "index")
    for row in (0, 7):
        query = index.encoder.encode(trained.images[row])
        assert row in index.engine.within(query.packed, 0)[0].rows
    build_index(tmp_path / "bare", codes, Entries(names(20)))
    with pytest.raises(InputError, match="no encoder"):
        _ = open_index(tmp_path / "bare").encoder


@pytest.mark.parametrize(
    ("settings", "engine", "words"),
    [
        ({"structure": "hnsw"}, "faiss", "unknown structure 'hnsw'"),
        ({"structure": "hash", "radius": 99}, "faiss", "radius 99"),
        ({}, "milvus", "unknown engine 'milvus'"),
        ({"address": "/dev/null/x"}, "lancedb", "LanceDB cannot write"),
    ],
)
def test_what_cannot_be_built_is_said(settings, engine, words, make_codes, tmp_path) -> None:
    if engine == "lancedb":
        pytest.importorskip("lancedb")
    with pytest.raises(InputError, match=words):
        build_index(tmp_path / "i", make_codes(9, 8), Entries(names(9)), engine, settings)
    assert list(tmp_path.glob("*i*")) == []


def test_nothing_else_is_replaced(make_codes, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    codes, ids = make_codes(9, 8), Entries(names(9))
    with pytest.raises(InputError, match="is no index"):
        build_index(tmp_path / "mine", codes, ids)
    with pytest.raises(InputError, match="no code to index"):
        build_index(tmp_path / "i", Codes(codes.packed[:0], 8), Entries([]))
    build_index(tmp_path / "i", codes, ids)
    assert len(build_index(tmp_path / "i", make_codes(5, 8), Entries(names(5)))) == 5


@pytest.fixture
def kept(make_codes, tmp_path) -> Path:
    labels = np.eye(3, dtype=np.uint8)[np.arange(60) % 3]
    entries = Entries(names(60), labels, ("a", "b", "c"))
    return build_index(tmp_path / "i", make_codes(60, 16), entries).folder


@pytest.mark.parametrize("name", ["codes.faiss", "entries.npz"])
def test_a_damaged_file_is_refused_by_digest(kept, name) -> None:
    data = bytearray((kept / name).read_bytes())
    data[len(data) // 2] ^= 1
    (kept / name).write_bytes(data)
    with pytest.raises(InputError, match="is damaged"):
        open_index(kept)


def test_an_index_of_other_codes_is_refused(kept, make_codes, tmp_path) -> None:
    other = build_index(tmp_path / "o", make_codes(61, 16), Entries(names(61))).folder
    data = (other / "codes.faiss").read_bytes()
    (kept / "codes.faiss").write_bytes(data)
    body = json.loads((kept / "index.json").read_text())
    body["files"]["codes.faiss"] = hashlib.sha256(data).hexdigest()
    (kept / "index.json").write_text(json.dumps(body))
    with pytest.raises(InputError, match="index of other codes"):
        _ = open_index(kept).engine


@fuzz(100)
@given(st.data())
def test_forged_descriptions_are_refused_in_one_sentence(kept, data) -> None:
    path = kept / "index.json"
    whole = path.read_bytes()
    path.write_bytes(data.draw(mutated_json(json.loads(whole))))
    try:
        with within(20):
            index = result_or_refusal(lambda: open_index(kept), kept)
            if index is not None:
                result_or_refusal(lambda: index.engine, kept)
    finally:
        path.write_bytes(whole)
