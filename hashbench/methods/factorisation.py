"""Stage 1 of CNNH: codes from the similarity matrix alone (Xia et al., AAAI 2014)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hashbench.baselines.groups import LabelGroups
from hashbench.seeds import derive


@dataclass(frozen=True, eq=False)
class Factorisation:
    """What `factorise` found.

    Attributes:
        codes: `(n, bits)` int8 in {-1, +1}; row i belongs to row i of the labels.
        relaxed: `(n, bits)` float64 in [-1, 1] before the signs were taken.
        objective: `||H H^T - bits S||_F^2` at the start and after each sweep
            that was accepted; strictly falling.
    """

    codes: NDArray[np.int8]
    relaxed: NDArray[np.float64]
    objective: list[float]


def factorise(
    labels: NDArray[np.integer], bits: int, seed: int = 0, sweeps: int = 10
) -> Factorisation:
    """Codes whose inner products reproduce the similarities, `H H^T ~ bits S`.

    Minimises `||H H^T - K S||_F^2` over `H in [-1, 1]^{n x K}`, S in {-1, +1},
    by Newton steps on one coordinate after another in random order (section 3.1
    of the paper). A sweep over all coordinates is kept only if the objective
    falls. Neither S nor `H H^T` is ever formed: their products with a column of
    H follow from sums of H over groups of equal labels, `H^T H` and row norms,
    so that a coordinate costs O(K + groups) instead of O(n).

    Args:
        labels: `(n, classes)` multi-hot.
        bits: code length K.
        seed: draws the start, uniform in [-1, 1], and the order of coordinates.
        sweeps: how many sweeps to try.
    """
    groups = LabelGroups.of(labels)
    generator = np.random.default_rng(derive(seed, "factorisation"))
    relaxed = generator.uniform(-1.0, 1.0, (len(labels), bits))
    objective = [_objective(relaxed, groups)]
    for _ in range(sweeps):
        trial = relaxed.copy()
        order = generator.permutation(trial.size)
        sums = np.ascontiguousarray(groups.sums(trial).T)
        _sweep(trial, order, groups.index, groups.similar, sums, trial.T @ trial)
        value = _objective(trial, groups)
        if value < objective[-1]:
            relaxed = trial
            objective.append(value)
    codes = np.where(relaxed > 0, 1, -1).astype(np.int8)
    return Factorisation(codes, relaxed, objective)


def _objective(relaxed: NDArray[np.float64], groups: LabelGroups) -> float:
    """`||H H^T - K S||_F^2 = ||H^T H||_F^2 - 2 K tr(H^T S H) + K^2 n^2`."""
    n, bits = relaxed.shape
    agreement = np.sum(relaxed * groups.signed_product(relaxed))
    return float(
        np.sum((relaxed.T @ relaxed) ** 2) - 2 * bits * agreement + float(bits) ** 2 * float(n) ** 2
    )


@njit(cache=True)
def _sweep(relaxed, order, index, similar, sums, gram):  # type: ignore[no-untyped-def] # pragma: no cover
    """One Newton step on every coordinate of `relaxed`, in place.

    Derivatives of the objective in coordinate (i, j), with L = H H^T - K S:
    `g' = 4 L_i. H_.j` and `g'' = 4 (H_.j^T H_.j + H_ij^2 + L_ii)`.

    Args:
        relaxed: `(n, K)` H.
        order: `(n K,)` coordinates in the order of their turn.
        index: `(n,)` group of each row.
        similar: `(groups, groups)` 0/1.
        sums: `(K, groups)` sums of H over groups, kept up to date.
        gram: `(K, K)` `H^T H`, kept up to date.
    """
    bits = relaxed.shape[1]
    totals = sums.sum(axis=1)
    norms = (relaxed * relaxed).sum(axis=1)
    for turn in range(len(order)):
        i, j = order[turn] // bits, order[turn] % bits
        group = index[i]
        value = relaxed[i, j]
        # S_i. H_.j, with S = 2 similar - 1.
        likeness = 2.0 * np.dot(similar[group], sums[j]) - totals[j]
        slope = 4.0 * (np.dot(relaxed[i], gram[j]) - bits * likeness)
        own = norms[i] - bits * (2.0 * similar[group, group] - 1.0)
        curvature = 4.0 * (gram[j, j] + value * value + own)
        # Where the objective is concave, the best of the interval is one of its ends.
        downhill = -2.0 if slope > 0.0 else 2.0
        step = -slope / curvature if curvature > 0.0 else downhill
        step = min(max(step, -1.0 - value), 1.0 - value)
        if step == 0.0:
            continue
        relaxed[i, j] = value + step
        sums[j, group] += step
        totals[j] += step
        norms[i] += step * (2.0 * value + step)
        for k in range(bits):
            if k != j:
                gram[j, k] += step * relaxed[i, k]
                gram[k, j] = gram[j, k]
        gram[j, j] += step * (2.0 * value + step)
