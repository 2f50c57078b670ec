"""BRE: Hamming distances that reconstruct the distances the labels ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hashbench.baselines.base import ShallowHasher
from hashbench.baselines.kernel import UnitRows
from hashbench.hyper import number, whole


@dataclass(kw_only=True, repr=False, eq=False)
class BRE(ShallowHasher):
    """Binary reconstructive embeddings, supervised (Kulis & Darrell, NIPS 2009).

    Bit b of x is `[sum_q W_qb k(x_q, x) > 0]` over support points drawn for each
    bit from the training set; k is the linear kernel on standardised features
    scaled to unit rows. Minimises

        `1/2 sum_{(i,j) in N} (d_H(i, j) / bits - d_ij)^2`

    over random pairs N, where `d_ij` is 0 for similar and 1 for dissimilar pairs
    (the supervised variant), by exact coordinate descent: as one weight grows,
    each item's bit flips at one threshold, so sorting the thresholds gives the
    objective at every possible value (section 3.1 of the paper).

    Args:
        bits: code length.
        seed: draws support points, pairs, the first weights and the coordinates.
        support: support points of each bit.
        partners: pairs drawn for each training item.
        passes: passes over the bits, at most; each pass moves one weight a bit.
        tolerance: relative fall of the objective over ten passes that ends them.

    Attributes:
        prepare_: the fitted preparation of features.
        projection_: `(dim, bits)` float64; with the linear kernel the support
            points and their weights are one vector for each bit.
        objective_: the objective at the start and after each pass; never rises.
    """

    name: ClassVar[str] = "bre"
    title: ClassVar[str] = "BRE"
    year: ClassVar[int] = 2009
    summary: ClassVar[str] = "Hamming distances that reconstruct the labels' distances"
    citation: ClassVar[str] = "Kulis, Darrell, NIPS 2009"
    bibtex: ClassVar[str] = """@inproceedings{kulis2009bre,
  author    = {Brian Kulis and Trevor Darrell},
  title     = {Learning to Hash with Binary Reconstructive Embeddings},
  booktitle = {Advances in Neural Information Processing Systems (NIPS)},
  year      = {2009},
}"""
    version: ClassVar[str] = "2"
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "support": [10, 40, 70, 100],
        "partners": [50, 100],
    }

    support: int = whole(20)
    partners: int = whole(50)
    passes: int = whole(60, low=0)
    tolerance: float = number(1e-3, low=0)

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.prepare_ = UnitRows(features)
        rows = self.prepare_(features).astype(np.float64)
        n = len(rows)
        generator = self._generator("support")
        support = np.stack(
            [generator.choice(n, min(self.support, n), replace=False) for _ in range(self.bits)]
        )
        weights = 0.001 * self._generator("weights").standard_normal(support.shape)
        kernels = [rows @ rows[chosen].T for chosen in support]
        outputs = np.stack(
            [kernel @ weight for kernel, weight in zip(kernels, weights, strict=True)]
        )
        pairs = Pairs(labels, self.partners, self._generator("pairs"))
        distances = pairs.distances(outputs > 0)
        self.objective_ = [pairs.objective(distances, self.bits)]
        order = self._generator("coordinates")
        for _ in range(self.passes):
            for b, kernel in enumerate(kernels):
                q = order.integers(kernel.shape[1])
                weights[b, q] += move_weight(
                    outputs[b],
                    np.ascontiguousarray(kernel[:, q]),
                    pairs.starts,
                    pairs.others,
                    pairs.targets,
                    distances,
                    self.bits,
                )
            self.objective_.append(pairs.objective(distances, self.bits))
            if len(self.objective_) > 10:
                before, after = self.objective_[-11], self.objective_[-1]
                if before - after <= self.tolerance * before:
                    break
        self.projection_ = np.stack(
            [rows[chosen].T @ weight for chosen, weight in zip(support, weights, strict=True)],
            axis=1,
        )

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        return self.prepare_(features).astype(np.float64) @ self.projection_


class Pairs:
    """Random pairs of training items, listed from both ends.

    Args:
        labels: `(n, classes)` multi-hot.
        partners: how many others are drawn for each item.
        generator: draws them.

    Attributes:
        starts: `(n + 1,)` int64; the pairs of item i are entries
            `starts[i]:starts[i + 1]` of the following.
        others: `(entries,)` int32, the other item.
        targets: `(entries,)` int64 wanted distance, 0 or 1 times the code length.
    """

    def __init__(
        self, labels: NDArray[np.uint8], partners: int, generator: np.random.Generator
    ) -> None:
        n = len(labels)
        one = np.repeat(np.arange(n), min(partners, n - 1))
        # A step of 1 .. n - 1 around the circle of items never meets the item itself.
        other = (one + generator.integers(1, n, len(one))) % n
        keys = np.unique(np.minimum(one, other) * n + np.maximum(one, other))
        low, high = keys // n, keys % n
        first, second = np.concatenate([low, high]), np.concatenate([high, low])
        order = np.lexsort((second, first))
        self.others = second[order].astype(np.int32)
        self.starts = np.searchsorted(first[order], np.arange(n + 1))
        self.targets = np.empty(len(order), np.int64)
        for i in range(n):
            entries = slice(self.starts[i], self.starts[i + 1])
            shared = labels[self.others[entries]].astype(np.int64) @ labels[i].astype(np.int64)
            self.targets[entries] = shared == 0

    def distances(self, bits: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Hamming distance of every entry's pair, from `(bits, n)` bits."""
        owners = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        total = np.zeros(len(self.others), np.int32)
        for bit in bits:
            total += bit[owners] != bit[self.others]
        return total

    def objective(self, distances: NDArray[np.int32], bits: int) -> float:
        """`1/2 sum (d_H / bits - d)^2` over pairs, each counted once."""
        return float(np.sum((distances / bits - self.targets) ** 2)) / 4


@njit(cache=True)
def move_weight(outputs, column, starts, others, targets, distances, bits):  # type: ignore[no-untyped-def] # pragma: no cover
    """Move one weight of one bit to where the objective is least; returns the move.

    Items whose kernel value is zero have no threshold: they keep their bit.

    Args:
        outputs: `(n,)` real outputs of the bit, updated in place.
        column: `(n,)` kernel values with the support point of the weight.
        starts: see `Pairs`.
        others: see `Pairs`.
        targets: see `Pairs`.
        distances: `(entries,)` Hamming distances of the pairs, updated in place.
        bits: code length.
    """
    n = len(outputs)
    before = outputs > 0.0
    movable = np.flatnonzero(column)
    thresholds = -outputs[movable] / column[movable]
    rank = np.argsort(thresholds)
    # The bits for a weight below all thresholds, and what it costs if a pair's bits differ.
    bit = before.copy()
    for item in movable:
        bit[item] = column[item] < 0.0
    # Costs are whole numbers, 4 bits^2 times the objective, so that ties are ties on any machine.
    gain = np.empty(len(others), np.int64)
    now, value = 0, 0
    for i in range(n):
        for entry in range(starts[i], starts[i + 1]):
            j = others[entry]
            differ = before[i] != before[j]
            without = distances[entry] - differ - bits * targets[entry]
            gain[entry] = 2 * without + 1
            now += gain[entry] * differ
            value += gain[entry] * (bit[i] != bit[j])
    best, move = now, 0.0
    for position in range(-1, len(rank)):
        if position >= 0:
            item = movable[rank[position]]
            for entry in range(starts[item], starts[item + 1]):
                value += 2 * (-gain[entry] if bit[item] != bit[others[entry]] else gain[entry])
            bit[item] = not bit[item]
        if value >= best or len(rank) == 0:
            continue
        if position == -1:
            low = thresholds[rank[0]]
            low, high = low - 2e-6 - abs(low) * 1e-6, low
        elif position == len(rank) - 1:
            low = thresholds[rank[position]]
            high = low + 2e-6 + abs(low) * 1e-6
        else:
            low, high = thresholds[rank[position]], thresholds[rank[position + 1]]
        # A gap as narrow as the rounding of float32 features is another on another machine.
        if high - low > 1e-6 * (abs(low) + abs(high)):
            best, move = value, 0.5 * (low + high)
    if move == 0.0:
        return 0.0
    for i in range(n):
        outputs[i] += move * column[i]
    changed = (outputs > 0.0) != before
    for i in range(n):
        for entry in range(starts[i], starts[i + 1]):
            j = others[entry]
            if changed[i] != changed[j]:
                distances[entry] += -1 if before[i] != before[j] else 1
    return move
