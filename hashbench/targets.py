"""Labels as scikit-learn's users write them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError, shown
from hashbench.given import given


def multi_hot(targets: NDArray[Any]) -> NDArray[np.uint8]:
    """Class ids `(n,)` or multi-hot labels `(n, classes)` as multi-hot uint8.

    Raises:
        InputError: if two-dimensional targets hold anything but 0 and 1, or one-dimensional
            ones are no classes.
    """
    from sklearn.utils.multiclass import check_classification_targets

    targets = given("labels", targets)
    if targets.ndim not in (1, 2) or not targets.shape[-1]:
        raise InputError(
            "labels must be class ids (n,) or multi-hot (n, classes) of the items, got shape "
            f"{targets.shape}"
        )
    if targets.ndim == 2 and targets.shape[1] > 1:
        if not np.isin(targets, (0, 1)).all():
            raise InputError("labels of shape (n, classes) must be multi-hot: only 0 and 1")
        return targets.astype(np.uint8)
    targets = targets.ravel()
    try:
        check_classification_targets(targets)
        classes, ids = np.unique(targets, return_inverse=True)
    except (TypeError, ValueError) as error:
        raise InputError(
            "labels of shape (n,) must be class ids, whole numbers or words: "
            f"{shown(error.args[0] if error.args else error, 120)}"
        ) from error
    return np.eye(len(classes), dtype=np.uint8)[ids]
