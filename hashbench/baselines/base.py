"""What every shallow method shares: the hasher contract and scikit-learn's, joined once."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from hashbench.codes import Codes
from hashbench.given import unwrapped
from hashbench.hasher import Hasher
from hashbench.hyper import check, whole
from hashbench.items import Items, TrainItems, demand_items, items_from_features, no_labels
from hashbench.seeds import derive
from hashbench.targets import multi_hot

#: Rows encoded at once: bounds the memory of encoding a database.
BATCH = 4096


@dataclass(kw_only=True, repr=False, eq=False)
class ShallowHasher(Hasher, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A hasher that learns from features alone, and a scikit-learn transformer.

    A subclass states its hyper-parameters as dataclass fields with their bounds
    (`hashbench.hyper`) and defines `_learn` and `_project`; everything else is
    here. Bounds are checked by `fit`, for scikit-learn's `clone` and `set_params`
    set attributes one by one, and by the runner when it makes a hasher.

    Training items are put in the order of their tokens before anything is drawn
    or learnt, so the order in which they are given never changes a code, and
    neither does a feature's last place change a draw. Rows of plain arrays have no
    token but their position: shuffling them is another draw, as for every
    estimator of scikit-learn.

    A method whose class says `supervised = False` gets labels of no class at all.

    Args:
        bits: code length.
        seed: root of every random draw of `fit`.

    Example:
        >>> from dataclasses import dataclass
        >>> import hashbench, numpy as np
        >>> @dataclass(kw_only=True, repr=False, eq=False)
        ... class First(hashbench.ShallowHasher):
        ...     name = "first"
        ...
        ...     def _learn(self, features, labels):
        ...         self.mean_ = features.mean(axis=0)
        ...
        ...     def _project(self, features):
        ...         return (features - self.mean_)[:, : self.bits]
        >>> X = np.array([[0.0, 5.0], [1.0, 3.0]])
        >>> First(bits=2).fit(X, [0, 1]).transform(X).tolist()
        [[0, 1], [1, 0]]
    """

    bits: int = whole(16)
    seed: int = whole(0, low=0)

    def fit(self, X: TrainItems | NDArray[Any], y: NDArray[Any] | None = None) -> Self:
        """Learn from training items, or from an array of features and its labels.

        Args:
            X: `TrainItems`, or `(n, dim)` features.
            y: with an array only: `(n,)` class ids or `(n, classes)` multi-hot.

        Raises:
            InputError: if a hyper-parameter is outside its declared bounds, or `y` holds
                no labels.
            ValueError: if `X` or `y` is malformed (scikit-learn's own messages).
        """
        check(self)
        if isinstance(X, TrainItems):
            order = token_order(X)
            features, labels = self._validated(X.features()), X.labels
            if not self.supervised:
                labels = labels[:, :0]
        else:
            no_labels(self.name, X)
            X = unwrapped("features", X)
            if self.supervised:
                targets = None if y is None else multi_hot(y)
                features, labels = self._validated(X, targets)  # which knows what to say of None
            else:
                features = self._validated(X)
                labels = np.zeros((len(features), 0), np.uint8)
            order = token_order(items_from_features(features))
        self._learn(features[order], labels[order])
        return self

    @abstractmethod
    def _learn(self, features: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        """Fit to `(n, dim)` features and `(n, classes)` multi-hot labels."""

    @abstractmethod
    def _project(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        """The `(n, bits)` real outputs of `(n, dim)` features."""

    def decision_function(self, X: NDArray[Any]) -> NDArray[np.floating]:
        """The `(n, bits)` real outputs whose signs are the bits.

        Raises:
            NotFittedError: before `fit`.
            ValueError: if `X` is malformed or has another dimension than in `fit`.
        """
        check_is_fitted(self)
        X = unwrapped("features", X)
        features = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return self._project(features)

    def transform(self, X: NDArray[Any]) -> NDArray[np.uint8]:
        """The codes of `(n, dim)` features as `(n, bits)` uint8 zeros and ones."""
        return (self.decision_function(X) > 0).astype(np.uint8)

    def encode(self, items: Items) -> Codes:
        """Codes of `items`, `(n, bits)`, in their order, with the real outputs kept."""
        check_is_fitted(self)
        demand_items(self.name, items)
        if len(items) == 0:
            return Codes.from_real(np.zeros((0, self.bits), np.float32))
        return Codes.concatenate(
            [
                Codes.from_real(self.decision_function(part.features()))
                for part in items.batches(BATCH)
            ]
        )

    def _generator(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng(derive(self.seed, self.name, purpose))

    def _validated(self, *arrays: Any) -> Any:
        options: dict[str, Any] = {"dtype": [np.float64, np.float32], "ensure_min_samples": 2}
        if len(arrays) == 2:
            options["multi_output"] = True
        return validate_data(self, *arrays, **options)

    @property
    def _n_features_out(self) -> int:
        return self.bits

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.supervised
        tags.transformer_tags.preserves_dtype = []
        return tags


def token_order(items: Items) -> NDArray[np.int64]:
    """`(n,)` positions of items in the order of their tokens, whatever order they came in.

    Features do not enter it, for they differ in the last place between machines.
    """
    return np.argsort(np.asarray(items.tokens), kind="stable")
