import numpy as np
import pytest
from scipy.linalg import eigh, orthogonal_procrustes

from hashbench.baselines.itq_cca import ITQCCA, cca_directions
from hashbench.baselines.rotation import itq_rotation
from hashbench.errors import InputError


@pytest.mark.parametrize("data", ["digits", "multilabel"])
def test_directions_solve_the_generalised_eigenproblem(data, request):
    fixture = request.getfixturevalue(data)
    train = fixture.train if data == "digits" else fixture
    X = train.features().astype(np.float64)
    X -= X.mean(axis=0)
    Y = train.labels.astype(np.float64)
    n, d = X.shape
    ridge, count = 0.3, 4
    directions, correlations = cca_directions(X, train.labels, ridge, count)
    # Straight from the definition, with (d, d) matrices on both sides.
    cross = X.T @ Y
    left = cross @ np.linalg.inv(Y.T @ Y + 1e-4 * np.eye(Y.shape[1])) @ cross.T
    right = X.T @ X + n * ridge * np.eye(d)
    values, vectors = eigh(left, right, subset_by_index=[d - count, d - 1])
    np.testing.assert_allclose(correlations**2, values[::-1], rtol=1e-8)
    np.testing.assert_allclose(directions.T @ right @ directions, n * np.eye(count), atol=1e-6 * n)
    for k in range(count):
        reference = vectors[:, ::-1][:, k] * np.sqrt(n)
        sign = np.sign(reference @ directions[:, k])
        np.testing.assert_allclose(directions[:, k], sign * reference, rtol=1e-6, atol=1e-8)


def test_directions_without_correlation_are_left_out(digits):
    X = digits.X[:600] - digits.X[:600].mean(axis=0)
    _, correlations = cca_directions(X, digits.Y[:600], 1.0, 64)
    assert len(correlations) == 9  # ten classes, less one for centring
    assert (np.diff(correlations) <= 0).all()


def test_directions_are_scaled_by_their_correlations(digits):
    # The trap: dividing by them, or leaving them out, changes the codes at once.
    hasher = ITQCCA(bits=16).fit(digits.train)
    X = hasher.scaler_.transform(digits.train.features()).astype(np.float64)
    directions, correlations = cca_directions(X, digits.Y[:600], 1.0, 16)
    gram = hasher.projection_ @ hasher.projection_.T
    expected = (directions * correlations**2) @ directions.T
    np.testing.assert_allclose(gram, expected, rtol=1e-4, atol=1e-6)


def test_the_published_ridge_is_that_of_the_sums(digits):
    hasher = ITQCCA(bits=8, ridge="published").fit(digits.train)
    X = digits.X[:600]
    X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)
    Y = digits.Y[:600].astype(np.float64)
    # The authors' problem: 1e-4 on the diagonals of X^T X and Y^T Y.
    left = X.T @ Y @ np.linalg.inv(Y.T @ Y + 1e-4 * np.eye(10)) @ Y.T @ X
    values = eigh(left, X.T @ X + 1e-4 * np.eye(64), eigvals_only=True)
    np.testing.assert_allclose(hasher.correlations_**2, values[::-1][:8], rtol=1e-6)
    by_value = ITQCCA(bits=8, ridge=1e-4 / 600).fit(digits.train)
    np.testing.assert_array_equal(hasher.projection_, by_value.projection_)
    with pytest.raises(InputError, match=r"itq-cca\.ridge must be a number above 0 or 'published'"):
        ITQCCA(ridge="publisht").fit(digits.train)


def test_bits_beyond_the_classes_do_no_harm(digits):
    short = digits.mean_average_precision(ITQCCA(bits=16).fit(digits.train))
    long = digits.mean_average_precision(ITQCCA(bits=128).fit(digits.train))
    assert long > short


def test_the_rotation_is_the_procrustes_solution_in_the_right_orientation():
    # The trap: the transposed rotation still works a little, and so hides.
    V = np.random.default_rng(0).normal(size=(200, 6)) * [3, 2.5, 2, 1.5, 1, 0.5]
    first, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))
    B = np.where(V @ first > 0, 1.0, -1.0)
    expected, _ = orthogonal_procrustes(V, B)
    rotation, history = itq_rotation(V, 6, 1, np.random.default_rng(1))
    np.testing.assert_allclose(rotation, expected, atol=1e-12)
    assert history[0] == pytest.approx(np.sum((B - V @ expected) ** 2))
    assert history[0] < np.sum((B - V @ expected.T) ** 2) * 0.95


def test_low_rank_outputs_equal_outputs_padded_with_zeros():
    V = np.random.default_rng(0).normal(size=(50, 3))
    padded = np.hstack([V, np.zeros((50, 5))])
    rotation, history = itq_rotation(V, 8, 20, np.random.default_rng(4))
    whole, reference = itq_rotation(padded, 8, 20, np.random.default_rng(4))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(V @ rotation, padded @ whole, atol=1e-9)
    np.testing.assert_allclose(history, reference)


@pytest.mark.parametrize("bits", [4, 16, 64])
def test_the_objective_never_rises(bits, digits):
    history = ITQCCA(bits=bits).fit(digits.train).objective_
    assert len(history) == 50
    assert (np.diff(history) <= 1e-9 * history[0]).all()
    assert history[-1] < history[0]


def test_codes_are_centred_by_the_training_mean(digits):
    hasher = ITQCCA(bits=16).fit(digits.train)
    outputs = hasher.decision_function(digits.train.features())
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-5)
    X = digits.X[:600]
    one, shifted = (
        ITQCCA(bits=16).fit(X, digits.Y[:600]),
        ITQCCA(bits=16).fit(X + 9, digits.Y[:600]),
    )
    np.testing.assert_allclose(
        shifted.decision_function(digits.X[600:] + 9),
        one.decision_function(digits.X[600:]),
        atol=1e-6,
    )
