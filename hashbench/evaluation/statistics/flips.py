"""The paired randomisation test, exact or drawn until decided."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from hashbench.seeds import derive

Floats = NDArray[np.float64]

#: Up to this many differences every flip is enumerated.
ENUMERATED = 14
#: Random flips at least and at most.
LEAST, MOST = 1000, 40_000
#: A p-value is decided when its standard error is this share of it.
PRECISION = 0.05
#: Numbers held at a time: few enough for the second-level cache.
CHUNK = 100_000


def flip_test(differences: Floats, seed: int = 0) -> float:
    """Two-sided p-value of a paired randomisation test (Fisher; Smucker et al., CIKM 2007).

    Under the null hypothesis the two scores of a query are exchangeable, so the
    signs of the differences are as good as random; p is the chance of a sum as
    far from 0 as the one observed. Few differences are enumerated. Of many,
    signs are drawn that favour sums like the one observed and are weighed by
    how much they are favoured (importance sampling with an exponential tilt,
    Siegmund, 1976), until the standard error is a small share of p; so p-values
    far below one in the number of draws are found as surely as others.

    Args:
        differences: `(queries,)` score of one method minus score of the other.
        seed: root seed of the draws.
    """
    d = np.abs(differences[differences != 0])  # a flip of 0 changes nothing
    if len(d) == 0:
        return 1.0
    # Equal sums may differ by rounding, which grows with the numbers that cancel.
    observed = max(0.0, abs(float(differences.sum())) - 1e-12 * float(d.sum()))
    if len(d) <= ENUMERATED:
        signs = np.array(list(product((-1.0, 1.0), repeat=len(d))))
        return float((np.abs(signs @ d) >= observed).mean())
    if observed >= d.sum() * (1 - 1e-9):
        return float(2.0 ** (1 - len(d)))  # all of one sign
    tilt = _tilt(d, observed)
    chance = 1 / (1 + np.exp(-2 * tilt * d))
    scale = float(_log_cosh(tilt * d).sum())
    rng = np.random.default_rng(derive(seed, "randomisation"))
    total = squares = 0.0
    drawn = 0
    step = max(1, CHUNK // len(d))
    while drawn < MOST:
        positive = rng.random((step, len(d)), np.float32) < chance
        sums = np.where(positive, d, -d).sum(axis=1)
        weights = np.where(sums >= observed, np.exp(scale - tilt * sums), 0.0)
        total += float(weights.sum())
        squares += float((weights**2).sum())
        drawn += step
        if drawn >= LEAST and total > 0:
            mean = total / drawn
            error = np.sqrt(max(0.0, squares / drawn - mean**2) / drawn)
            if error <= PRECISION * mean:
                break
    # Both tails are alike, and the least p there can be is that of one sign throughout.
    return float(min(1.0, max(2 * total / drawn, 2.0 ** (1 - len(d)))))


def _tilt(d: Floats, observed: float) -> float:
    """The tilt under which the expected sum is the one observed."""
    low, high = 0.0, 1.0
    while float((d * np.tanh(high * d)).sum()) < observed and high * d.max() < 300:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if float((d * np.tanh(middle * d)).sum()) < observed:
            low = middle
        else:
            high = middle
    return low


def _log_cosh(x: Floats) -> Floats:
    return np.asarray(np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - np.log(2.0))


def holm(p_values: list[float]) -> list[float]:
    """P-values corrected for being many (Holm, 1979), in the order given."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(order))
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, (len(order) - rank) * p_values[index])
        adjusted[index] = min(1.0, highest)
    return [float(value) for value in adjusted]


def shown_p(p: float) -> str:
    """A p-value as it is printed: four decimals, or "< 1e-4"."""
    return "< 1e-4" if p < 1e-4 else f"{p:.4f}"
