"""Codewords of classes: as far apart as promised, and the same wherever they are made."""

import hashlib
from itertools import combinations

import numpy as np
import pytest

from hashbench.codebooks import certain_distance, codebook, hadamard, minimum_distance

LENGTHS = (12, 16, 24, 32, 36, 48, 64, 128)


def nearest_two(codes):
    return min(int((one != two).sum()) for one, two in combinations(codes, 2))


@pytest.mark.parametrize("order", [1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 64, 72, 96, 128])
def test_rows_of_a_hadamard_matrix_are_orthogonal(order):
    made = hadamard(order).astype(int)
    assert set(np.unique(made)) <= {-1, 1}
    np.testing.assert_array_equal(made @ made.T, order * np.eye(order, dtype=int))


@pytest.mark.parametrize("order", [-4, 0, 3, 6, 10, 14, 18, 22, 30, 33, 50])
def test_an_order_without_one_has_none(order):
    assert hadamard(order) is None


@pytest.mark.parametrize("bits", LENGTHS)
@pytest.mark.parametrize("seed", [0, 7])
def test_up_to_twice_the_length_classes_are_half_the_length_apart(bits, seed):
    for classes in (3, 10, 21, bits, bits + 1, 2 * bits):
        codes = codebook(classes, bits, seed)
        assert codes.shape == (classes, bits)
        assert set(np.unique(codes)) == {-1, 1}
        assert nearest_two(codes) == bits // 2


@pytest.mark.parametrize("bits", LENGTHS)
def test_hardly_a_bit_is_the_same_for_all_of_ten_classes(bits):
    for seed in range(5):
        assert (np.abs(codebook(10, bits, seed).astype(int).sum(0)) < 10).mean() > 0.9


#: What more than 2K classes keep at least, for each length and number of classes.
FAR = {
    (12, 25): 3, (12, 81): 2, (16, 33): 5, (16, 100): 4, (24, 49): 8, (24, 100): 7,
    (32, 65): 11, (32, 100): 11, (36, 73): 13, (36, 100): 12, (48, 97): 17, (48, 100): 17,
    (64, 129): 24, (64, 200): 23, (128, 257): 52, (128, 300): 51,
}  # fmt: skip


@pytest.mark.parametrize(("bits", "classes"), FAR)
def test_more_classes_stay_far_apart(bits, classes):
    for seed in (0, 1):
        codes = codebook(classes, bits, seed)
        assert len(np.unique(codes, axis=0)) == classes
        assert nearest_two(codes) >= max(FAR[bits, classes], certain_distance(classes, bits))


@pytest.mark.parametrize(("bits", "classes", "far"), [(33, 2, 33), (33, 10, 15), (5, 3, 2)])
def test_lengths_without_a_hadamard_matrix(bits, classes, far):
    assert nearest_two(codebook(classes, bits)) >= far


@pytest.mark.parametrize("classes", [1, 2, 5, 300])
def test_one_bit_has_a_codeword_for_each_class_all_the_same(classes):
    codes = codebook(classes, 1)
    assert codes.shape == (classes, 1)
    assert len(np.unique(codes)) == min(classes, 2) or classes > 2


def test_a_code_of_every_word_is_found_to_the_last():
    assert len(np.unique(codebook(250, 8), axis=0)) == 250


def test_the_certain_distance_is_gilberts_and_varshamovs():
    # 1 + 16 + 120 + 560 = 697 words within 3 of a word; 94 of such balls are not all of 2^16.
    assert certain_distance(94, 16) == 4
    assert certain_distance(96, 16) == 3
    assert certain_distance(2**16, 16) == 0


def test_the_smallest_distance():
    codes = np.array([[1, 1, 1, 1], [1, -1, -1, 1], [-1, -1, -1, 1]], np.int8)
    assert minimum_distance(codes) == 1
    assert minimum_distance(codes[:2]) == 2
    assert minimum_distance(codes[:1]) == 4


@pytest.mark.parametrize(
    ("classes", "bits", "digest"),
    [(10, 48, "458770a8952eb370"), (100, 16, "5a653d8539e6a0ef")],
)
def test_it_is_the_same_everywhere(classes, bits, digest):
    text = codebook(classes, bits, seed=3).tobytes()
    assert hashlib.sha256(text).hexdigest()[:16] == digest
    assert codebook(classes, bits, seed=4).tobytes() != text
