"""Deep methods on plain arrays: scikit-learn's contract, for features that are at hand."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_consistent_length

from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.given import unwrapped
from hashbench.items import (
    Items,
    TrainItems,
    items_from_features,
    no_labels,
    train_from_features,
)
from hashbench.targets import multi_hot


class OnArrays(TransformerMixin, BaseEstimator):
    """`get_params`, `set_params` and `clone`, and codes of `(n, dim)` features."""

    supervised: ClassVar[bool]

    def encode(self, items: Items) -> Codes:
        """Codes of items; the hasher's own."""
        raise NotImplementedError

    def decision_function(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """The `(n, bits)` real outputs whose signs are the bits.

        Raises:
            RuntimeError: before `fit`.
            ValueError: if `X` is malformed or has another dimension than in `fit`.
        """
        features = check_array(unwrapped("features", X), dtype=np.float32)
        codes = self.encode(items_from_features(features))
        assert codes.relaxed is not None  # Codes.from_real made them
        return codes.relaxed

    def transform(self, X: NDArray[Any]) -> NDArray[np.uint8]:
        """The codes of `(n, dim)` features as `(n, bits)` uint8 zeros and ones."""
        return (self.decision_function(X) > 0).astype(np.uint8)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.supervised
        tags.transformer_tags.preserves_dtype = []
        return tags


def training_items(
    X: TrainItems | NDArray[Any], y: NDArray[Any] | None, who: str, *, supervised: bool = True
) -> TrainItems:
    """Training items as they are, or of an array of features and its labels.

    Args:
        X: `TrainItems`, or `(n, dim)` features.
        y: with an array only: `(n,)` class ids or `(n, classes)` multi-hot.
        who: the method's name, for messages.
        supervised: whether labels are looked at; else every item has none.

    Raises:
        InputError: without labels, or for labels that are none.
        ValueError: if `X` is malformed (scikit-learn's own messages).
    """
    if isinstance(X, TrainItems):
        return X
    no_labels(who, X)
    features = check_array(unwrapped("features", X), dtype=np.float32)
    if not supervised:
        return train_from_features(features, np.zeros((len(features), 1), np.uint8))
    if y is None:
        raise InputError(f"{who} learns from labels: call fit(X, y)")
    labels = multi_hot(y)
    check_consistent_length(features, labels)
    return train_from_features(features, labels)
