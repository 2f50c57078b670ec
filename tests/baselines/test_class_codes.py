import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from hashbench.baselines.class_codes import ClassCodes
from hashbench.baselines.logistic import logistic_loss, logistic_regression, softmax_loss
from hashbench.items import train_from_features


@pytest.mark.parametrize("loss", [softmax_loss, logistic_loss])
def test_losses_are_their_formulae_and_have_their_gradients(loss):
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(9, 4)) * 30  # saturated ones too
    logits[0] = 0.0  # and tied ones
    if loss is softmax_loss:
        targets = np.eye(4)[generator.integers(0, 4, 9)]
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        expected = -np.mean([np.log(p[i] @ targets[i]) for i in range(9)])
    else:
        targets = (generator.random((9, 4)) < 0.4).astype(float)
        p = np.where(targets > 0, 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(logits)))
        expected = -np.log(p).sum() / 9
    assert loss(logits, targets)[0] == pytest.approx(expected)
    error = check_grad(
        lambda v: loss(v.reshape(9, 4), targets)[0],
        lambda v: loss(v.reshape(9, 4), targets)[1].ravel(),
        logits.ravel(),
    )
    assert error < 1e-5


def test_the_regression_is_that_of_scikit_learn(digits):
    X = digits.X[:300] / 16
    y = digits.Y[:300].argmax(axis=1)
    weights, biases = logistic_regression(X, digits.Y[:300], 1e-2)
    # C multiplies the sum of losses where the ridge weighs against their mean.
    reference = LogisticRegression(C=1 / (300 * 1e-2), tol=1e-8, max_iter=5000).fit(X, y)
    ours = X @ weights + biases
    theirs = X @ reference.coef_.T + reference.intercept_
    ours -= ours.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(ours, theirs - theirs.mean(axis=1, keepdims=True), atol=0.01)


def test_a_code_is_the_codeword_of_the_predicted_class(digits):
    hasher = ClassCodes(bits=24).fit(digits.train)
    X = digits.query.features()
    codes = hasher.decision_function(X)
    words = {tuple(word) for word in hasher.codebook_}
    assert len(words) == 10
    assert {tuple(code) for code in codes.astype(int)} == words
    distance = (24 - hasher.codebook_.astype(int) @ hasher.codebook_.T.astype(int)) / 2
    assert distance[~np.eye(10, dtype=bool)].min() == 12
    predicted = [np.flatnonzero((hasher.codebook_ == code).all(axis=1))[0] for code in codes]
    assert np.mean(np.array(predicted) == digits.Y[600:800].argmax(axis=1)) > 0.9


def test_several_labels_give_the_majority_of_their_codewords(multilabel):
    hasher = ClassCodes(bits=16).fit(multilabel)
    X = multilabel.features()
    logits = hasher.scaler_.transform(X).astype(float) @ hasher.weights_ + hasher.biases_
    assert hasher.several_
    counts = set()
    for code, logit in zip(hasher.decision_function(X), logits, strict=True):
        words = hasher.codebook_[logit > 0].astype(int)
        counts.add(len(words))
        best = hasher.codebook_[np.argmax(logit)]
        total = words.sum(axis=0)
        expected = [np.sign(t) if t else b for t, b in zip(total, best, strict=True)]
        np.testing.assert_array_equal(code, expected)
    assert {0, 1, 2} <= counts


def test_more_ridge_gives_smaller_weights(digits):
    sizes = [
        np.abs(ClassCodes(bits=8, ridge=ridge).fit(digits.train).weights_).sum()
        for ridge in (1e-3, 1e-1, 10.0)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 5 * sizes[2]


def test_the_seed_draws_the_codewords_and_nothing_else(digits):
    one, two = (ClassCodes(bits=16, seed=seed).fit(digits.train) for seed in (0, 1))
    np.testing.assert_array_equal(one.weights_, two.weights_)
    assert not np.array_equal(one.codebook_, two.codebook_)


def test_a_single_class_has_a_single_code():
    X = np.random.default_rng(0).normal(size=(20, 3))
    hasher = ClassCodes(bits=8).fit(train_from_features(X, np.ones((20, 1))))
    assert len(np.unique(hasher.transform(X), axis=0)) == 1
