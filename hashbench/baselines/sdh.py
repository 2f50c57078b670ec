"""SDH: codes from which a linear classifier can tell the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve

from hashbench.baselines.base import ShallowHasher
from hashbench.baselines.kernel import AnchorKernel
from hashbench.hyper import number, whole

#: Sweeps of the discrete cyclic coordinate descent in one B step, at most.
_SWEEPS = 10


@dataclass(kw_only=True, repr=False, eq=False)
class SDH(ShallowHasher):
    """Supervised discrete hashing with the L2 loss (Shen et al., CVPR 2015).

    Minimises, in turn over W, P and the binary B,

        `||Y - B W||^2 + reg ||W||^2 + fit_weight (||B - Phi P||^2 + ridge ||P||^2)`

    where `Phi` holds radial basis functions around random training anchors and a
    constant. B is found bit by bit without relaxation (discrete cyclic
    coordinate descent, equation 11 of the paper). B is a by-product of training:
    every item, of the training set too, is encoded by the hash function
    `sgn(phi(x) P)`.

    Args:
        bits: code length.
        seed: draws the anchors and the first B.
        anchors: number of basis functions.
        width: bandwidth relative to the root mean square distance.
        reg: weight of `||W||^2` (lambda in the paper).
        fit_weight: weight of the hash function's fit (nu in the paper).
        ridge: added to the diagonal of `Phi^T Phi`.
        iterations: turns over B, W and P, at most.
        tolerance: relative fall of the objective that ends the turns.

    Attributes:
        kernel_: the anchors and bandwidth.
        projection_: `(anchors + 1, bits)` float64 P.
        objective_: the objective after each turn; never rises.
    """

    name: ClassVar[str] = "sdh"
    title: ClassVar[str] = "SDH"
    year: ClassVar[int] = 2015
    summary: ClassVar[str] = "discrete codes that classify linearly, kernel hash function"
    citation: ClassVar[str] = "Shen, Shen, Liu, Shen, CVPR 2015"
    bibtex: ClassVar[str] = """@inproceedings{shen2015sdh,
  author    = {Fumin Shen and Chunhua Shen and Wei Liu and Heng Tao Shen},
  title     = {Supervised Discrete Hashing},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2015},
}"""
    version: ClassVar[str] = "2"
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "width": [0.25, 0.35, 0.7, 1.0],
        "ridge": [0.001, 0.01],
    }

    anchors: int = whole(1000)
    width: float = number(0.5, above=0)
    reg: float = number(1.0, above=0)
    fit_weight: float = number(1e-5, low=0)
    ridge: float = number(1e-2, above=0)
    iterations: int = whole(5, low=0)
    tolerance: float = number(1e-5, low=0)

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.kernel_ = AnchorKernel(features, self.anchors, self.width, self._generator("anchors"))
        phi = self._basis(features)
        targets = labels.astype(np.float64)
        first = self._generator("codes").integers(0, 2, (len(phi), self.bits))
        signs: NDArray[np.float64] = np.where(first > 0, 1.0, -1.0)
        gram = phi.T @ phi
        gram[np.diag_indices_from(gram)] += self.ridge
        factor = cho_factor(gram, overwrite_a=True)
        weights = classifier(signs, targets, self.reg)
        self.projection_: NDArray[np.float64] = cho_solve(factor, phi.T @ signs)
        self.objective_: list[float] = []
        for _ in range(self.iterations):
            outputs = self.fit_weight * (phi @ self.projection_) + targets @ weights.T
            signs = discrete_descent(signs, outputs, weights @ weights.T, _SWEEPS)
            weights = classifier(signs, targets, self.reg)
            self.projection_ = cho_solve(factor, phi.T @ signs)
            self.objective_.append(
                float(
                    np.sum((targets - signs @ weights) ** 2)
                    + self.reg * np.sum(weights**2)
                    + self.fit_weight * np.sum((signs - phi @ self.projection_) ** 2)
                    + self.fit_weight * self.ridge * np.sum(self.projection_**2)
                )
            )
            if len(self.objective_) > 1:
                before, after = self.objective_[-2:]
                if before - after <= self.tolerance * before:
                    break

    def _basis(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        values = self.kernel_(features)
        return np.hstack([values, np.ones((len(values), 1))])

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        return self._basis(features) @ self.projection_


def classifier(
    signs: NDArray[np.float64], targets: NDArray[np.float64], reg: float
) -> NDArray[np.float64]:
    """`(bits, classes)` ridge regression of the labels on the codes (the W step)."""
    gram = signs.T @ signs
    gram[np.diag_indices_from(gram)] += reg
    weights: NDArray[np.float64] = solve(gram, signs.T @ targets, assume_a="pos")
    return weights


def discrete_descent(
    signs: NDArray[np.float64],
    outputs: NDArray[np.float64],
    coupling: NDArray[np.float64],
    sweeps: int,
) -> NDArray[np.float64]:
    """Minimise `tr(B coupling B^T) - 2 tr(B outputs^T)` over B in {-1, +1}.

    One bit of all codes at a time, each step exact, until a sweep changes
    nothing: `b_k = sgn(q_k - sum_{l != k} b_l coupling_lk)`.

    Args:
        signs: `(n, bits)` start; not changed.
        outputs: `(n, bits)` Q.
        coupling: `(bits, bits)` symmetric, `W W^T` in SDH.
        sweeps: sweeps over all bits, at most.
    """
    codes = signs.copy(order="F")
    for _ in range(sweeps):
        changed = False
        for k in range(codes.shape[1]):
            others = coupling[:, k].copy()
            others[k] = 0.0
            bit = np.where(outputs[:, k] - codes @ others > 0, 1.0, -1.0)
            changed |= not np.array_equal(bit, codes[:, k])
            codes[:, k] = bit
        if not changed:
            break
    return codes
