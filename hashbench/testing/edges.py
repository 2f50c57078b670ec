"""Checks at the edges: tiny and odd training sets end in codes or in a clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError
from hashbench.hyper import edges
from hashbench.items import TrainItems, items_from_features, train_from_features
from hashbench.testing.contract import refused
from hashbench.testing.subject import CheckError, Subject

#: Items of a training set that is odd enough: a slow method should not be fitted on more.
SOME = 40


def one_class(subject: Subject) -> None:
    """A training set of a single class: there is no dissimilar pair."""
    some = subject.toy.train.subset(range(SOME))
    labels = np.zeros_like(some.labels)
    labels[:, 0] = 1
    train = train_from_features(some.features(), labels)
    _codes_or_input_error(subject, train, "a training set of one class")


def all_different(subject: Subject) -> None:
    """A training set where every item is its own class: there is no similar pair."""
    train = train_from_features(subject.toy.train.features()[:12], np.eye(12, dtype=np.uint8))
    _codes_or_input_error(subject, train, "a training set without a similar pair")


def fewer_points_than_bits(subject: Subject) -> None:
    """Eight training items and 32 bits."""
    train = subject.toy.train.subset(range(8))
    _codes_or_input_error(subject, train, "8 training items and 32 bits", bits=32)


def two_items(subject: Subject) -> None:
    """Two training items, of two classes."""
    train = subject.toy.train.subset([0, 1])
    _codes_or_input_error(subject, train, "a training set of two items")


def constant_feature(subject: Subject) -> None:
    """A feature that never varies in training, and does at encode."""
    some = subject.toy.train.subset(range(SOME))
    features = some.features()
    features[:, 3] = 5
    train = train_from_features(features, some.labels)
    _codes_or_input_error(subject, train, "a feature that is constant in training")


def repeated_items(subject: Subject) -> None:
    """The same few items over and over: features of low rank."""
    train = subject.toy.train.subset(np.arange(40) % 5)
    _codes_or_input_error(subject, train, "a training set of five items repeated eight times")


def several_labels(subject: Subject) -> None:
    """Items with several labels, and some with none, as in NUS-WIDE."""
    some = subject.toy.train.subset(range(SOME))
    labels = some.labels | np.roll(some.labels, 1, axis=1)
    labels[::10] = 0
    train = train_from_features(some.features(), labels)
    _codes_or_input_error(subject, train, "items with several labels or none")


def declared_bounds(subject: Subject) -> None:
    """Hyper-parameters work at their declared bounds, and are refused beyond them."""
    train = subject.toy.train.subset(range(24))
    for name, value, allowed in edges(subject.cls):
        what = f"{name}={value!r}"
        if allowed:
            _codes_or_input_error(subject, train, what, **{**subject.at_most(2), name: value})
        else:
            refused(
                lambda name=name, value=value: subject.fit(train, **{name: value}),  # type: ignore[misc]
                (name,),
                f"{what}, beyond its declared bounds,",
                "call hashbench.hyper.check(self) before anything is learnt",
            )


def nan_features(subject: Subject) -> None:
    """Features that are not finite are refused, in fit and in encode."""
    advice = (
        "raise hashbench.InputError when not np.isfinite(features).all(), "
        "saying that the features hold NaN or infinity"
    )
    words = ("nan", "finite", "infin")
    with np.errstate(all="ignore"):  # that numpy warns of what is asked for here helps nobody
        _refuses_nan(subject, words, advice)


def _refuses_nan(subject: Subject, words: tuple[str, ...], advice: str) -> None:
    for value in (np.nan, np.inf):
        features = _with(subject.toy.train.features(), value)
        train = train_from_features(features, subject.toy.train.labels)
        refused(
            lambda train=train: subject.fit(train).encode(subject.toy.query),  # type: ignore[misc]
            words,
            f"a training feature of {value}",
            advice,
        )
    items = items_from_features(_with(subject.toy.query.features(), np.nan))
    refused(lambda: subject.fitted.encode(items), words, "a feature of nan in encode()", advice)


def _with(features: NDArray[np.float32], value: float) -> NDArray[np.float32]:
    changed = features.copy()
    changed[3, 2] = value
    return changed


def _codes_or_input_error(subject: Subject, train: TrainItems, what: str, **params: Any) -> None:
    try:
        hasher = subject.fit_briefly(train, **params)
        subject.encode(hasher, subject.toy.query)
    except (InputError, CheckError) as error:
        if isinstance(error, CheckError):
            raise
    except Exception as error:  # the point of the check
        raise CheckError(
            f"{what} ends in {type(error).__name__} ({error}): learn something valid from it "
            "(guard divisions and inverses, for instance by a small ridge), or raise "
            "hashbench.InputError with one sentence on what is needed"
        ) from error


CHECKS = (
    one_class,
    all_different,
    fewer_points_than_bits,
    two_items,
    constant_feature,
    repeated_items,
    several_labels,
    declared_bounds,
    nan_features,
)
