import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.optimize import check_grad

from hashbench.baselines.groups import LabelGroups
from hashbench.baselines.ksh import (
    KSH,
    Residual,
    _SpectralStart,
    _top_eigenvector,
    nesterov,
    smoothed,
)
from hashbench.items import train_from_features


@pytest.fixture
def toy(multilabel, similarity):
    """Kernel, residual after two bits, and the same residual as a dense matrix."""
    generator = np.random.default_rng(0)
    n, bits = len(multilabel), 6
    K = generator.normal(size=(n, 3))
    residual = Residual(LabelGroups.of(multilabel.labels), bits)
    start = _SpectralStart(K, residual)
    dense = bits * similarity(multilabel.labels)
    for _ in range(2):
        b = generator.choice([-1.0, 1.0], n)
        residual.subtract(b)
        start.subtract(K.T @ b)
        dense -= np.outer(b, b)
    return K, residual, start, dense / (bits * n**2)


def test_products_equal_those_of_the_dense_matrix(toy):
    K, residual, _, dense = toy
    np.testing.assert_allclose(residual.product(K), dense @ K, atol=1e-12)
    b = np.sign(K[:, 0])
    assert residual.agreement(b) == pytest.approx(b @ dense @ b)


def test_the_start_is_the_top_generalised_eigenvector(toy):
    K, _, start, dense = toy
    _, vectors = eigh(K.T @ dense @ K, K.T @ K)
    reference = vectors[:, -1] * np.sqrt(len(K))
    found = start.direction()
    np.testing.assert_allclose(found * np.sign(found @ reference), reference, rtol=1e-6)
    assert found @ (K.T @ K) @ found == pytest.approx(len(K))


def test_the_top_eigenvector_is_the_same_by_lanczos_and_where_that_fails():
    generator = np.random.default_rng(0)
    half = generator.normal(size=(60, 60))
    for matrix in (half + half.T, np.zeros((60, 60))):
        top = _top_eigenvector(matrix)
        values = np.linalg.eigvalsh(matrix)
        np.testing.assert_allclose(matrix @ top, values[-1] * top, atol=1e-8)
        assert np.linalg.norm(top) == pytest.approx(1)


def test_the_smoothed_objective_and_its_gradient(toy):
    K, residual, _, dense = toy
    objective = smoothed(residual)
    a = np.array([0.3, -0.8, 0.5])
    phi = 2 / (1 + np.exp(np.clip(-K @ a, -700, 700))) - 1
    assert objective(K @ a)[0] == pytest.approx(-phi @ dense @ phi)
    gradient = K.T @ objective(K @ a)[1]
    error = check_grad(lambda v: objective(K @ v)[0], lambda v: K.T @ objective(K @ v)[1], a)
    assert error < 1e-6 * np.linalg.norm(gradient)


def test_one_bit_mostly_comes_near_the_best_of_all_directions(multilabel):
    # Two anchors: every hash function is a direction in the plane. The descent is local.
    short = []
    for seed in range(7):
        hasher = KSH(bits=1, anchors=2, seed=seed).fit(multilabel)
        K = hasher.kernel_(multilabel.features()) - hasher.means_
        residual = Residual(LabelGroups.of(multilabel.labels), 1)
        angles = np.linspace(0, np.pi, 2000, endpoint=False)
        signs = [np.where(K @ [np.cos(t), np.sin(t)] > 0, 1.0, -1.0) for t in angles]
        scores = [residual.agreement(b) for b in signs]
        short.append((max(scores) - hasher.objective_[0]) / (max(scores) - min(scores)))
    assert np.median(short) < 0.1


def test_the_descent_finds_the_minimum_of_a_quadratic():
    K = np.random.default_rng(0).normal(size=(20, 3)) * [10, 2, 0.7]
    solution = np.array([1.0, -2.0, 3.0])
    z = K @ solution
    found = nesterov(lambda x: (float((x - z) @ (x - z)), 2 * (x - z)), K, np.zeros(3), 2000, 1e-14)
    np.testing.assert_allclose(found, solution, atol=1e-4)


def test_refinement_never_loses_to_the_start(digits):
    start = KSH(bits=1, iterations=0).fit(digits.train).objective_
    refined = KSH(bits=1).fit(digits.train).objective_
    assert refined[0] > start[0]


def test_the_codes_reconstruct_the_similarities_better_with_every_bit(digits, similarity):
    S = similarity(digits.Y[:600])
    hasher = KSH(bits=12).fit(digits.train)
    B = hasher.encode(digits.train).signs().astype(np.float64)
    errors = [np.sum((12 * S - B[:, :k] @ B[:, :k].T) ** 2) for k in range(1, 4)]
    assert (np.diff(errors) < 0).all()


def by_the_authors_rule(K, S, bits):
    """The sum over bits of b^T R b by the rule of the authors' loop, with a dense R.

    At most 500 steps of a length that only shrinks, ended where the cost moves by no
    more than 1e-2 n.
    """
    n = len(K)
    R = bits * S
    total = 0.0

    def cost(a):
        phi = 2 / (1 + np.exp(np.clip(-K @ a, -700, 700))) - 1
        return -phi @ R @ phi, -K.T @ ((R @ phi) * (1 - phi**2))

    for _ in range(bits):
        gram = K.T @ K
        _, vectors = eigh(K.T @ R @ K, gram + 1e-8 * np.trace(gram) / len(gram) * np.eye(len(gram)))
        start = vectors[:, -1]
        start = start * np.sqrt(n / (start @ K.T @ K @ start))
        current = previous = start
        value, inverse, before, now = cost(start)[0], 1.0, 0.0, 1.0
        for _ in range(500):
            point = current + (before - 1) / now * (current - previous)
            at_point, gradient = cost(point)
            for j in range(51):
                trial = point - gradient / (2.0**j * inverse)
                if cost(trial)[0] <= at_point - gradient @ gradient / (2 * 2.0**j * inverse):
                    break
            inverse *= 2.0**j
            previous, current = current, trial
            before, now = now, (1 + np.sqrt(1 + 4 * now**2)) / 2
            old, value = value, cost(current)[0]
            if abs(value - old) / n <= 1e-2:
                break
        found = [np.where(K @ a > 0, 1.0, -1.0) for a in (start, current)]
        best = max(found, key=lambda b: b @ R @ b)
        total += best @ R @ best
        R = R - np.outer(best, best)
    return total / (bits * n**2)


def test_the_objective_is_not_short_of_the_authors_rule(digits, similarity):
    train = digits.train.subset(range(250))
    hasher = KSH(bits=8, anchors=60).fit(train)
    kernel = hasher.kernel_(train.features()) - hasher.means_
    reference = by_the_authors_rule(kernel, similarity(train.labels), 8)
    assert sum(hasher.objective_) > 0.99 * reference
    short = KSH(bits=8, anchors=60, iterations=20, tolerance=1e-3).fit(train)
    assert sum(short.objective_) < 0.99 * reference


@pytest.mark.parametrize("count", [1, 8, 9, 30])
def test_products_by_lookup_equal_dense_ones(count):
    generator = np.random.default_rng(count)
    groups = LabelGroups.of((generator.random((40, 6)) < 0.3)[:count])
    v = generator.normal(size=count)
    expected = (2 * groups.similar - 1)[groups.index][:, groups.index] @ v
    np.testing.assert_allclose(groups.signed_product(v), expected, atol=1e-12)
    np.testing.assert_allclose(groups.signed_product(v[:, None])[:, 0], expected, atol=1e-12)


def test_a_singular_gram_matrix_is_no_obstacle():
    # Repeated rows are repeated anchors, and centring takes one more rank away.
    X = np.repeat(np.random.default_rng(0).normal(size=(6, 4)), 10, axis=0)
    Y = np.eye(2, dtype=np.uint8)[np.repeat(np.arange(6) % 2, 10)]
    hasher = KSH(bits=4).fit(train_from_features(X, Y))
    K = hasher.kernel_(X.astype(np.float32)) - hasher.means_
    assert np.linalg.matrix_rank(K.T @ K) < K.shape[1]
    assert np.isfinite(hasher.projection_).all()
    bits = hasher.transform(X)
    assert not np.array_equal(bits[0], bits[10])
