"""KSH: one kernel hash function after another, fitted to what the earlier ones left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve_triangular
from scipy.sparse.linalg import ArpackError, eigsh

from hashbench.baselines.base import ShallowHasher
from hashbench.baselines.groups import LabelGroups
from hashbench.baselines.kernel import AnchorKernel
from hashbench.hyper import number, whole

#: Added to the centred kernel's Gram matrix, relative to its mean diagonal: centring
#: and repeated anchors make it singular.
_GRAM_RIDGE = 1e-8

#: Matrices larger than this have their top eigenvector found by Lanczos.
_LANCZOS_FROM = 50

#: The value and the gradient of a function at a point.
Smooth = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]


@dataclass(kw_only=True, repr=False, eq=False)
class KSH(ShallowHasher):
    """Supervised hashing with kernels (Liu et al., CVPR 2012).

    Seeks codes with `sum_k b_k b_k^T ~ bits S`, S in {-1, +1}, one bit at a time:
    bit k maximises `b^T R_k b` with `R_k = bits S - sum_{t<k} b_t b_t^T` and
    `b = sgn(K a)` for the centred kernel K of the training set and the anchors.
    The start is the top eigenvector of `K^T R_k K a = lambda K^T K a`; then the
    sign is smoothed to `2 / (1 + exp(-x)) - 1` and the objective is descended
    with Nesterov's acceleration (section 3 of the paper), for as many steps and as
    near to its end as the authors' code goes. Of the two, the better one is kept.
    `R_k` is never formed: its products follow from sums over groups of equal labels
    and the bits found so far.

    Args:
        bits: code length.
        seed: draws the anchors.
        anchors: number of basis functions.
        width: bandwidth relative to the root mean square distance.
        iterations: Nesterov steps for one bit, at most; 0 keeps the start.
        tolerance: relative change of the smoothed objective that ends the steps.

    Attributes:
        kernel_: the anchors and bandwidth.
        means_: `(anchors,)` kernel means over the training set.
        projection_: `(anchors, bits)` float64.
        objective_: `b^T R_k b / (bits n^2)` of each bit; larger is better.
    """

    name: ClassVar[str] = "ksh"
    title: ClassVar[str] = "KSH"
    year: ClassVar[int] = 2012
    summary: ClassVar[str] = "kernel hash functions, greedily fitted to the similarities"
    citation: ClassVar[str] = "Liu, Wang, Ji, Jiang, Chang, CVPR 2012"
    bibtex: ClassVar[str] = """@inproceedings{liu2012ksh,
  author    = {Wei Liu and Jun Wang and Rongrong Ji and Yu-Gang Jiang and Shih-Fu Chang},
  title     = {Supervised Hashing with Kernels},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2012},
}"""
    version: ClassVar[str] = "3"
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "anchors": [500, 1000],
        "width": [0.25, 0.35, 0.7, 1.0],
    }

    anchors: int = whole(1000)
    width: float = number(0.5, above=0)
    iterations: int = whole(500, low=0)
    tolerance: float = number(1e-6, low=0)

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.kernel_ = AnchorKernel(features, self.anchors, self.width, self._generator("anchors"))
        kernel = self.kernel_(features)
        self.means_ = kernel.mean(axis=0)
        kernel -= self.means_
        residual = Residual(LabelGroups.of(labels), self.bits)
        start = _SpectralStart(kernel, residual)
        single = kernel.astype(np.float32)
        columns = []
        self.objective_: list[float] = []
        for _ in range(self.bits):
            first = start.direction()
            refined = nesterov(smoothed(residual), single, first, self.iterations, self.tolerance)
            candidates = [(residual.agreement(_sign(kernel @ a)), a) for a in (first, refined)]
            score, column = max(candidates, key=lambda pair: pair[0])
            bit = _sign(kernel @ column)
            residual.subtract(bit)
            start.subtract(kernel.T @ bit)
            columns.append(column)
            self.objective_.append(score)
        self.projection_ = np.stack(columns, axis=1)

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        return (self.kernel_(features) - self.means_) @ self.projection_


class Residual:
    """`R = (bits S - sum_t b_t b_t^T) / (bits n^2)`, known by its products.

    Args:
        groups: what S follows from.
        bits: code length.
    """

    def __init__(self, groups: LabelGroups, bits: int) -> None:
        self._groups = groups
        self._bits = bits
        self._n = len(groups.index)
        self._found: NDArray[np.float64] = np.zeros((self._n, 0))

    def product(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """`R v` for `(n, k)` or `(n,)` values."""
        result = self._bits * self._groups.signed_product(values)
        result -= self._found @ (self._found.T @ values)
        return result / (self._bits * float(self._n) ** 2)

    def agreement(self, bit: NDArray[np.float64]) -> float:
        """`b^T R b` of one `(n,)` bit."""
        return float(bit @ self.product(bit))

    def subtract(self, bit: NDArray[np.float64]) -> None:
        """Take `b b^T` off for an `(n,)` bit that has been found."""
        self._found = np.concatenate([self._found, bit[:, None]], axis=1)

    @property
    def unit(self) -> float:
        """What one `b b^T` weighs in R."""
        return 1.0 / (self._bits * float(self._n) ** 2)


class _SpectralStart:
    """Top generalised eigenvectors of `K^T R K` against `K^T K`, as R loses bits."""

    def __init__(self, kernel: NDArray[np.float64], residual: Residual) -> None:
        self._n = len(kernel)
        self._unit = residual.unit
        gram = kernel.T @ kernel
        ridge = _GRAM_RIDGE * np.trace(gram) / len(gram)
        gram[np.diag_indices_from(gram)] += ridge if ridge > 0 else 1.0
        self._lower = cholesky(gram, lower=True)
        half = solve_triangular(self._lower, kernel.T @ residual.product(kernel), lower=True)
        self._matrix = solve_triangular(self._lower, half.T, lower=True)

    def direction(self) -> NDArray[np.float64]:
        """`(anchors,)` a, with `a^T K^T K a = n` and its largest entry positive."""
        top = _top_eigenvector(self._matrix)
        top = top * np.sign(top[np.argmax(np.abs(top))])
        return np.sqrt(self._n) * solve_triangular(self._lower, top, lower=True, trans="T")

    def subtract(self, image: NDArray[np.float64]) -> None:
        """Follow R as it loses a bit b, given `K^T b`."""
        whitened = solve_triangular(self._lower, image, lower=True)
        self._matrix -= self._unit * np.outer(whitened, whitened)


def smoothed(residual: Residual) -> Smooth:
    """`-phi(z)^T R phi(z)` of outputs z and its gradient, `phi(x) = 2 / (1 + exp(-x)) - 1`.

    The gradient is `-(R phi) (1 - phi^2)`: the 2 of the quadratic form cancels
    the 1/2 of `phi' = (1 - phi^2) / 2`.
    """

    def value_and_gradient(z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        phi = np.tanh(z / 2)
        image = residual.product(phi)
        return -float(phi @ image), -image * (1 - phi**2)

    return value_and_gradient


def nesterov(
    objective: Smooth,
    kernel: NDArray[np.floating],
    start: NDArray[np.float64],
    iterations: int,
    tolerance: float,
) -> NDArray[np.float64]:
    """Minimise `objective(K a)` over a: the best point met by accelerated descent.

    Outputs `K a` are carried along with a, so that a step costs one product
    with K and one with its transpose however often it is shortened; the two read all
    of K and are the cost of KSH, which a K of float32 halves.

    Args:
        objective: value and gradient at outputs z.
        kernel: `(n, anchors)` K.
        start: `(anchors,)` where to begin.
        iterations: steps, at most.
        tolerance: relative change of the value that ends the steps.
    """

    def image(a: NDArray[np.float64]) -> NDArray[np.float64]:
        return (kernel @ a.astype(kernel.dtype)).astype(np.float64)

    current = previous = np.concatenate([start, image(start)])
    size = len(start)
    momentum, curvature = 1.0, 1.0
    value = objective(current[size:])[0]
    best_value, best = value, start
    shortened = False
    for _ in range(iterations):
        next_momentum = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        point = current + (momentum - 1) / next_momentum * (current - previous)
        momentum = next_momentum
        at_point, slope = objective(point[size:])
        gradient = (kernel.T @ slope.astype(kernel.dtype)).astype(np.float64)
        downhill = np.concatenate([gradient, image(gradient)])
        squared = float(gradient @ gradient)
        if not shortened:
            curvature /= 2  # let the step grow again where the objective is flatter
        shortened = False
        for _ in range(60):
            trial = point - downhill / curvature
            at_trial = objective(trial[size:])[0]
            if at_trial <= at_point - squared / (2 * curvature):
                break
            curvature *= 2
            shortened = True
        else:
            break
        previous, current = current, trial
        change, value = abs(value - at_trial), at_trial
        if value < best_value:
            best_value, best = value, current[:size]
        if change <= tolerance * abs(value):
            break
    return best


def _top_eigenvector(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a symmetric matrix, by Lanczos where that is faster and converges."""
    size = len(matrix)
    if size > _LANCZOS_FROM:
        try:
            # From a fixed start: a random one would be drawn outside of `fit`'s seed.
            return np.asarray(eigsh(matrix, k=1, which="LA", v0=np.ones(size))[1][:, 0])
        except ArpackError:
            pass  # the top eigenvalues are too close, or all are zero
    return np.asarray(eigh(matrix, subset_by_index=[size - 1, size - 1])[1][:, 0])


def _sign(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values > 0, 1.0, -1.0)
