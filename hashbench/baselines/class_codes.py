"""Class codes: a classifier, and one far-apart codeword a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from hashbench.baselines.base import ShallowHasher
from hashbench.baselines.logistic import logistic_regression, one_label_each
from hashbench.codebooks import codebook
from hashbench.hyper import number
from hashbench.seeds import derive


@dataclass(kw_only=True, repr=False, eq=False)
class ClassCodes(ShallowHasher):
    """A floor: classify by logistic regression, give the codeword of the predicted class.

    Retrieval of known classes can be answered by a classifier alone (Sablayrolles et
    al., ICASSP 2017): a supervised method that does not clear this floor has learnt
    nothing about images beyond the classes it was shown.

    Features are standardised by the training set. With one label an item, a code is the
    codeword of the most probable class (softmax). With several, each class has a
    logistic function of its own, and a code is the sign of the sum of the codewords of
    all classes more probable than not; the most probable class decides ties, and
    stands alone where no class is.

    Args:
        bits: code length.
        seed: draws the codewords.
        ridge: weight of the squared weights beside the mean log loss.

    Attributes:
        scaler_: the fitted standardisation.
        weights_: `(dim, classes)` float64.
        biases_: `(classes,)` float64.
        codebook_: `(classes, bits)` int8 codewords in {-1, +1}.
        several_: whether items had several labels, or none.
    """

    name: ClassVar[str] = "class-codes"
    title: ClassVar[str] = "Class codes"
    year: ClassVar[int] = 2017
    role: ClassVar[Literal["method", "floor"]] = "floor"
    summary: ClassVar[str] = "the codeword of the class a logistic regression predicts"
    citation: ClassVar[str] = "Sablayrolles, Douze, Usunier, Jégou, ICASSP 2017"
    bibtex: ClassVar[str] = """@inproceedings{sablayrolles2017,
  author    = {Alexandre Sablayrolles and Matthijs Douze and Nicolas Usunier and
               Herv{\\'e} J{\\'e}gou},
  title     = {How Should We Evaluate Supervised Hashing?},
  booktitle = {IEEE International Conference on Acoustics, Speech and Signal Processing (ICASSP)},
  year      = {2017},
}"""
    space: ClassVar[Mapping[str, Sequence[Any]]] = {
        "ridge": [0.0001, 0.0003, 0.001, 0.003, 0.03, 0.1, 0.3, 1.0],
    }

    ridge: float = number(1e-2, above=0)

    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        self.scaler_ = StandardScaler().fit(features)
        rows = self.scaler_.transform(features).astype(np.float64)
        self.several_ = not one_label_each(labels)
        self.weights_, self.biases_ = logistic_regression(rows, labels, self.ridge)
        self.codebook_ = codebook(
            labels.shape[1], self.bits, derive(self.seed, self.name, "codebook")
        )

    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        rows = self.scaler_.transform(features).astype(np.float64)
        logits = rows @ self.weights_ + self.biases_
        first = self.codebook_[np.argmax(logits, axis=1)].astype(np.float64)
        if not self.several_:
            return first
        summed = (logits > 0).astype(np.float64) @ self.codebook_
        return np.where(summed == 0, first, np.sign(summed))
