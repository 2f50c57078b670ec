"""Logistic regression: of one class an item, or of several labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax

#: Steps of L-BFGS, at most.
_STEPS = 200


def logistic_regression(
    rows: NDArray[np.float64], labels: NDArray[np.uint8], ridge: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and biases that minimise the mean log loss `+ ridge / 2 ||weights||^2`.

    Args:
        rows: `(n, dim)`.
        labels: `(n, classes)` multi-hot. Where every item has exactly one label,
            classes share one softmax; else each has a logistic function of its own.
        ridge: weight of the penalty; biases have none.

    Returns:
        `(dim, classes)` weights and `(classes,)` biases.
    """
    dim = rows.shape[1]
    targets = labels.astype(np.float64)
    loss = softmax_loss if one_label_each(labels) else logistic_loss

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, biases = flat[:-classes].reshape(dim, classes), flat[-classes:]
        value, slope = loss(rows @ weights + biases, targets)
        gradient = rows.T @ slope + ridge * weights
        penalty = ridge / 2 * float(np.sum(weights**2))
        return value + penalty, np.concatenate([gradient.ravel(), slope.sum(axis=0)])

    classes = targets.shape[1]
    start = np.zeros((dim + 1) * classes)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    return found[:-classes].reshape(dim, classes), found[-classes:]


def one_label_each(labels: NDArray[np.uint8]) -> bool:
    """Whether every item has exactly one label."""
    return bool((labels.sum(axis=1) == 1).all())


def softmax_loss(
    logits: NDArray[np.float64], targets: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Mean of `-log p` of each item's class, and its gradient for the `(n, classes)` logits."""
    value = np.mean(logsumexp(logits, axis=1) - np.sum(logits * targets, axis=1))
    return float(value), (softmax(logits, axis=1) - targets) / len(logits)


def logistic_loss(
    logits: NDArray[np.float64], targets: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Mean over items of the sum over classes of the log loss, and its gradient."""
    value = np.sum(np.logaddexp(0, logits) - logits * targets) / len(logits)
    return float(value), (expit(logits) - targets) / len(logits)
