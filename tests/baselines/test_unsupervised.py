"""PCAH, ITQ and SH against their formulae; the floor of signs."""

import numpy as np
import pytest

from hashbench.baselines.itq import ITQ
from hashbench.baselines.pcah import PCAH
from hashbench.baselines.principal import principal_directions
from hashbench.baselines.sh import SH, smallest_modes
from hashbench.baselines.sign import Sign


@pytest.mark.parametrize("shape", [(200, 7), (6, 30)], ids=["more items", "more features"])
def test_principal_directions_are_those_of_the_singular_value_decomposition(shape):
    X = np.random.default_rng(0).normal(size=shape) * np.linspace(3, 1, shape[1]) + 5
    mean, directions = principal_directions(X.astype(np.float32), 4)
    _, _, reference = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(mean, X.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(np.abs(reference[:4] @ directions), np.eye(4), atol=1e-4)
    assert (directions.max(axis=0) >= -directions.min(axis=0)).all()


def test_directions_without_variance_are_left_out():
    X = np.random.default_rng(0).normal(size=(50, 3)) @ np.random.default_rng(1).normal(size=(3, 9))
    assert principal_directions(X, 8)[1].shape == (9, 3)
    assert principal_directions(np.ones((5, 4)), 2)[1].shape == (4, 0)


def test_pcah_bits_are_the_signs_of_the_components_and_zero_beyond_the_rank():
    generator = np.random.default_rng(0)
    X = (generator.normal(size=(80, 3)) * [5, 2, 1]) @ generator.normal(size=(3, 6)) + 1
    hasher = PCAH(bits=5).fit(X)
    _, _, reference = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    components = (X - X.mean(axis=0)) @ reference[:3].T
    bits = hasher.transform(X)
    for k in range(3):
        agree = np.mean(bits[:, k] == (components[:, k] > 0))
        assert agree in (0.0, 1.0)  # a direction has two signs
    assert not bits[:, 3:].any()


def test_itq_rotates_orthonormal_directions_and_its_objective_never_rises(digits):
    hasher = ITQ(bits=16).fit(digits.train)
    np.testing.assert_allclose(hasher.projection_.T @ hasher.projection_, np.eye(16), atol=1e-9)
    history = np.array(hasher.objective_)
    assert len(history) == 50
    assert (np.diff(history) <= 1e-9 * history[0]).all()
    assert history[-1] < 0.999 * history[0]
    outputs = hasher.decision_function(digits.train.features())
    codes = np.where(outputs > 0, 1, -1)
    # The objective is of the codes before the last rotation: no code can be nearer than the signs.
    assert np.sum((codes - outputs) ** 2) <= history[-1] * (1 + 1e-6)
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-4)


def test_itq_spreads_few_components_over_all_bits():
    X = np.random.default_rng(0).normal(size=(100, 3))
    hasher = ITQ(bits=12).fit(X)
    np.testing.assert_allclose(hasher.projection_ @ hasher.projection_.T, np.eye(3), atol=1e-9)
    assert (hasher.transform(X).std(axis=0) > 0).all()


def test_sh_bits_are_the_published_functions(digits):
    X = digits.train.features().astype(np.float64)
    hasher = SH(bits=24).fit(digits.train)
    _, _, reference = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    values = (X - X.mean(axis=0)) @ reference[:24].T
    values *= np.sign(np.sum((reference[:24] @ hasher.directions_) * np.eye(24), axis=0))
    low, high = values.min(axis=0), values.max(axis=0)
    modes = [(k * np.pi / (high[i] - low[i]), i) for i in range(24) for k in range(1, 30)]
    chosen = sorted(modes)[:24]
    assert len({i for _, i in chosen}) < 24  # some side has a second mode
    expected = np.stack(
        [np.sin(np.pi / 2 + omega * (values[:, i] - low[i])) for omega, i in chosen], axis=1
    )
    outputs = hasher.decision_function(digits.train.features())
    np.testing.assert_allclose(outputs, expected, atol=1e-3)


def test_sh_functions_are_eigenfunctions_of_a_side_with_its_ends_free():
    # -f'' = (k pi / r)^2 f and f' = 0 at both ends: the Laplacian of an interval.
    sides, frequencies = smallest_modes(np.array([2.0, 0.7]), 6)
    assert sides.tolist() == [0, 0, 1, 0, 0, 0]
    x = np.linspace(0, 2, 4001)
    for omega in frequencies[sides == 0]:
        f = np.cos(omega * x)
        second = np.gradient(np.gradient(f, x), x)
        np.testing.assert_allclose(-second[2:-2], omega**2 * f[2:-2], atol=1e-3 * omega**2)
        np.testing.assert_allclose(np.gradient(f, x)[[0, -1]], 0, atol=0.01 * omega)


def test_sh_of_items_without_variance_gives_zero_bits():
    assert (
        not SH(bits=4)
        .fit(np.ones((5, 3)))
        .transform(np.random.default_rng(0).normal(size=(4, 3)))
        .any()
    )


def test_sign_takes_features_that_vary_once_each():
    X = np.random.default_rng(0).normal(size=(40, 6))
    X[:, 2] = 7.0
    hasher = Sign(bits=5).fit(X)
    taken = np.argmax(hasher.projection_, axis=0)
    assert sorted(taken) == [0, 1, 3, 4, 5]
    np.testing.assert_array_equal(hasher.transform(X), (X.mean(axis=0) < X)[:, taken])


def test_sign_with_more_bits_than_features_goes_on_with_hyperplanes():
    X = np.random.default_rng(0).normal(size=(40, 6))
    bits = Sign(bits=9).fit(X).transform(X)
    features = (X.mean(axis=0) < X).T.tolist()
    assert sorted(bits[:, :6].T.tolist()) == sorted([int(b) for b in row] for row in features)
    assert all(column.tolist() not in features for column in bits[:, 6:].T > 0)
