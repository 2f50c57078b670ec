import numpy as np
import pytest

from hashbench.baselines.agh import AGH, graph_eigenvectors, split_thresholds
from hashbench.baselines.anchor_graph import AnchorGraph, k_means


@pytest.fixture
def graph(multilabel):
    """Z, and the same graph as a dense matrix A."""
    X = multilabel.features()
    Z = AnchorGraph(X, 20, 3, np.random.default_rng(0))(X)
    dense = Z.toarray()
    return Z, (dense / dense.sum(axis=0)) @ dense.T


def test_the_weights_are_the_published_kernel_on_the_nearest_anchors(multilabel):
    X = multilabel.features().astype(np.float64)
    graph = AnchorGraph(X, 20, 3, np.random.default_rng(0))
    rows = (X - X.mean(axis=0)) / X.std(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    squared = ((rows[:, None] - graph.anchors[None]) ** 2).sum(axis=2)
    sigma = np.mean([np.sqrt(np.sort(row)[2]) for row in squared])
    expected = np.zeros((150, 20))
    for i, row in enumerate(squared):
        near = np.argsort(row)[:3]
        expected[i, near] = np.exp(-row[near] / sigma**2)
        expected[i] /= expected[i].sum()
    np.testing.assert_allclose(graph(X).toarray(), expected, atol=1e-9)


def test_an_item_far_from_every_anchor_still_has_weights():
    X = np.repeat([[0.0, 1.0], [1.0, 0.0]], 10, axis=0) + np.linspace(0, 1e-9, 20)[:, None]
    weights = AnchorGraph(X, 4, 2, np.random.default_rng(0))(np.array([[-1e3, -1e3]]))
    np.testing.assert_allclose(weights.sum(axis=1), 1)


def test_k_means_ends_in_the_means_of_its_members():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(90, 2)) + 8 * np.eye(3)[np.arange(90) % 3, :2]
    centres = k_means(rows, 3, np.random.default_rng(1))
    owner = np.argmin(((rows[:, None] - centres) ** 2).sum(axis=2), axis=1)
    for j in range(3):
        np.testing.assert_allclose(centres[j], rows[owner == j].mean(axis=0))


def test_repeated_rows_leave_centres_without_members_where_they_are():
    rows = np.repeat(np.eye(2), 5, axis=0)
    assert np.isfinite(k_means(rows, 6, np.random.default_rng(0))).all()


def test_outputs_are_the_top_eigenvectors_of_the_dense_graph(graph):
    Z, A = graph
    np.testing.assert_allclose(A.sum(axis=1), 1)
    Y = Z @ graph_eigenvectors(Z, 6)
    values = np.sort(np.linalg.eigvalsh(A))[::-1]
    np.testing.assert_allclose(A @ Y, Y * values[1:7], atol=1e-8)
    np.testing.assert_allclose(Y.T @ Y, len(A) * np.eye(6), atol=1e-6)
    np.testing.assert_allclose(Y.mean(axis=0), 0, atol=1e-9)  # the constant one is left out


def test_a_graph_in_two_parts_keeps_the_eigenvector_that_tells_them_apart():
    # Dropping every eigenvalue near 1, not the trivial vector alone, would lose it.
    X = np.repeat([[5.0, 0, 0], [-5.0, 0, 0]], 30, axis=0)
    X += 0.1 * np.random.default_rng(0).normal(size=X.shape)
    hasher = AGH(bits=1, anchors=8, nearest=2, layers=1).fit(X)
    bits = hasher.transform(X)[:, 0]
    assert bits[:30].std() == bits[30:].std() == 0
    assert bits[0] != bits[30]


def test_thresholds_cut_the_graph_least(graph):
    Z, A = graph
    laplacian = np.eye(len(A)) - A
    for y in (Z @ graph_eigenvectors(Z, 3)).T:
        positive = y > 0
        n1, n2 = positive.sum(), (~positive).sum()

        def cut(b, y=y, positive=positive, n1=n1, n2=n2):
            # 1^T f = 0 gives c: the split of the other side.
            c = (n1 * b - y[positive].sum() + y[~positive].sum()) / n2
            f = np.where(positive, y - b, c - y)
            assert abs(f.sum()) < 1e-9
            return f @ laplacian @ f, c

        above, below = split_thresholds(Z, y)
        tried = [cut(b)[0] for b in np.linspace(-3, 3, 601)]
        assert cut(above)[0] <= min(tried) + 1e-9
        assert cut(above)[1] == pytest.approx(below)


def test_the_second_bit_splits_each_side_of_the_first(digits):
    hasher = AGH(bits=8).fit(digits.train)
    first, second = np.split(hasher.decision_function(digits.train.features()), 2, axis=1)
    above, below = hasher.thresholds_
    for k in range(4):
        for i in range(600):
            y = first[i, k]
            expected = y - above[k] if y > 0 else -y + below[k]
            assert second[i, k] == pytest.approx(expected)
        assert 0.05 < np.mean(second[:, k] > 0) < 0.95


def test_one_layer_takes_twice_as_many_eigenvectors(digits):
    one = AGH(bits=8, layers=1).fit(digits.train)
    two = AGH(bits=8, layers=2).fit(digits.train)
    assert (one.projection_.shape[1], two.projection_.shape[1]) == (8, 4)
    X = digits.query.features()
    np.testing.assert_array_equal(one.transform(X)[:, :4], two.transform(X)[:, :4])
    assert AGH(bits=7).fit(digits.train).transform(X).shape == (200, 7)


def test_bits_without_an_eigenvector_are_zero(digits):
    X = digits.query.features()
    for layers in (1, 2):
        bits = AGH(bits=12, anchors=4, layers=layers).fit(digits.train).transform(X)
        assert bits.any(axis=0).sum() == 3 * layers
