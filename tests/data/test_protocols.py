import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashbench.data.protocols import Protocol, permutation
from hashbench.errors import InputError


def one_hot(counts: list[int]) -> np.ndarray:
    return np.eye(len(counts), dtype=np.uint8)[np.repeat(np.arange(len(counts)), counts)]


@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_parts_partition_the_images(per_query, per_train, inside, balanced, seed):
    labels = one_hot([10, 12, 9])
    protocol = Protocol("p", 3 * per_query, 3 * per_train, inside, "", balanced=balanced)
    query, train, database = protocol.draw(labels, seed)
    assert len(query) == 3 * per_query
    assert len(train) == 3 * per_train
    assert not set(query) & set(database)
    assert not set(query) & set(train)
    assert set(train) <= set(database) if inside else not set(train) & set(database)
    assert sorted({*query, *train, *database}) == list(range(31))
    for part in (query, train, database):
        assert len(set(part)) == len(part)
    if balanced:
        assert labels[query].sum(axis=0).tolist() == [per_query] * 3
        assert labels[train].sum(axis=0).tolist() == [per_train] * 3


def test_training_set_is_the_database_when_no_number_is_given():
    query, train, database = Protocol("p", 4, None, True, "").draw(one_hot([10, 10]), 0)
    assert np.array_equal(train, database)
    assert len(query) + len(train) == 20


def test_protocols_of_the_same_sizes_share_queries_and_training_images():
    labels = one_hot([50, 50])
    outside = Protocol("a", 10, 20, False, "", balanced=True).draw(labels, 3)
    inside = Protocol("b", 10, 20, True, "", balanced=True).draw(labels, 3)
    assert np.array_equal(outside[0], inside[0])
    assert np.array_equal(outside[1], inside[1])
    assert len(inside[2]) - len(outside[2]) == 20


def test_no_part_is_sorted_by_class():
    labels = one_hot([100] * 5)
    for part in Protocol("p", 50, 100, False, "", balanced=True).draw(labels, 0):
        classes = labels[part].argmax(axis=1)
        assert np.count_nonzero(np.diff(classes)) > len(part) // 2


def test_seeds_differ_and_repeat():
    labels = one_hot([40, 40])
    protocol = Protocol("p", 10, 20, False, "")
    first, again, other = (protocol.draw(labels, seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_balance_of_images_with_several_labels_serves_the_rare_class_first():
    labels = np.array([[1, 0]] * 20 + [[1, 1]] * 4, dtype=np.uint8)
    query, train, _database = Protocol("p", 4, 4, True, "", balanced=True).draw(labels, 0)
    assert labels[query, 1].sum() == 2
    assert labels[train, 1].sum() == 2


@pytest.mark.parametrize(
    ("protocol", "counts", "says"),
    [
        (Protocol("p", 5, 5, False, ""), [5, 5], "needs more than 10 images"),
        (Protocol("p", 3, 2, False, "", balanced=True), [10, 10], "equal parts"),
        (Protocol("p", 8, 8, False, "", balanced=True), [30, 3], "images of class 1"),
    ],
)
def test_data_that_cannot_fill_a_protocol_is_refused(protocol, counts, says):
    with pytest.raises(InputError, match=says):
        protocol.draw(one_hot(counts), 0)


def test_the_random_order_is_pinned():
    # Splits of every stored result hang on this stream: it may never change.
    order = permutation(1000, 42)
    assert sorted(order) == list(range(1000))
    digest = hashlib.sha256(order.astype("<i8").tobytes()).hexdigest()
    assert digest == "609f2253223806dd85c0ae3df8829b94159de8395861389341ff78ef32f0b547"
