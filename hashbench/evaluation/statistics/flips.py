"""The paired randomisation test, exact or drawn until decided."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hashbench.evaluation.statistics.resampling import Floats
from hashbench.seeds import derive

#: Up to this many differences every flip is enumerated.
ENUMERATED = 14
#: Random flips at least and at most.
LEAST, MOST = 1000, 40_000
#: A p-value is decided when its standard error is this share of it.
PRECISION = 0.05
#: Numbers held at a time: few enough for the second-level cache.
CHUNK = 100_000
#: Uniform numbers drawn at a time, and how many such blocks are kept for the next test.
BLOCK, KEPT = 1 << 20, 16


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
    observed = _observed(differences, d)
    if len(d) <= ENUMERATED:
        signs = np.array(list(product((-1.0, 1.0), repeat=len(d))))
        return float((np.abs(signs @ d) >= observed).mean())
    if observed >= d.sum() * (1 - 1e-9):
        return float(2.0 ** (1 - len(d)))  # all of one sign
    tilt = _tilt(d, observed)
    # Uniform numbers are multiples of 2**-24: rounded up to one, a chance holds the same ones.
    chance = (np.ceil(2.0**24 / (1 + np.exp(-2 * tilt * d))) / 2.0**24).astype(np.float32)
    scale = float(_log_cosh(tilt * d).sum())
    root = derive(seed, "randomisation")
    total = squares = 0.0
    drawn = 0
    step = max(1, CHUNK // len(d))
    while drawn < MOST:
        uniform = _uniform(root, drawn * len(d), step * len(d)).reshape(step, len(d))
        signs = 2 * (uniform < chance).view(np.int8) - 1
        sums = (signs * d).sum(axis=1)
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


def flip_bound(differences: Floats) -> float:
    """What `flip_test` gives is at most this (Hoeffding, 1963), whatever signs it draws.

    A sum that counts weighs at most what the observed one does, exp(log cosh(t d) - t d)
    over all differences d; log cosh x <= x^2 / 2, and the tilt t makes it smallest.

    Args:
        differences: as there.
    """
    d = np.abs(differences[differences != 0])
    squares = float((d**2).sum())
    exponent = _observed(differences, d) ** 2 / (2 * squares) if squares else 0.0
    return float(2 * np.exp(-exponent) * (1 + 1e-6))  # rounded, but not down


def _observed(differences: Floats, d: Floats) -> float:
    """How far from 0 a sum must be to count; `d` are the absolute differences but zeros.

    Equal sums may differ by rounding, which grows with the numbers that cancel.
    """
    return max(0.0, abs(float(differences.sum())) - 1e-12 * float(d.sum()))


def _uniform(root: int, start: int, size: int) -> NDArray[np.float32]:
    """A stretch of the uniform numbers that every test with this seed reads from the start."""
    places = range(start // BLOCK, (start + size - 1) // BLOCK + 1)
    return np.concatenate(
        [
            _block(root, place)[max(0, start - place * BLOCK) : start + size - place * BLOCK]
            for place in places
        ]
    )


@lru_cache(KEPT)
def _block(root: int, place: int) -> NDArray[np.float32]:
    bits = np.random.PCG64(root)
    bits.advance(place * BLOCK // 2)  # two numbers a step
    return np.random.Generator(bits).random(BLOCK, np.float32)


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


#: P-values below this are printed alike.
SMALLEST_SHOWN = 1e-4


def shown_p(p: float) -> str:
    """A p-value as it is printed: four decimals, or "< 1e-4"."""
    return "< 1e-4" if p < SMALLEST_SHOWN else f"{p:.4f}"
