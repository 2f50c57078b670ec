"""Checks of behaviour: what codes may depend on, and that they are good for something."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.items import Items, TrainItems, rows_of, source_of
from hashbench.testing.elsewhere import encode_elsewhere, fit_elsewhere
from hashbench.testing.subject import (
    CheckError,
    Subject,
    require,
    require_like_outputs,
    require_same,
)
from hashbench.testing.toy import CLASSES, separation

#: An easy problem is beaten when a similar pair is the nearer one this often; chance is 0.5.
GOOD_ENOUGH = 0.65


def deterministic(subject: Subject) -> None:
    """The same seed gives the same codes, whatever the global random state is."""
    codes = []
    _disturb_global_randomness(1)
    codes.append(subject.encode(subject.begun, subject.toy.database))
    _disturb_global_randomness(2)
    codes.append(subject.encode(subject.fit_briefly(), subject.toy.database))
    _disturb_global_randomness(0)  # not that in which this was fitted, for the next class's first
    require_same(
        codes[0],
        codes[1],
        "two fits with the same seed give different codes: draw all randomness from self.seed, "
        "as in np.random.default_rng(self.seed), never from the global generators",
    )


def fit_forgets(subject: Subject) -> None:
    """A second fit forgets the first, and fitting twice is fitting once."""
    hasher = subject.fit_briefly(subject.other_toy.train)
    hasher.fit(subject.toy.train)
    require_same(
        subject.encode(subject.begun, subject.toy.database),
        subject.encode(hasher, subject.toy.database),
        "a hasher fitted before gives other codes than a fresh one: let fit() start from "
        "nothing but its arguments and hyper-parameters",
    )


def instances_independent(subject: Subject) -> None:
    """Fitting one hasher does not change another."""
    first = subject.fitted
    before = subject.encode(first, subject.toy.database)
    subject.fit_briefly(subject.other_toy.train, bits=20)
    require_same(
        before,
        subject.encode(first, subject.toy.database),
        "fitting a second hasher changed the first one's codes: keep learned state on self, "
        "not on the class, in the module or in a mutable default",
    )


def inputs_unchanged(subject: Subject) -> None:
    """Neither fit nor encode changes the items they are given."""
    problem = subject.toy
    before = _contents(problem.train)
    hasher = subject.fit_briefly(problem.train)
    subject.encode(hasher, problem.train.without_labels())
    require(
        before == _contents(problem.train),
        "fit() or encode() changed its items in place: copy an array before you write to it",
    )


def batches_equal_whole(subject: Subject) -> None:
    """Encoding in batches, of one item even, gives the codes of encoding at once."""
    items = subject.toy.database
    whole = subject.encode(subject.fitted, items)
    some = items.subset(range(20))
    for size, batches in (
        (1, [*some.batches(1), items.subset(range(20, len(items)))]),
        (7, items.batches(7)),
    ):
        parts = Codes.concatenate([subject.encode(subject.fitted, part) for part in batches])
        advice = (
            f"encoding {size} at a time gives other codes than encoding all at once: a code may "
            "depend on its own item alone; use statistics of the training set, and put a network "
            "into eval() mode"
        )
        require_same(whole, parts, advice, rounding=True)
        require_like_outputs(whole, parts, advice)


def order_irrelevant(subject: Subject) -> None:
    """An item's code does not depend on the items beside it or their order."""
    order = np.random.default_rng(0).permutation(len(subject.toy.database))
    shuffled = subject.encode(subject.fitted, subject.toy.database.subset(order))
    whole = subject.encode(subject.fitted, subject.toy.database)
    require_same(
        Codes(whole.packed[order], whole.bits),
        shuffled,
        "the same items in another order get other codes: return codes in the order of the items, "
        "each depending on its own item alone",
        rounding=True,
    )


def labels_not_read(subject: Subject) -> None:
    """Encoding works without labels, asks for none, and ignores those it could see."""
    items = subject.toy.train.without_labels()
    reads: list[str] = []
    watched = _Watched(source_of(items), rows_of(items), items._table, reads=reads)
    codes = subject.encode(subject.fitted, watched)
    require(
        not reads,
        "encode() looks for labels: codes must come from features or images alone, "
        "as queries have no labels",
    )
    wrong = np.roll(subject.toy.train.labels, 1, axis=0)
    poisoned = TrainItems(source_of(items), rows_of(items), items._table, labels=wrong)
    require_same(
        codes,
        subject.encode(subject.fitted, poisoned),
        "training items get other codes when their labels change: encode() must not read labels",
    )


def not_collapsed(subject: Subject) -> None:
    """Codes are not all equal, and most bits say something."""
    bits = subject.encode(subject.fitted, subject.toy.database).unpack()
    distinct = len(np.unique(bits, axis=0))
    constant = int((bits == bits[0]).all(axis=0).sum())
    require(
        distinct >= CLASSES,
        f"{len(bits)} items of {CLASSES} well separated classes get {distinct} distinct codes: "
        "the codes have collapsed; look at the loss, the learning rate and the sign of outputs",
    )
    require(
        constant <= bits.shape[1] // 2,
        f"{constant} of {bits.shape[1]} bits are the same for every item: centre the outputs, "
        "or look for dead units",
    )


def beats_chance(subject: Subject) -> None:
    """On an easy problem, items of a class are nearer than items of different classes."""
    problem = subject.toy
    share = separation(
        subject.encode(subject.fitted, problem.query),
        subject.encode(subject.fitted, problem.database),
        problem.query_labels @ problem.database_labels.T > 0,
    )
    require(
        share >= GOOD_ENOUGH,
        f"a similar pair is nearer than a dissimilar one {share:.0%} of the time, chance is 50%, "
        f"and {GOOD_ENOUGH:.0%} is expected on classes this far apart: check that similar items "
        "get similar codes, that rows of features and labels stay together, and that "
        "test_params leaves enough training",
    )


def other_process(subject: Subject) -> None:
    """In another process a pickled copy, and one fitted there, give the same codes."""
    try:
        features = subject.toy.database.features()
        packed = encode_elsewhere(subject.fitted, features)
        params = subject.params(**subject.brief)
        fitted = fit_elsewhere(subject.cls, params, subject.toy.train, features)
    except Exception as error:  # pickle raises several
        raise CheckError(
            f"a hasher cannot be used in another process ({type(error).__name__}: {error}): "
            "keep arrays, tensors and plain values on self, no lambdas, open files or generators, "
            "and keep the class at the top level of its file"
        ) from error
    here = subject.encode(subject.fitted, subject.toy.database)
    require_same(
        here,
        Codes(packed, here.bits),
        "a pickled copy gives other codes in another process: everything encode() needs "
        "must be on self, and nothing may depend on hash() of a string or on object ids",
        rounding=True,
    )
    require_same(
        subject.encode(subject.begun, subject.toy.database),
        Codes(fitted, here.bits),
        "fitted in another process it gives other codes: no random number may depend on hash() of "
        "a string, on the time or on the process, and fit() on nothing that is done but once",
        rounding=True,
    )


@dataclass(frozen=True, eq=False)
class _Watched(Items):
    """Items that notice when somebody asks for labels."""

    reads: list[str] | None = None

    def __getattr__(self, name: str) -> NDArray[np.uint8]:
        if name == "labels":
            assert self.reads is not None
            self.reads.append(name)
        raise AttributeError(name)


def _contents(train: TrainItems) -> list[bytes]:
    return [array.tobytes() for array in (train.features(), train.labels, rows_of(train))]


def _disturb_global_randomness(state: int) -> None:
    random.seed(state)
    np.random.seed(state)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(state)


CHECKS = (
    deterministic,
    fit_forgets,
    instances_independent,
    inputs_unchanged,
    batches_equal_whole,
    order_irrelevant,
    labels_not_read,
    not_collapsed,
    beats_chance,
    other_process,
)
