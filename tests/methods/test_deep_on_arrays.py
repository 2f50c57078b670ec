"""Deep methods on plain arrays, as scikit-learn's users call them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hashbench.errors import InputError
from hashbench.methods.dch import DCH
from hashbench.registries import methods
from hashbench.testing.toy import toy

DEEP = [name for name, cls in methods().parts().items() if cls.kind == "deep"]


@pytest.mark.parametrize("name", DEEP)
def test_arrays_give_the_codes_that_items_give(name) -> None:
    problem = toy()
    X, labels = problem.train.features(), problem.train.labels
    cls = methods().get(name)
    make = {"bits": 8, "seed": 2, **cls.test_params, "epochs": 2}
    want = cls(**make).fit(problem.train).encode(problem.query).unpack()
    queries = problem.query.features()
    for y in (labels, labels.argmax(1), np.array(list("dcba"))[labels.argmax(1)]):
        one = clone(cls(**make))
        assert one.fit(X, y) is one
        if y is labels or (y.dtype != object and y.dtype.kind != "U"):
            assert np.array_equal(one.transform(queries), want)
        assert np.array_equal(one.decision_function(queries) > 0, one.transform(queries) == 1)


@pytest.mark.parametrize("name", ["bihalf", "ssdh"])
def test_methods_without_labels_need_none(name) -> None:
    problem, cls = toy(), methods().get(name)
    X, make = problem.train.features(), {"bits": 8, **cls.test_params, "epochs": 1}
    labelled = cls(**make).fit(X, problem.train.labels)
    assert np.array_equal(cls(**make).fit(X).transform(X), labelled.transform(X))


def test_trainings_in_two_threads_take_turns() -> None:
    problem, training = toy(), []

    class Slow(methods().get("hyp2")):
        def loss(self, outputs, labels, step):
            training.append(threading.get_ident())
            time.sleep(0.005)  # where another thread would come in
            return super().loss(outputs, labels, step)

    def codes(_: int) -> bytes:
        return Slow(bits=8, epochs=3, batch_size=40).fit(problem.train).transform(X).tobytes()

    X = problem.query.features()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(codes, range(2)))
    assert len(found[0]) == 8 * len(X)
    assert found[0] == found[1] == codes(0)
    switches = sum(one != two for one, two in pairwise(training))
    assert len(set(training)) == 3
    assert switches == 2


def test_clones_are_equal_unfitted_and_settable() -> None:
    hasher = DCH(bits=12, seed=5, gamma=7.0, head="mlp")
    again = clone(hasher.fit(toy().train))
    assert again.get_params() == hasher.get_params()
    assert again.get_params()["gamma"] == 7.0
    with pytest.raises(RuntimeError, match="fit"):
        again.transform(np.zeros((2, 16)))
    assert again.set_params(bits=4, epochs=1) is again
    problem = toy()
    assert again.fit(problem.train).encode(problem.query).bits == 4
    with pytest.raises(ValueError, match="nonsense"):
        again.set_params(nonsense=1)
    with pytest.raises(InputError, match=r"dch\.gamma must be"):
        again.set_params(gamma=-1.0).fit(problem.train)


def test_it_is_a_step_of_a_pipeline() -> None:
    problem = toy()
    X, y = problem.train.features(), problem.train.labels.argmax(1)
    pipeline = make_pipeline(StandardScaler(), DCH(bits=8, epochs=3)).fit(X, y)
    codes = pipeline.transform(problem.query.features())
    assert codes.shape == (40, 8)
    assert set(np.unique(codes)) <= {0, 1}


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.eye(6), None, "learns from labels: call fit"),
        (np.eye(6), np.arange(5), "inconsistent numbers"),
        (np.eye(6), np.full((6, 2), 2), "multi-hot"),
        (np.full((6, 2), np.nan), np.arange(6), "NaN"),
        (np.zeros(6), np.arange(6), "1D array"),
        (np.zeros((0, 3)), np.zeros(0), "0 sample"),
    ],
)
def test_malformed_arrays_are_refused(X, y, words) -> None:
    with pytest.raises(ValueError, match=words):
        DCH(bits=4).fit(X, y)
