import numpy as np
import pytest

from hashbench.baselines.base import token_order
from hashbench.baselines.bre import BRE, Pairs, move_weight
from hashbench.items import train_from_features


@pytest.fixture
def toy(multilabel):
    """Pairs, `(bits, n)` outputs and a kernel column that moves bit 0."""
    generator = np.random.default_rng(0)
    pairs = Pairs(multilabel.labels, 5, np.random.default_rng(1))
    n = len(multilabel)
    return pairs, generator.normal(size=(3, n)), generator.normal(size=n)


def dense_objective(pairs, outputs):
    """The objective from its definition, pair by pair."""
    n = outputs.shape[1]
    total = 0.0
    for i in range(n):
        for entry in range(pairs.starts[i], pairs.starts[i + 1]):
            j = pairs.others[entry]
            if i < j:
                distance = np.mean((outputs[:, i] > 0) != (outputs[:, j] > 0))
                total += 0.5 * (distance - pairs.targets[entry]) ** 2
    return total


def move(pairs, outputs, column):
    distances = pairs.distances(outputs > 0)
    step = move_weight(
        outputs[0], column, pairs.starts, pairs.others, pairs.targets, distances, len(outputs)
    )
    return step, distances


def test_pairs_are_distinct_symmetric_and_know_their_labels(multilabel, similarity):
    pairs = Pairs(multilabel.labels, 5, np.random.default_rng(1))
    owners = np.repeat(np.arange(len(multilabel)), np.diff(pairs.starts))
    edges = set(zip(owners.tolist(), pairs.others.tolist(), strict=True))
    assert len(edges) == len(owners)
    assert all((j, i) in edges and i != j for i, j in edges)
    assert np.diff(pairs.starts).min() >= 5 - 1
    wanted = similarity(multilabel.labels)[owners, pairs.others]
    np.testing.assert_array_equal(pairs.targets, wanted < 0)


def test_the_objective_is_the_published_one(toy):
    pairs, outputs, _ = toy
    value = pairs.objective(pairs.distances(outputs > 0), 3)
    assert value == pytest.approx(dense_objective(pairs, outputs))


def best_by_trying(pairs, outputs, column):
    """The least objective over every value the weight can take."""
    movable = column != 0
    thresholds = np.sort(-outputs[0, movable] / column[movable])
    middles = (thresholds[1:] + thresholds[:-1]) / 2
    values = []
    for step in [thresholds[0] - 1, *middles, thresholds[-1] + 1]:
        trial = outputs.copy()
        trial[0] += step * column
        values.append(dense_objective(pairs, trial))
    return min(values)


@pytest.mark.parametrize("zeros", [0, 1, 2, 3, 4])
def test_a_move_is_the_best_of_all_moves(zeros, toy):
    # The trap: a zero kernel value would divide, and its threshold be infinite or NaN.
    pairs, outputs, column = toy
    column = np.random.default_rng(zeros).permutation(column)
    column[: 35 * zeros] = 0.0
    outputs[0, 3] = 0.0  # 0 / 0
    kept = outputs[0, : 35 * zeros].copy()
    best, before = best_by_trying(pairs, outputs, column), dense_objective(pairs, outputs)
    step, distances = move(pairs, outputs, column)
    assert np.isfinite(step)
    assert dense_objective(pairs, outputs) == pytest.approx(min(best, before))
    assert step != 0 or best >= before
    # Those without a threshold keep their bit, and the distances are kept up to date.
    np.testing.assert_array_equal(outputs[0, : 35 * zeros], kept)
    np.testing.assert_array_equal(distances, pairs.distances(outputs > 0))


def test_a_second_move_of_the_same_weight_stays(toy):
    pairs, outputs, column = toy
    move(pairs, outputs, column)
    settled = dense_objective(pairs, outputs)
    move(pairs, outputs, column)
    assert dense_objective(pairs, outputs) == pytest.approx(settled)


def test_a_weight_on_zeros_alone_never_moves(toy):
    pairs, outputs, column = toy
    assert move(pairs, outputs, np.zeros_like(column))[0] == 0.0


def test_sparse_features_with_zero_kernels_are_learnt():
    generator = np.random.default_rng(0)
    Y = np.eye(3, dtype=np.uint8)[np.arange(60) % 3]
    X = np.where(generator.random((60, 9)) < 0.5, 0, np.repeat(Y, 3, axis=1))
    X[:3] = 0
    hasher = BRE(bits=8).fit(train_from_features(X, Y))
    assert np.isfinite(hasher.projection_).all()
    assert hasher.objective_[-1] < hasher.objective_[0]


@pytest.mark.parametrize("bits", [4, 24])
def test_the_objective_never_rises_and_falls_by_a_clear_margin(bits, digits):
    history = np.array(BRE(bits=bits, tolerance=0.0, passes=30).fit(digits.train).objective_)
    assert len(history) == 31
    assert (np.diff(history) <= 1e-9 * history[0]).all()
    assert history[-1] < 0.93 * history[0]


def test_the_projection_gives_the_outputs_that_were_optimised(digits):
    hasher = BRE(bits=8, passes=20, tolerance=0.0).fit(digits.train)
    X = digits.train.features()
    order = token_order(digits.train)
    pairs = Pairs(digits.Y[:600][order], 50, hasher._generator("pairs"))
    outputs = hasher.decision_function(X[order]).T
    assert pairs.objective(pairs.distances(outputs > 0), 8) == pytest.approx(
        hasher.objective_[-1], rel=1e-3
    )
