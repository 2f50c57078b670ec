import itertools

import numpy as np
import pytest

from hashbench.baselines.base import token_order
from hashbench.baselines.kernel import AnchorKernel
from hashbench.baselines.sdh import SDH, discrete_descent


def objective(B, Q, A):
    return np.trace(B @ A @ B.T) - 2 * np.trace(B @ Q.T)


@pytest.fixture
def problem():
    generator = np.random.default_rng(0)
    W = generator.normal(size=(4, 3))
    return generator.choice([-1.0, 1.0], (30, 4)), generator.normal(size=(30, 4)), W @ W.T


def test_each_bit_step_is_the_published_update(problem):
    B, Q, A = problem
    expected = B.copy()
    for k in range(4):  # equation 11, from its definition
        rest = [other for other in range(4) if other != k]
        for i in range(30):
            z = Q[i, k] - sum(expected[i, other] * A[other, k] for other in rest)
            expected[i, k] = 1.0 if z > 0 else -1.0
    np.testing.assert_array_equal(discrete_descent(B, Q, A, sweeps=1), expected)


def test_descent_falls_to_codes_no_single_bit_improves(problem):
    B, Q, A = problem
    values = [objective(discrete_descent(B, Q, A, sweeps), Q, A) for sweeps in range(10)]
    assert (np.diff(values) <= 1e-9).all()
    assert values[-1] < values[0]
    found = discrete_descent(B, Q, A, 50)
    for i, k in itertools.product(range(30), range(4)):
        flipped = found.copy()
        flipped[i, k] *= -1
        assert objective(flipped, Q, A) >= values[-1] - 1e-9


def test_descent_finds_the_best_of_all_codes_where_bits_hardly_interact(problem):
    B, Q, A = problem
    A = A * 0.02
    corners = np.array(list(itertools.product([-1.0, 1.0], repeat=4)))
    best = sum(min(objective(c[None], q[None], A) for c in corners) for q in Q)
    found = objective(discrete_descent(B, Q, A, 50), Q, A)
    assert best - 1e-9 <= found < best + 0.01 * abs(best)


def test_a_zero_is_minus_one():
    found = discrete_descent(np.ones((2, 2)), np.zeros((2, 2)), np.zeros((2, 2)), 3)
    np.testing.assert_array_equal(found, -np.ones((2, 2)))


@pytest.mark.parametrize("fit_weight", [1e-5, 1e-2, 1.0])
def test_the_objective_never_rises(fit_weight, digits, multilabel):
    for train in (digits.train, multilabel):
        hasher = SDH(bits=24, fit_weight=fit_weight, iterations=8, tolerance=0.0).fit(train)
        history = np.array(hasher.objective_)
        assert len(history) >= 2
        assert (np.diff(history) <= 1e-9 * history[0]).all()


def test_every_item_is_encoded_by_the_hash_function(digits):
    # The trap: using the B of training as the codes of the database.
    hasher = SDH(bits=16).fit(digits.train)
    X = digits.train.features()
    phi = np.hstack([hasher.kernel_(X), np.ones((600, 1))])
    expected = phi @ hasher.projection_ > 0
    np.testing.assert_array_equal(hasher.encode(digits.train).unpack(), expected)
    assert not hasattr(hasher, "codes_")


def test_the_hash_function_is_fitted_to_the_last_codes(digits, monkeypatch):
    # The trap: P solved before the last B step belongs to other codes.
    found = []

    def recorded(*arguments):
        found.append(discrete_descent(*arguments))
        return found[-1]

    monkeypatch.setattr("hashbench.baselines.sdh.discrete_descent", recorded)
    hasher = SDH(bits=16, anchors=50, fit_weight=1.0, iterations=3, tolerance=0.0)
    hasher.fit(digits.X[:600], digits.Y[:600])
    first, last = found[0], found[-1]
    assert not np.array_equal(first, last)
    X = digits.X[:600][token_order(digits.train)]
    phi = np.hstack([hasher.kernel_(X), np.ones((600, 1))])
    expected = np.linalg.solve(phi.T @ phi + hasher.ridge * np.eye(51), phi.T @ last)
    np.testing.assert_allclose(hasher.projection_, expected, rtol=1e-6, atol=1e-9)


def test_the_bandwidth_follows_the_mean_squared_distance(digits):
    X = digits.train.features().astype(np.float64)
    kernel = AnchorKernel(X, 20, 0.5, np.random.default_rng(0))
    Z = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)
    Z /= np.linalg.norm(Z, axis=1, keepdims=True)
    squared = ((Z[:, None] - kernel.anchors[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(kernel(X), np.exp(-squared / (2 * 0.25 * squared.mean())))
    assert len(kernel) == 20
