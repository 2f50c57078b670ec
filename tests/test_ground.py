"""The ground everyone stands on: codes, items, seeds, errors, lists as users write them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hashbench.codes import Codes
from hashbench.errors import InputError, unknown
from hashbench.hasher import hyperparameters
from hashbench.items import TrainItems, ids_of, items_from_features, train_from_features
from hashbench.parsing import parse_names, parse_numbers
from hashbench.runtime import Runtime, current, use
from hashbench.seeds import derive

BITS = hnp.arrays(
    np.uint8, st.tuples(st.integers(0, 5), st.integers(1, 20)), elements=st.integers(0, 1)
)


# --- codes


@given(BITS)
def test_bits_survive_packing(bits: np.ndarray) -> None:
    codes = Codes.from_bits(bits)
    assert len(codes) == len(bits)
    assert codes.packed.shape == (len(bits), (bits.shape[1] + 7) // 8)
    np.testing.assert_array_equal(codes.unpack(), bits)
    np.testing.assert_array_equal(codes.signs(), 2 * bits.astype(int) - 1)
    np.testing.assert_array_equal(Codes.from_bits(codes.signs()).packed, codes.packed)


@given(BITS)
def test_bit_k_is_bit_k_mod_8_of_byte_k_div_8(bits: np.ndarray) -> None:
    packed = Codes.from_bits(bits).packed
    for k in range(bits.shape[1]):
        np.testing.assert_array_equal((packed[:, k // 8] >> (k % 8)) & 1, bits[:, k])


def test_zero_is_bit_0_and_is_counted() -> None:
    codes = Codes.from_real(np.array([[0.0, -0.0, 1e-30], [-1.0, 2.0, 0.0]]))
    np.testing.assert_array_equal(codes.unpack(), [[0, 0, 1], [0, 1, 0]])
    assert codes.zeros == 3
    assert codes.relaxed is not None
    assert codes.relaxed.dtype == np.float32
    assert Codes.from_real(np.ones((2, 3)), keep_relaxed=False).relaxed is None


def test_relaxed_outputs_are_a_copy() -> None:
    outputs = np.ones((1, 2), np.float32)
    codes = Codes.from_real(outputs)
    outputs[:] = -1
    assert codes.relaxed is not None
    assert (codes.relaxed == 1).all()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Codes.from_real(np.array([[np.nan, 1.0]])), "diverged"),
        (lambda: Codes.from_real(np.ones(3)), "shape"),
        (lambda: Codes.from_bits(np.array([[0, 1, 2]])), "0/1 or -1"),
        (lambda: Codes.from_bits(np.array([[-1, 0, 1]])), "0/1 or -1"),
        (lambda: Codes.from_bits(np.array([[0.5]])), "0/1 or -1"),
        (lambda: Codes.from_bits(np.ones(3)), r"\(n, bits\)"),
        (lambda: Codes(np.zeros((2, 1), np.uint8), 9), r"\(n, 2\)"),
        (lambda: Codes(np.zeros((2, 1), np.int64), 8), "uint8"),
        (lambda: Codes(np.zeros((2, 0), np.uint8), 0), "at least 1 bit"),
        (lambda: Codes(np.full((2, 1), 0b10000, np.uint8), 4), "rest of the last byte"),
        (lambda: Codes(np.zeros((2, 1), np.uint8), 8, np.zeros((2, 7), np.float32)), "relaxed"),
        (lambda: Codes.concatenate([]), "one or more"),
        (
            lambda: Codes.concatenate([Codes.from_bits(np.ones((1, n))) for n in (3, 4)]),
            "same number of bits",
        ),
    ],
)
def test_what_is_no_code_is_refused(make, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def test_concatenate_keeps_order_relaxed_outputs_and_zeros() -> None:
    outputs = np.array([[1.0, 0.0], [-1.0, 1.0], [0.0, 0.0]])
    whole = Codes.from_real(outputs)
    parts = Codes.concatenate([Codes.from_real(outputs[:1]), Codes.from_real(outputs[1:])])
    np.testing.assert_array_equal(parts.packed, whole.packed)
    np.testing.assert_array_equal(parts.relaxed, whole.relaxed)
    assert parts.zeros == whole.zeros == 3
    without = Codes.from_real(outputs, keep_relaxed=False)
    assert Codes.concatenate([whole, without]).relaxed is None


# --- items


def _train(n: int = 6) -> TrainItems:
    features = np.arange(2.0 * n).reshape(n, 2)
    return train_from_features(features, np.eye(n, dtype=int))


def test_subsets_of_subsets_follow_rows_and_labels() -> None:
    train = _train()
    part = train.subset([4, 2, 0]).subset([1, 2])
    assert ids_of(part) == ["array/2", "array/0"]
    np.testing.assert_array_equal(part.features(), [[4, 5], [0, 1]])
    np.testing.assert_array_equal(part.labels.argmax(axis=1), [2, 0])
    assert isinstance(part, TrainItems)


def test_batches_are_consecutive_and_whole() -> None:
    parts = list(_train(7).batches(3))
    assert [len(part) for part in parts] == [3, 3, 1]
    np.testing.assert_array_equal(
        np.concatenate([part.features() for part in parts]), _train(7).features()
    )


def test_features_are_a_copy_so_that_a_method_cannot_change_the_cache() -> None:
    table = np.ones((3, 2), np.float32)
    items = items_from_features(table)
    items.features()[:] = 7
    assert (table == 1).all()
    assert items.features().dtype == np.float32


def test_what_a_hasher_encodes_has_no_labels() -> None:
    seen = _train().without_labels()
    assert not hasattr(seen, "labels")
    np.testing.assert_array_equal(seen.features(), _train().features())


def test_items_without_backbone_or_pixels_say_so() -> None:
    items = items_from_features(np.ones((2, 2)))
    with pytest.raises(RuntimeError, match="array/1 is a row of features and has no image"):
        items.image(1)
    with pytest.raises(RuntimeError, match="with_features"):
        items.with_features(None).features()  # type: ignore[arg-type]


@pytest.mark.parametrize("labels", [np.ones(3, int), np.ones((2, 3), int)])
def test_labels_must_match_the_items(labels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\(3, classes\)"):
        train_from_features(np.ones((3, 2)), labels)


# --- seeds, runtime, hyper-parameters


def test_seeds_are_fixed_for_ever() -> None:
    # Stored results name their seeds: another value here would orphan them all.
    assert derive(0, "method") == 2425453522
    assert derive(0, "split", 1) == derive(0, "split", "1")


@given(st.integers(0, 2**31), st.integers(0, 2**31), st.text(max_size=5), st.text(max_size=5))
def test_seeds_of_different_uses_differ(a: int, b: int, one: str, two: str) -> None:
    assert 0 <= derive(a, one) < 2**32
    assert (derive(a, one) == derive(b, two)) == ((a, one) == (b, two))


def test_a_runtime_ends_with_its_block_even_when_it_fails() -> None:
    outer = current()

    def fail_inside() -> None:
        with use(Runtime(threads=3)):
            raise KeyError(current().threads)

    with pytest.raises(KeyError, match="3"):
        fail_inside()
    assert current() is outer


def test_hyperparameters_are_keywords_without_bits_and_seed() -> None:
    class Method:
        def __init__(self, bits: int = 8, seed: int = 0, gamma: float = 2.0, *, flag=None): ...

    assert hyperparameters(Method) == {"gamma": 2.0, "flag": None}  # type: ignore[arg-type]


# --- what users type


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("16,32", (16, 32)), ("0-2", (0, 1, 2)), (" 3 ,1-3,", (3, 1, 2)), ("7", (7,))],
)
def test_numbers_as_users_write_them(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_numbers(text, "--bits", low=0, high=100) == numbers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("16,x", "'x' in --seeds is not a whole number"),
        ("-5", "'-5' in --seeds is not a whole number"),
        ("1.5", "'1.5' in --seeds"),
        ("5-2", "'5-2' in --seeds is out of range"),
        ("0-2000000000", "at most 10000 numbers"),
        ("", "--seeds is empty"),
        (",,", "--seeds is empty"),
    ],
)
def test_what_is_no_list_of_numbers_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_numbers(text, "--seeds", low=0, high=2**31 - 1)


def test_names_lose_blanks_and_repetitions_but_not_their_order() -> None:
    assert parse_names(" b, a,,b") == ("b", "a")
    assert parse_names(["x", " y"]) == ("x", "y")
    assert parse_names("") == ()


def test_unknown_names_come_with_the_nearest() -> None:
    assert "did you mean hashnet?" in str(unknown("method", "hasnet", ["dch", "hashnet"]))
    assert "known: dch, hashnet." in str(unknown("method", "zzz", ["hashnet", "dch"]))
    assert "none is known" in str(unknown("method", "dch", []))
    many = [f"resnet{number}" for number in range(1300)]
    said = str(unknown("network", "zzz", many, "hashbench parts"))
    assert said.endswith("none of the 1,300 known names is like it: `hashbench parts` lists them.")
