"""What Python users may give for arrays, positions, codes and items."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

import hashbench
from hashbench.codes import Codes
from hashbench.errors import InputError, shown
from hashbench.given import positions
from hashbench.items import items_from_features, train_from_features
from hashbench.registries import methods

X = np.array([[0.0, 5.0], [1.0, 3.0], [2.0, 1.0], [3.0, 2.0]], np.float32)
CODES = Codes.from_bits(np.array([[0, 1], [1, 1], [1, 0], [0, 0]]))


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("never shown")


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([2, 0], [2, 0]),
        (range(2), [0, 1]),
        (slice(1, 3), [1, 2]),
        (np.array([-1], np.int8), [3]),
        (torch.tensor([1, 1]), [1, 1]),
        ([False, True, False, True], [1, 3]),
        ([], []),
    ],
)
def test_positions_and_masks_choose_the_same_of_codes_and_items(rows, found) -> None:
    assert (positions(rows, 4) % 4).tolist() == found
    assert CODES.subset(rows).unpack().tolist() == CODES.unpack()[found].tolist()
    assert items_from_features(X).subset(rows).features().tolist() == X[found].tolist()
    train = train_from_features(X, np.eye(4, dtype=int)).subset(rows)
    assert train.labels.tolist() == np.eye(4, dtype=int)[found].tolist()


@pytest.mark.parametrize("rows", [[4], [-5], [0.5], [True], [[1, 2]], 1, None, "0", [[1], [2, 3]]])
def test_other_positions_are_refused(rows) -> None:
    with pytest.raises(InputError, match="positions"):
        CODES.subset(rows)
    with pytest.raises(InputError, match="positions"):
        items_from_features(X).subset(rows)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Codes(None, 8), "packed codes must be an array, got a NoneType"),
        (lambda: Codes(np.zeros((2, 1), np.uint8), 8.0), "bits must be a whole number, got 8.0"),
        (lambda: Codes(CODES.packed, 2, [[1, 2]]), "relaxed outputs must be an array"),
        (lambda: Codes(CODES.packed, 2, None, 1), "at_zero must be an array"),
        (lambda: Codes.from_real(X.astype("m8[s]")), "real numbers"),
        (lambda: Codes.from_real([[1], [1, 2]]), "real outputs are no array"),
        (lambda: Codes.from_bits(np.ma.array(X > 1, mask=X > 2)), "masked"),
        (lambda: Codes.from_bits(CODES.unpack() + 0j), "0/1 or -1"),
        (lambda: Codes.concatenate(CODES), "a list of Codes"),
        (lambda: items_from_features(X[0]), r"features must be numbers \(n, dim\)"),
        (lambda: items_from_features(X.astype(str)), "features must be numbers"),
        (lambda: train_from_features(X, 2 * np.eye(4)), "only 0 and 1"),
        (lambda: train_from_features(X, np.eye(4) - 1), "only 0 and 1"),
        (lambda: list(items_from_features(X).batches(-1)), "from 1, not -1"),
        (lambda: list(items_from_features(X).batches("2")), "from 1, not 2"),
        (lambda: train_from_features(X, np.eye(3)), r"\(4, classes\)"),
        (lambda: hashbench.Convention.parse(None), "a text such as house, got None"),
        (lambda: hashbench.Convention.parse_list([1]), r"a text such as house, got \[1\]"),
        (lambda: hashbench.Convention.parse("house(=2)"), "choice of a convention '':"),
        (lambda: hashbench.Convention(order=X), "unknown choice of order 'array"),
        (lambda: hashbench.Convention(radius=X), "whole number, got array"),
        (lambda: hashbench.Metric(name=1, title="t", value=len), "'1' is no name of a metric"),
        (lambda: hashbench.Metric(name="a", title=1, value=len), "title of metric 'a'"),
        (lambda: hashbench.Metric(name="a", title="t", value=3), "value of metric 'a' must be a f"),
        (lambda: hashbench.Metric(name="a", title="t", value=len, better="up"), "direction of met"),
        (lambda: hashbench.evaluate(X > 1, X > 1, [0] * 4, [0] * 4, relaxed=3), "two arrays"),
        (lambda: hashbench.evaluate(X > 1, X > 1, [0] * 4, [0] * 4, relaxed=X > 1), "two arrays"),
    ],
)
def test_what_is_none_of_them_is_one_sentence(make, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:  # of which InputError is one
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["dch", "pcah", "itq-cca"])
@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda method: method.fit(items_from_features(X), [0, 0, 1, 1]), "TrainItems"),
        (lambda method: method.fit(np.ma.array(X, mask=X > 2), [0, 0, 1, 1]), "masked"),
        (lambda method: method.fit(X, [0, 0, 1, 1]).encode(X), r"transform\(X\) takes arrays"),
    ],
)
def test_methods_say_what_they_take(name: str, call, says: str) -> None:
    with pytest.raises(InputError, match=says):
        call(methods().get(name)(bits=2))


@pytest.mark.parametrize("name", ["dch", "itq-cca"])
@pytest.mark.parametrize("y", [np.zeros((4, 1, 2)), np.zeros((4, 0)), [0.5, 1, 2, 3]])
def test_methods_refuse_what_is_no_label(name: str, y) -> None:
    with pytest.raises(ValueError, match="labels"):
        methods().get(name)(bits=2).fit(X, y)


def test_items_of_arrays_can_be_sent_elsewhere() -> None:
    train = pickle.loads(pickle.dumps(train_from_features(X, np.eye(4)).subset([2, 0])))
    assert train.features().tolist() == X[[2, 0]].tolist()
    assert train.labels.argmax(axis=1).tolist() == [2, 0]


def test_methods_take_tensors_that_have_gradients() -> None:
    tensor = torch.from_numpy(X.copy()).requires_grad_()
    made = methods().get("pcah")(bits=2).fit(tensor)
    assert made.transform(tensor).tolist() == made.transform(X).tolist()


def test_what_cannot_be_shown_is_named_by_its_type() -> None:
    assert shown(Unprintable()) == "a Unprintable that cannot be shown"
    assert shown(np.zeros((2, 1))) == "array([[0.], [0.]])"
    assert (shown(""), shown(ValueError())) == ("", "ValueError")
