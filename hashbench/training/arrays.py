"""Deep methods on plain arrays: scikit-learn's contract, for features that are at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_consistent_length

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.items import Items, TrainItems, items_from_features, train_from_features
from hashbench.targets import multi_hot


class OnArrays(TransformerMixin, BaseEstimator):
    """`get_params`, `set_params` and `clone`, and codes of `(n, dim)` features."""

    def encode(self, items: Items) -> Codes:
        """Codes of items; the hasher's own."""
        raise NotImplementedError

    def decision_function(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """The `(n, bits)` real outputs whose signs are the bits.

        Raises:
            RuntimeError: before `fit`.
            ValueError: if `X` is malformed or has another dimension than in `fit`.
        """
        codes = self.encode(items_from_features(check_array(X, dtype=np.float32)))
        assert codes.relaxed is not None  # Codes.from_real made them
        return codes.relaxed

    def transform(self, X: NDArray[Any]) -> NDArray[np.uint8]:
        """The codes of `(n, dim)` features as `(n, bits)` uint8 zeros and ones."""
        return (self.decision_function(X) > 0).astype(np.uint8)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def training_items(X: TrainItems | NDArray[Any], y: NDArray[Any] | None, who: str) -> TrainItems:
    """Training items as they are, or of an array of features and its labels.

    Args:
        X: `TrainItems`, or `(n, dim)` features.
        y: with an array only: `(n,)` class ids or `(n, classes)` multi-hot.
        who: the method's name, for messages.

    Raises:
        InputError: without labels, or for labels that are none.
        ValueError: if `X` is malformed (scikit-learn's own messages).
    """
    if isinstance(X, TrainItems):
        return X
    if y is None:
        raise InputError(f"{who} learns from labels: call fit(X, y)")
    features = check_array(X, dtype=np.float32)
    targets = np.asarray(y)
    check_consistent_length(features, targets)
    return train_from_features(features, multi_hot(targets))
