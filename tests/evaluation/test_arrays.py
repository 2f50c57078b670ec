"""A stranger's arrays, in every form they may come in."""

import numpy as np
import pytest

import hashbench
from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import Convention, score
from hashbench.evaluation.arrays import evaluate
from hashbench.evaluation.foreign import read_codes

BITS = 11


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    outputs = [rng.normal(size=(n, BITS)).astype(np.float32) for n in (20, 60)]
    ids = [rng.integers(0, 4, n) for n in (20, 60)]
    return {
        "query_codes": np.where(outputs[0] > 0, 1, -1),
        "database_codes": np.where(outputs[1] > 0, 1, -1),
        "query_labels": np.eye(4, dtype=int)[ids[0]],
        "database_labels": np.eye(4, dtype=int)[ids[1]],
        "outputs": outputs,
        "ids": ids,
    }


def plain(arrays):
    return [
        arrays[f"{side}_{what}"] for what in ("codes", "labels") for side in ("query", "database")
    ]


def pack(codes):
    return np.packbits(codes > 0, axis=1, bitorder="little")


def test_all_forms_of_codes_score_the_same(arrays):
    query, database, *labels = plain(arrays)
    wanted = score(Codes.from_bits(query), Codes.from_bits(database), *labels)[0].to_dict()
    for form in (
        lambda codes: codes,
        lambda codes: codes.astype(np.float32),
        lambda codes: codes > 0,
        lambda codes: (codes > 0).astype(np.uint8),
        lambda codes: codes.astype(np.int8).tolist(),
    ):
        assert evaluate(form(query), form(database), *labels).to_dict() == wanted
    packed = evaluate(pack(query), pack(database), *labels, bits=BITS)
    assert packed.to_dict() == wanted


@pytest.mark.parametrize("names", [np.arange(4), np.array([7, -2, 99, 3]), np.array(list("dbca"))])
def test_class_ids_are_labels_too(arrays, names):
    query, database, *labels = plain(arrays)
    wanted = evaluate(query, database, *labels).to_dict()
    ids = [names[side] for side in arrays["ids"]]
    assert evaluate(query, database, *ids).to_dict() == wanted


def test_a_class_of_one_side_only_is_relevant_to_nothing():
    result = evaluate([[1, 1]], [[1, 1], [1, 0]], np.array([5]), np.array([1, 2]))
    assert result["map"] == 0


def test_real_outputs_serve_the_conventions_that_need_them(arrays):
    query, database, *labels = plain(arrays)
    result = evaluate(
        query, database, *labels, convention="deephash", relaxed=tuple(arrays["outputs"])
    )
    codes = [Codes.from_real(side) for side in arrays["outputs"]]
    assert result.to_dict() == score(*codes, *labels, [Convention.parse("deephash")])[0].to_dict()
    with pytest.raises(InputError, match="real-valued"):
        evaluate(query, database, *labels, convention="deephash")


def test_an_output_too_small_for_a_short_float_is_no_zero():
    tiny = np.full((1, 4), 1e-60)
    labels = np.array([1]), np.array([1])
    found = evaluate(tiny > 0, -tiny > 0, *labels, "house(sgn0=zero)", relaxed=(tiny, -tiny))
    assert found["empty@h2"] == 1  # four bits apart; zeros would be two
    stacked = np.stack([tiny, -tiny])  # as torch.stack does, where both are as many
    again = evaluate(tiny > 0, -tiny > 0, *labels, "house(sgn0=zero)", relaxed=stacked)
    assert again["empty@h2"] == 1


def test_evaluate_is_public():
    assert hashbench.evaluate is evaluate


def test_named_files_hold_the_same(arrays, tmp_path):
    query, database, *labels = plain(arrays)
    named = {
        "query_codes": pack(query),
        "database_codes": pack(database),
        "query_labels": labels[0],
        "database_labels": labels[1],
        "query_relaxed": arrays["outputs"][0],
        "database_relaxed": arrays["outputs"][1],
        "bits": BITS,
    }
    np.savez(tmp_path / "mine.npz", **named)
    (tmp_path / "folder").mkdir()
    for name, array in named.items():
        np.save(tmp_path / "folder" / f"{name}.npy", array)
    conventions = Convention.parse_list("house,deephash")
    wanted = [
        evaluate(query, database, *labels, convention=item, relaxed=tuple(arrays["outputs"]))
        for item in conventions
    ]
    for path in (tmp_path / "mine.npz", tmp_path / "folder"):
        found = score(*read_codes(path), conventions)
        assert [item.to_dict() for item in found] == [item.to_dict() for item in wanted]


SIZES = (("query", 20), ("database", 60))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"query_codes": np.full((20, BITS), 0.5)}, "signs as codes"),
        ({"query_codes": np.full((20, BITS), 200, np.uint8)}, "bits="),
        ({"query_codes": np.ones(20)}, "two-dimensional"),
        ({"query_codes": np.array([["a"] * BITS] * 20)}, "-1/.1 or 0/1"),
        ({"query_labels": np.ones(20, int)}, "both sides"),
        ({"query_labels": np.ones((20, 4, 1), int)}, "both sides"),
        ({"query_labels": np.array([["x"] * 4] * 20)}, "must be numbers"),
        ({"bits": BITS}, r"\(n, 2\) uint8"),
        ({"bits": 0}, "at least 1 bit"),
        ({"bits": 16.0}, "whole number"),
        ({"convention": ["house"]}, "one convention"),
        ({"relaxed": (np.ones((20, 3)), np.ones((60, BITS)))}, r"must be \(20, 11\)"),
        ({"relaxed": (np.full((20, BITS), np.nan), np.ones((60, BITS)))}, "NaN"),
        ({"relaxed": np.ones((3, 3))}, "two arrays"),
        ({"convention": "hause"}, "did you mean house"),
        ({f"{side}_codes": np.zeros((n, 8192), int) for side, n in SIZES}, "no more than 8,191"),
        (
            {
                "convention": "house(rank=outputs)",
                "query_codes": np.ones((20, BITS)),
                "database_codes": np.ones((60, BITS)),
                "relaxed": (np.full((20, BITS), 1e30), np.full((60, BITS), 1e30)),
            },
            "infinite or undefined in float32",
        ),
    ],
)
def test_arrays_that_cannot_be_meant_are_refused(arrays, change, words):
    names = ("query_codes", "database_codes", "query_labels", "database_labels")
    given = {name: arrays[name] for name in names} | change
    with pytest.raises(InputError, match=words):
        evaluate(**given)


def test_packed_bits_beyond_the_last_are_refused(arrays):
    query, database, *labels = plain(arrays)
    wrong = np.packbits(query > 0, axis=1)
    with pytest.raises(InputError, match="bitorder='little'"):
        evaluate(wrong, pack(database), *labels, bits=BITS)


def test_files_that_cannot_be_read_are_refused(arrays, tmp_path):
    query, database, *labels = plain(arrays)
    with pytest.raises(InputError, match="no file"):
        read_codes(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("codes")
    with pytest.raises(InputError, match="not a readable"):
        read_codes(tmp_path / "text.npz")
    np.save(tmp_path / "single.npy", query)
    with pytest.raises(InputError, match="single array"):
        read_codes(tmp_path / "single.npy")
    np.savez(tmp_path / "few.npz", query_codes=query)
    with pytest.raises(InputError, match="no array 'database_codes': it holds query_codes"):
        read_codes(tmp_path / "few.npz")
    named = {"query_codes": query, "database_codes": database, "query_labels": labels[0]}
    np.savez(tmp_path / "pickled.npz", **named, database_labels=np.array([{}], object))
    with pytest.raises(InputError, match="not a readable"):
        read_codes(tmp_path / "pickled.npz")
    named["database_labels"] = labels[1]
    np.savez(tmp_path / "half.npz", **named, query_relaxed=arrays["outputs"][0])
    with pytest.raises(InputError, match="one side"):
        read_codes(tmp_path / "half.npz")
    np.savez(tmp_path / "bits.npz", **named, bits=np.array([1, 2]))
    with pytest.raises(InputError, match="whole number"):
        read_codes(tmp_path / "bits.npz")
