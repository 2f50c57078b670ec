"""An entry is written and read back as it was, and says all that its record says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from made_cells import stored

from hashbench.bundles import entries, open_codes, open_hasher, read, write
from hashbench.bundles.pack import Wording, pack
from hashbench.errors import InputError
from hashbench.evaluation import Convention
from hashbench.store import Store


@pytest.fixture
def cell(tmp_path):
    store = Store(tmp_path / "results", create=True)
    return store, stored(store)


def test_an_entry_is_read_back_as_the_cell_it_was_packed_from(cell, tmp_path):
    store, record = cell
    words = Wording(author="Ada", licence="MIT", comment="one\ntwo")
    made_of = pack(store, record, tmp_path / "board", Convention.parse_list("house,fire"), words)
    (folder,) = entries(tmp_path / "board")
    bundle = read(folder)
    assert bundle == made_of
    assert (bundle.author, bundle.licence, bundle.comment) == ("Ada", "MIT", "one\ntwo")
    assert bundle.record().key == record.key
    assert bundle.record().cell == record.cell
    assert bundle.record().origins == record.origins
    assert set(bundle.scores) == {"house", "fire"}
    for mine, theirs in zip(open_codes(bundle), store.open_codes(record), strict=True):
        assert np.array_equal(mine.packed, theirs.packed)
        assert np.array_equal(mine.at_zero, theirs.at_zero)
    assert open_hasher(bundle) is None
    health = bundle.record(open_codes(bundle)).health
    assert (health["query"]["zeros"], health["database"]["zeros"]) == tuple(
        codes.zeros for codes in store.open_codes(record)
    )


def test_packing_again_gives_the_same_bytes(cell, tmp_path):
    store, record = cell
    for name in ("one", "two"):
        pack(store, record, tmp_path / name, Convention.parse_list("house"))
    first, second = (sorted((tmp_path / name).rglob("*")) for name in ("one", "two"))
    contents = [
        [path.read_bytes() for path in found if path.is_file()] for found in (first, second)
    ]
    assert contents[0] == contents[1]
    assert len(contents[0]) == 5


def test_a_convention_that_needs_more_than_codes_claims_nothing(cell, tmp_path):
    store, record = cell
    with pytest.raises(InputError, match="from codes alone"):
        pack(store, record, tmp_path, Convention.parse_list("deephash-rerank"))


def test_what_cannot_be_read_back_is_not_written(cell, tmp_path):
    store, record = cell
    bundle = pack(store, record, tmp_path / "board", Convention.parse_list("house"))
    with pytest.raises(InputError, match=r"entry\.author"):
        write(tmp_path / "other", replace(bundle, author=""), open_codes(bundle))
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("section", "name", "value", "says"),
    [
        ("codes", "bits", 0, "codes.bits must be 1 to"),
        ("codes", "bits", True, "codes.bits must be 1 to"),
        ("codes", "query_sha256", "../../etc", "codes.query_sha256 must be"),
        ("bench", "counts", {"query": -1, "database": 5}, "bench.counts must say"),
        ("bench", "split_seed", 2**70, "more than 64 bits"),
        ("bench", "protocol", "a\x1b[2J", "control characters"),
        ("entry", "author", "Ada\u202elive", "control characters"),
        ("method", "name", "../dch", "method.name must be"),
        ("training", "mode", "magic", "training.mode must be"),
        ("seen", "test_set", "no", "seen.test_set must be true or false"),
        ("entry", "shell", "x", "entry.shell is no field"),
    ],
)
def test_a_field_that_is_not_as_the_format_says_is_named(
    cell, tmp_path, section, name, value, says
):
    store, record = cell
    bundle = pack(store, record, tmp_path / "board", Convention.parse_list("house"))
    path = bundle.folder / "entry.json"
    body = json.loads(path.read_bytes())
    body[section][name] = value
    path.write_text(json.dumps(body))
    with pytest.raises(InputError, match=says):
        read(bundle.folder)
