"""Labels as scikit-learn's users write them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError, shown
from hashbench.given import given
from hashbench.parsing import demand_distinct, demand_single, glued, is_class
from hashbench.spelling import composed


def multi_hot(targets: NDArray[Any]) -> NDArray[np.uint8]:
    """Class ids `(n,)` or multi-hot labels `(n, classes)` as multi-hot uint8.

    Raises:
        InputError: if two-dimensional targets hold anything but 0 and 1, or -1 and 1, or
            one-dimensional ones are no classes.
    """
    from sklearn.utils.multiclass import check_classification_targets

    targets = given("labels", targets)
    if targets.ndim not in (1, 2) or not targets.shape[-1]:
        raise InputError(
            "labels must be class ids (n,) or multi-hot (n, classes) of the items, got shape "
            f"{targets.shape}"
        )
    if targets.ndim == 2 and targets.shape[1] > 1:
        if not any(np.isin(targets, pair).all() for pair in ((0, 1), (-1, 1))):
            raise InputError(
                "labels of shape (n, classes) must be multi-hot: only 0 and 1, or only -1 and 1"
            )
        return np.asarray(targets > 0, np.uint8)
    targets = targets.ravel()
    if targets.dtype.kind in "US" or all(isinstance(word, str) for word in targets.tolist()):
        targets = written(targets.astype(str) if targets.dtype == object else targets)
        demand_names(set(targets.tolist()))
    try:
        check_classification_targets(targets)
        classes, ids = np.unique(targets, return_inverse=True)
    except (TypeError, ValueError) as error:
        raise InputError(
            "labels of shape (n,) must be class ids, whole numbers or words: "
            f"{shown(error.args[0] if error.args else error, 120)}"
        ) from error
    return np.eye(len(classes), dtype=np.uint8)[ids]


def written(words: NDArray[Any]) -> NDArray[np.str_]:
    """Class names as texts, their accents composed and without blanks around them.

    One name is one class however it is stored: MATLAB fills names up with blanks.

    Raises:
        InputError: for bytes that are no UTF-8.
    """
    classes, which = np.unique(words, return_inverse=True)
    try:
        texts = classes.tolist() if classes.dtype.kind == "U" else np.char.decode(classes, "utf-8")
    except UnicodeDecodeError:
        raise InputError("labels hold bytes that are no UTF-8: give class names as str") from None
    found = [composed(str(text).strip()) for text in texts]
    return np.array(found, np.str_)[which]


def demand_names(words: set[str]) -> None:
    """Raise where words may be something else than a class each.

    Raises:
        InputError: naming the first that may.
    """
    demand_distinct("labels", words)
    odd = next((word for word in sorted(words) if not is_class(word)), None)
    if odd is None:
        odd = glued(words)
    if odd is not None:
        told = f"'{shown(odd, 40)}'" if odd else "an empty text"
        raise InputError(
            f"labels have {told}, which is no name of a class: give numbers, (n, classes) of 0 and "
            "1 for items of several classes or of none"
        )
    demand_single("labels", words)
