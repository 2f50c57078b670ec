"""Label groups, and stage 1 of CNNH that rests on them."""

import itertools

import numpy as np
import pytest

from hashbench.baselines.groups import LabelGroups
from hashbench.methods.factorisation import _objective, _sweep, factorise


@pytest.fixture(params=["single", "multi", "unlabelled"])
def labels(request):
    generator = np.random.default_rng(0)
    if request.param == "single":
        return np.eye(4, dtype=np.uint8)[generator.integers(0, 4, 40)]
    drawn = (generator.random((40, 5)) < 0.3).astype(np.uint8)
    if request.param == "unlabelled":
        drawn[:7] = 0
    return drawn


def test_groups_stand_for_the_similarity_matrix(labels, similarity):
    groups = LabelGroups.of(labels)
    S = similarity(labels)
    np.testing.assert_array_equal(2 * groups.similar[groups.index][:, groups.index] - 1, S)
    values = np.random.default_rng(1).normal(size=(40, 3))
    np.testing.assert_allclose(groups.signed_product(values), S @ values, atol=1e-12)
    assert groups.count == len(np.unique(labels, axis=0))


def test_the_objective_equals_the_dense_one(labels, similarity):
    H = np.random.default_rng(1).uniform(-1, 1, (40, 6))
    dense = np.sum((H @ H.T - 6 * similarity(labels)) ** 2)
    assert _objective(H, LabelGroups.of(labels)) == pytest.approx(dense, rel=1e-12)


def test_a_sweep_equals_the_published_one_on_dense_matrices(labels, similarity):
    generator = np.random.default_rng(1)
    K = 5
    H = generator.uniform(-1, 1, (40, K))
    order = generator.permutation(H.size)
    groups = LabelGroups.of(labels)
    found = H.copy()
    _sweep(
        found, order, groups.index, groups.similar,
        np.ascontiguousarray(groups.sums(H).T), H.T @ H,
    )  # fmt: skip
    # The published update of H and L = H H^T - K S, written with the matrices themselves.
    L = H @ H.T - K * similarity(labels)
    for turn in order:
        i, j = divmod(turn, K)
        slope = 4 * L[i] @ H[:, j]
        curvature = 4 * (H[:, j] @ H[:, j] + H[i, j] ** 2 + L[i, i])
        assert curvature > 0
        step = np.clip(-slope / curvature, -1 - H[i, j], 1 - H[i, j])
        column = H[:, j].copy()
        L[i] += step * column
        L[:, i] += step * column
        L[i, i] += step**2
        H[i, j] += step
    np.testing.assert_allclose(L, H @ H.T - K * similarity(labels), atol=1e-12)
    np.testing.assert_allclose(found, H, atol=1e-10)


def test_the_derivatives_are_those_of_the_objective(labels, similarity):
    H = np.random.default_rng(2).uniform(-1, 1, (40, 3))
    groups, S = LabelGroups.of(labels), similarity(labels)
    L = H @ H.T - 3 * S
    for i, j in itertools.product((0, 17, 39), range(3)):

        def at(offset, i=i, j=j):
            moved = H.copy()
            moved[i, j] += offset
            return _objective(moved, groups)

        h = 1e-3
        slope = (at(h) - at(-h)) / (2 * h)
        curvature = (at(h) - 2 * at(0) + at(-h)) / h**2
        assert slope == pytest.approx(4 * L[i] @ H[:, j], rel=1e-4, abs=1e-3)
        expected = 4 * (H[:, j] @ H[:, j] + H[i, j] ** 2 + L[i, i])
        assert curvature == pytest.approx(expected, rel=1e-3)


def test_only_sweeps_that_lower_the_objective_are_kept(labels):
    found = factorise(labels, 8, seed=3, sweeps=30)
    assert (np.diff(found.objective) < 0).all()
    assert found.objective[-1] < 0.8 * found.objective[0]
    assert _objective(found.relaxed, LabelGroups.of(labels)) == found.objective[-1]


def test_a_toy_problem_is_solved_as_well_as_by_brute_force(similarity):
    Y = np.eye(3, dtype=np.uint8)[[0, 0, 1, 1, 2]]
    S = similarity(Y)
    corners = np.array(list(itertools.product([-1, 1], repeat=2)))
    best = min(
        np.sum((corners[list(choice)] @ corners[list(choice)].T - 2 * S) ** 2)
        for choice in itertools.product(range(4), repeat=5)
    )
    found = min(
        np.sum((codes @ codes.T - 2 * S) ** 2)
        for codes in (factorise(Y, 2, seed).codes.astype(int) for seed in range(10))
    )
    assert found == best


def test_codes_belong_to_the_rows_of_the_labels():
    # The trap: targets that follow another order than the images they are used for.
    ids = np.random.default_rng(0).integers(0, 4, 80)
    order = np.random.default_rng(1).permutation(80)
    for given in (ids, ids[order]):
        codes = factorise(np.eye(4, dtype=np.uint8)[given], 16, sweeps=20).codes
        assert len(np.unique(codes, axis=0)) == 4
        for c in range(4):
            assert len(np.unique(codes[given == c], axis=0)) == 1


def test_codes_are_signs_that_separate_the_classes_and_repeat_under_a_seed(similarity):
    Y = np.eye(4, dtype=np.uint8)[np.arange(60) % 4]
    found = factorise(Y, 16, seed=5)
    assert found.codes.dtype == np.int8
    assert set(np.unique(found.codes)) == {-1, 1}
    assert (np.abs(found.relaxed) <= 1).all()
    inner = found.codes.astype(int) @ found.codes.T.astype(int)
    assert inner[similarity(Y) > 0].min() > inner[similarity(Y) < 0].max()
    np.testing.assert_array_equal(found.codes, factorise(Y, 16, seed=5).codes)
    assert not np.array_equal(found.codes, factorise(Y, 16, seed=6).codes)
