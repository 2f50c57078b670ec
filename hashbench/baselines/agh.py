"""AGH: signs of a neighbourhood graph's eigenvectors, the graph known by its anchors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse import csr_array

from hashbench.baselines.anchor_graph import AnchorGraph
from hashbench.baselines.base import ShallowHasher
from hashbench.hyper import whole

#: Eigenvalues below this are rounding noise around zero.
_NO_EIGENVALUE = 1e-9


@dataclass(kw_only=True, repr=False, eq=False)
class AGH(ShallowHasher):
    """Anchor graph hashing (Liu, Wang, Kumar, Chang, ICML 2011).

    Items are neighbours as far as they share anchors: `A = Z diag(1^T Z)^-1 Z^T` for
    the weights Z on the nearest anchors. Its eigenvectors of largest eigenvalue below
    1 are `Z W` for a small `(anchors, .)` W, which extends them to any item (equations
    5 to 7 of the paper). One layer takes the signs of `bits` eigenvectors. Two layers
    take the signs of half as many, and a second bit of each that splits its positive
    and its negative side where the graph is cut least (section 3.3). Labels are not used.

    The trivial eigenvector alone is left out. A training set with fewer eigenvectors
    than wanted (there are at most `anchors - 1`) leaves the other bits 0 for every item.

    Args:
        bits: code length; an odd one leaves out the last second bit of two layers.
        seed: draws the first centres of k-means.
        anchors: number of anchors.
        nearest: anchors that represent an item (s in the paper).
        layers: 1 or 2.

    Attributes:
        graph_: the anchors and their bandwidth.
        projection_: `(anchors, eigenvectors)` float64 W.
        thresholds_: `(2, eigenvectors)` float64 thresholds of the second bits on the
            positive and the negative side; no column with one layer.
    """

    name: ClassVar[str] = "agh"
    title: ClassVar[str] = "AGH"
    year: ClassVar[int] = 2011
    supervised: ClassVar[bool] = False
    summary: ClassVar[str] = "eigenvectors of a graph known by its anchors, each split twice"
    citation: ClassVar[str] = "Liu, Wang, Kumar, Chang, ICML 2011"
    bibtex: ClassVar[str] = """@inproceedings{liu2011agh,
  author    = {Wei Liu and Jun Wang and Sanjiv Kumar and Shih-Fu Chang},
  title     = {Hashing with Graphs},
  booktitle = {International Conference on Machine Learning (ICML)},
  year      = {2011},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "anchors": [100, 200, 500, 1000],
        "nearest": [3, 5],
    }

    anchors: int = whole(300)
    nearest: int = whole(5)
    layers: int = whole(2, low=1, high=2)

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.graph_ = AnchorGraph(features, self.anchors, self.nearest, self._generator("anchors"))
        weights = self.graph_(features)
        found = graph_eigenvectors(weights, self._count)
        self.projection_ = np.zeros((len(self.graph_), self._count))
        self.projection_[:, : found.shape[1]] = found
        split = range(self._count if self.layers == 2 else 0)
        outputs = weights @ self.projection_
        self.thresholds_ = (
            np.array([split_thresholds(weights, outputs[:, column]) for column in split])
            .reshape(-1, 2)
            .T
        )

    @property
    def _count(self) -> int:
        return -(-self.bits // self.layers)

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        first = self.graph_(features) @ self.projection_
        if self.layers == 1:
            return first
        above, below = self.thresholds_
        second = np.where(first > 0, first - above, below - first)
        # A bit without an eigenvector has no side to split.
        second[:, ~self.projection_.any(axis=0)] = 0.0
        return np.hstack([first, second])[:, : self.bits]


def graph_eigenvectors(weights: csr_array, count: int) -> NDArray[np.float64]:
    """W of the eigenvectors `Z W` of the anchor graph, largest eigenvalue first.

    They are orthogonal to the constant vector and to each other, and have `n` for
    their squared length; the largest entry of a column of W is positive.

    Args:
        weights: `(n, anchors)` Z.
        count: how many are wanted.

    Returns:
        `(anchors, found)`; found is at most `count` and leaves out eigenvalues of zero.
    """
    n, size = weights.shape
    degrees = weights.sum(axis=0)
    root = np.zeros(size)  # an anchor without items is on no graph
    root[degrees > 0] = degrees[degrees > 0] ** -0.5
    small = root[:, None] * (weights.T @ weights).toarray() * root
    # The eigenvalue 1 of the constant vector, and no other 1: a graph may fall into parts.
    trivial = np.sqrt(degrees / degrees.sum())
    small -= np.outer(trivial, trivial)
    values, vectors = eigh((small + small.T) / 2, subset_by_index=[max(0, size - count), size - 1])
    kept = np.flatnonzero(values > _NO_EIGENVALUE)[::-1]
    found = np.sqrt(n) * root[:, None] * vectors[:, kept] * values[kept] ** -0.5
    largest = found[np.argmax(np.abs(found), axis=0), np.arange(len(kept))]
    return found * np.sign(largest)


def split_thresholds(weights: csr_array, outputs: NDArray[np.float64]) -> tuple[float, float]:
    """Where to split the two sides of an eigenvector y so that the graph is cut least.

    Minimises `f^T (I - A) f` for `f = y - b` on the positive side and `f = c - y` on the
    other, subject to `1^T f = 0` (section 3.3 of the paper): a quadratic in one unknown.

    Args:
        weights: `(n, anchors)` Z; `A = Z diag(1^T Z)^-1 Z^T`.
        outputs: `(n,)` y, of mean zero.

    Returns:
        b and c.
    """
    n = len(outputs)
    positive = outputs > 0
    ones = positive.astype(np.float64)
    above = int(positive.sum())
    folded = np.abs(outputs)
    degrees = np.maximum(weights.sum(axis=0), np.finfo(float).tiny)
    image = (weights.T @ ones) / degrees
    pull = ones @ folded - image @ (weights.T @ folded)
    cut = above - image @ (weights.T @ ones)
    # No edge between the sides: any split along the constraint cuts the same.
    step = pull / cut if cut > 1e-12 * n else 0.0
    balance = 2 * float(folded[positive].sum())
    return ((n - above) * step + balance) / n, (above * step - balance) / n
