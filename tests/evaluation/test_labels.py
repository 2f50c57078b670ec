"""What an array of labels may mean, and counting by class ids."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import Convention, score
from hashbench.evaluation.arrays import evaluate
from hashbench.evaluation.labels import class_count, read_labels

ORDERS = [Convention(order=order) for order in ("expected", "best", "worst", "stable")]


def world(seed=0, classes=4, queries=20, items=60, bits=9):
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, 2, (n, bits)) for n in (queries, items)]
    return codes, [rng.integers(0, classes, n) for n in (queries, items)]


def hot(ids, classes=4):
    return np.eye(classes, dtype=int)[ids]


@pytest.mark.parametrize(
    ("query", "items", "words"),
    [
        ([5, 5], [1, 2, 1], "nothing is relevant to any"),
        ([[1, 0], [1, 0]], [[0, 1], [0, 1], [0, 1]], "nothing is relevant to any"),
        (np.array([[-1, 1], [1, -1]]).astype(bool), np.ones((3, 2), bool), "-1/\\+1 cast to bool"),
        ([4, 4], [4, 4, 4], "all rankings are perfect"),
        ([4, 5], [4, 4, 4], None),
        ([1, 2], [0, 1, 0], "are 1 to 2 and those of the database 0 to 1: check"),
        ([0, 1], [2, 1, 1], "are 0 to 1 and those of the database 1 to 2"),
        ([0, 1], [0, 1, 2], None),
        ([1, 6], [0, 1, 5], None),
        ([[1, 0], [1, 1]], [[1, 0], [0, 1], [1, 0]], None),
    ],
)
def test_labels_by_which_no_code_matters_are_doubted(query, items, words):
    codes = [[0, 1], [1, 1]], [[0, 0], [1, 0], [0, 1]]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        evaluate(*map(np.array, (*codes, query, items)))
    assert len(told) == (words is not None)
    if words:
        with pytest.warns(UserWarning, match=words):
            evaluate(*map(np.array, (*codes, query, items)))


def test_codes_that_lost_their_sign_are_told():
    codes, ids = world()
    wrapped = [(2 * side - 1).astype(np.int8).view(np.uint8) for side in codes]
    with pytest.raises(InputError, match="-1 in numbers without a sign, give them as int8"):
        evaluate(*wrapped, *ids)
    cast = [(2 * side - 1).astype(bool) for side in codes]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        evaluate(*cast, *ids)
    assert [str(one.message)[:38] for one in told] == [
        "every bit of the query codes is true: ",
        "every bit of the database codes is tru",
    ]


def test_blanks_around_words_tell_no_classes_apart_and_one_number_is_one_class():
    codes = np.array([[0, 1], [1, 1]]), np.array([[0, 0], [0, 1]])
    query, items = read_labels(np.array(["cat", "bird "]), np.array(["bird", "cat  "]))
    assert (query[:, None] == items).tolist() == [[False, True], [True, False]]
    with pytest.raises(InputError, match=r"labels have '1' and '1\.0', which are one number"):
        evaluate(*codes, np.array(["1", "2"]), np.array(["1.0", "2.0"]))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["0 1 0", "1 1 0", "1 0 0"], "'0 1 0', which is no name of a class"),
        (["[0, 1]", "[1]", "cat"], r"'\[0, 1\]', which is no name"),
        (["cat", "nan", "dog"], "'nan', which is no name"),
        (["cat", " ", "dog"], "an empty text, which is no name"),
        (["010", "110", "001"], "'110', which is no name"),
        (["cat", "dog", "cat,dog"], "'cat,dog' and each word of it"),
        (["cat", "dog", "cat dog"], "'cat dog' and each word of it"),
        (["sports car", "car", "010"], None),
        (["010", "100", "001"], None),  # one each: classes, either way
    ],
)
def test_words_that_may_be_rows_lists_or_nothing_are_refused(words, told):
    sides = np.array(words[:2]), np.array(words)
    if told is None:
        assert (read_labels(*sides)[0] == read_labels(*sides)[1][:2]).all()
        return
    with pytest.raises(InputError, match=told):
        read_labels(*sides)


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ([-1, 3, 4, -1], "3 items have the class id -1"),
        ([-1, 1, 1, -1], None),
        ([0, 1, 2, 3], None),
    ],
)
def test_an_id_of_minus_one_is_remarked_upon(ids, told):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = read_labels(np.array(ids[:2]), np.array(ids))
    assert [str(one.message)[: len(told or "")] for one in heard] == [told] * bool(told)
    assert (found[0] == found[1][:2]).all()  # one class, as it says


@pytest.mark.parametrize(("count", "of_them"), [(1, True), (2, True), (3, True), (2, False)])
def test_a_few_queries_are_found_in_their_own_database(count, of_them):
    rng = np.random.default_rng(0)
    codes, labels = rng.integers(0, 2, (200, 48)), rng.integers(0, 10, 200)
    query = slice(count) if of_them else slice(-count, None)
    database = slice(200 if of_them else 200 - count)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        evaluate(codes[query], codes[database], labels[query], labels[database])
    assert [f"{count} of {count} quer" in str(one.message) for one in told] == [True] * of_them


FORMS = {
    "multi-hot": hot,
    "bool": lambda ids: hot(ids) > 0,
    "-1/+1": lambda ids: 2 * hot(ids) - 1,
    "-1/+1 float": lambda ids: 2.0 * hot(ids) - 1,
    "ids": lambda ids: ids,
    "a column of ids": lambda ids: ids[:, None],
    "whole floats": lambda ids: ids.astype(float),
    "words": lambda ids: np.array(list("dbca"))[ids],
    "objects of words": lambda ids: np.array(list("dbca"), dtype=object)[ids],
    "a column of objects": lambda ids: np.array([7, 2, 9, 5], dtype=object)[ids][:, None],
    "a list": lambda ids: ids.tolist(),
    "a list of numpy's numbers": lambda ids: np.array([*map(np.int16, ids)], dtype=object),
    "a matrix": lambda ids: np.asmatrix(ids).T,
    "beyond floats": lambda ids: (ids + 2**60).astype(np.uint64 if len(ids) == 20 else np.int64),
    "beyond int64": lambda ids: ids.astype(np.uint64) + 2**63,
    "accents": lambda ids: np.array(WORDS[len(ids) == 20])[ids],
    "bytes": lambda ids: [WORDS[0][k].encode() if len(ids) == 20 else WORDS[0][k] for k in ids],
    "tensors": lambda ids: torch.tensor(2.0 * hot(ids) - 1, requires_grad=True),
}

#: The same class names, their accents composed and not.
WORDS = ["é", "e", "è", "ê"], ["e\u0301", "e", "e\u0300", "e\u0302"]


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_labels_scores_the_same(form):
    codes, ids = world()
    wanted = evaluate(*codes, hot(ids[0]), hot(ids[1])).to_dict()
    assert evaluate(*codes, *(FORMS[form](side) for side in ids)).to_dict() == wanted


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (lambda ids: np.where(hot(ids), 1, 255).astype(np.uint8), r"row 0 holds 255 \(-1 in bytes"),
        (lambda ids: (2 * hot(ids) - 1).astype(np.uint16), r"holds 65535 \(-1 in numbers without"),
        (lambda ids: np.where(ids[:, None] == 2, 0.25, hot(ids)), "row 1 holds 0.25"),
        (lambda ids: hot(ids) * np.where(np.arange(20) == 7, 3, 1)[:, None], "row 7 holds 3"),
        (lambda ids: hot(ids) - 1.0 * (np.arange(4) == 0), "0/1 or -1/.1, not both, but row"),
        (lambda ids: np.where(np.arange(20) == 5, np.nan, ids), "row 5 holds nan"),
        (lambda ids: ids + 0.5 * (np.arange(20) == 3), "whole-numbered class ids, but row 3"),
        (lambda ids: np.array([None, *ids[1:]], dtype=object), "objects such as None"),
        (lambda ids: np.array(["cat", *ids[1:]], dtype=object), "objects such as"),
        (lambda ids: np.array(list("dbca"))[ids], "numbers on both sides, or words on both"),
        (lambda ids: ids.astype("M8[s]"), "must be numbers"),
        (lambda ids: np.where(ids == 2, np.inf, ids), "row 1 holds inf"),
        (lambda ids: (ids + 2048).astype(np.float16), "from 2,048 on cannot be told apart"),
        (lambda ids: ids + 2.0**60, "from 9,007,199,254,740,992 on cannot be told apart"),
        (lambda ids: np.ma.array(ids, mask=ids == 0), "masked values"),
        (lambda ids: scipy.sparse.csr_array(hot(ids)), r"no array.*toarray"),
        (lambda ids: [[1], [2, 3]], "NumPy can read"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused_with_value_and_row(labels, words):
    codes, ids = world()
    ids[0][:2] = 0, 2
    odd = labels(ids[0])
    other = hot(ids[1]) if getattr(odd, "ndim", 1) == 2 else ids[1]
    with pytest.raises(InputError, match=words) as caught:
        evaluate(*codes, odd, other)
    assert "\n" not in str(caught.value)


def test_ids_on_one_side_only_are_refused():
    codes, ids = world()
    with pytest.raises(InputError, match=r"both sides, got shapes \(20,\) and \(60, 4\)"):
        evaluate(*codes, ids[0], hot(ids[1]))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 64, 65, 130, 300]))
def test_any_number_of_classes_scores_as_its_multi_hot_labels(seed, classes):
    codes, ids = world(seed, classes, queries=40, items=150)
    codes = [Codes.from_bits(side) for side in codes]
    wanted = score(*codes, *(hot(side, classes) for side in ids), ORDERS)
    found = score(*codes, *ids, ORDERS)
    for one, other in zip(found, wanted, strict=True):
        assert one.to_dict() == other.to_dict()
        assert one.per_query["map"].tolist() == other.per_query["map"].tolist()


def test_forty_thousand_identities_are_classes():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 40_000, 2000), rng.integers(0, 40_000, 3000)
    codes = [Codes.from_bits(np.zeros((len(side), 8), int)) for side in ids]
    share = np.mean([(ids[1] == one).mean() for one in ids[0]])
    assert score(*codes, *read_labels(*ids))[0]["p@h2"] == pytest.approx(share)
    assert class_count(*read_labels(*ids)) == len(np.unique(np.concatenate(ids)))


def noticed(*arrays, **more):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        evaluate(*arrays, **more)
    return [str(item.message).split(" queries")[0] for item in caught]


def test_queries_that_are_rows_of_the_database_are_noticed():
    codes, ids = world(queries=300, items=300, bits=48)
    assert noticed(codes[0], codes[0], ids[0], ids[0]) == ["300 of 300"]
    some = np.concatenate([codes[1], codes[0][:40]]), np.concatenate([ids[1], ids[0][:40]])
    assert noticed(codes[0], some[0], hot(ids[0]), hot(some[1])) == ["40 of 300"]
    assert noticed(*codes, *ids) == []


def test_codes_that_coincide_because_they_are_trained_are_not_noticed():
    """One code a class: every query has a twin, and so has every database row."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 10, 200), rng.integers(0, 10, 2000)
    centres = rng.integers(0, 2, (10, 32))
    assert noticed(centres[ids[0]], centres[ids[1]], *ids) == []
    outputs = [centres[side] - 0.5 + rng.normal(0, 0.01, (len(side), 32)) for side in ids]
    mixed = [*outputs, np.concatenate([outputs[1], outputs[0]]), np.concatenate(ids[::-1])]
    assert noticed(
        centres[ids[0]],
        (mixed[2] > 0).astype(int),
        ids[0],
        mixed[3],
        relaxed=(outputs[0], mixed[2]),
    ) == ["200 of 200"]


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ([[0.5, np.nan]], "of the query hold NaN"),
        ([[0.5, 0.25]], r"row 0 has 0\.25 and bit 0 in column 1"),
        ([[-0.5, -0.25]], r"row 0 has -0\.5 and bit 1 in column 0"),
    ],
)
def test_real_outputs_that_are_not_those_of_the_codes_are_refused(outputs, words):
    made = Codes.from_bits([[1, 0]])
    codes = Codes(made.packed, 2, np.array(outputs, np.float32))
    other = Codes.from_real(np.array([[0.0, 1.0]]))
    with pytest.raises(InputError, match=words):
        score(codes, other, np.array([0]), np.array([0]))
