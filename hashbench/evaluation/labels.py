"""Labels: what an array of them may mean.

Inside the evaluator labels have one of two forms: `(n, classes)` multi-hot, a
value above 0 being a label, or `(n,)` whole-numbered class ids.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import InputError, shown
from hashbench.given import given
from hashbench.parsing import in_number
from hashbench.targets import demand_names, written

Array = NDArray[Any]

#: `(n, classes)` multi-hot, or `(n,)` class ids.
Labels = NDArray[Any]

#: Rows that are looked at together, to bound memory.
ROWS = 1 << 20


def read_labels(query: Array, database: Array) -> tuple[Array, Array]:
    """The labels that two arrays stand for, as `score` takes them.

    Two-dimensional arrays are multi-hot and hold 0/1 or -1/+1; one-dimensional
    ones hold class ids, whole numbers or words, and so does a single column,
    which is how many loaders return ids.

    Args:
        query: `(queries, classes)`, `(queries,)` or `(queries, 1)`.
        database: the same of the database; multi-hot labels may be a memory map.

    Raises:
        InputError: for anything else, naming the first value that cannot be meant.
    """
    sides = [_column(_plain(side, labels)) for side, labels in _named(query, database)]
    if sides[0].ndim != sides[1].ndim or sides[0].ndim not in (1, 2):
        raise InputError(
            "labels must be multi-hot (n, classes) or class ids (n,) on both sides, "
            f"got shapes {np.shape(query)} and {np.shape(database)}"
        )
    for side, labels in _named(*sides):
        check_labels(side, labels)
    if sides[0].ndim == 2:
        return sides[0], sides[1]
    words = [labels.dtype.kind in "US" for labels in sides]
    if words[0] != words[1]:
        raise InputError("class ids must be numbers on both sides, or words on both")
    sides = list(map(written, sides)) if words[0] else _counted(*sides)
    if words[0]:
        demand_names(set(np.unique(np.concatenate(sides)).tolist()))
    classes = np.unique(np.concatenate(sides))
    if not words[0] and (remark := _remark(*sides)):
        warnings.warn(remark, stacklevel=4)
    found = [np.searchsorted(classes, labels).astype(np.int64) for labels in sides]
    return found[0], found[1]


def check_labels(side: str, labels: Array) -> None:
    """Raise unless labels are multi-hot of 0/1 or -1/+1, or class ids.

    Args:
        side: "query" or "database", for the message.
        labels: `(n, classes)` or `(n,)`.

    Raises:
        InputError: naming the first value that cannot be meant, and its row.
    """
    kind = labels.dtype.kind
    if kind not in "biuf" and not (labels.ndim == 1 and kind in "US"):
        raise InputError(f"{side} labels must be numbers, got {labels.dtype}")
    if labels.ndim == 1:
        if kind == "f":
            wrong = ~np.isfinite(labels) | (labels != np.floor(labels))
            _refuse(side, labels, wrong, "whole-numbered class ids")
            most = 2 ** min(np.finfo(labels.dtype).nmant + 1, 53)
            if (np.abs(labels) >= most).any():  # it has no place for every whole number there
                raise InputError(
                    f"{side} labels from {most:,} on cannot be told apart as {labels.dtype}: give "
                    "class ids as whole numbers (int64)"
                )
        return
    negative = False
    for start in range(0, len(labels), ROWS) if labels.dtype != np.bool_ else ():
        part = np.asarray(labels[start : start + ROWS])
        wrong = (part != 1) & (part != 0)
        if kind != "u" and wrong.any():
            wrong &= part != -1
            negative = True
        _refuse(side, part, wrong, "multi-hot, 0/1 or -1/+1", start)
    if negative:
        for start in range(0, len(labels), ROWS):
            part = np.asarray(labels[start : start + ROWS])
            _refuse(side, part, part == 0, "0/1 or -1/+1, not both", start)


def class_count(query: Array, database: Array) -> int:
    """How many classes two sides of labels tell apart."""
    if query.ndim == 2:
        return int(query.shape[1])
    return int(max(query.max(initial=-1), database.max(initial=-1))) + 1


def doubtful(query: Array, database: Array) -> str:
    """A sentence where labels make no query, or every query, similar to all items; or none.

    Args:
        query: labels as `read_labels` gives them.
        database: the same of the database.
    """
    if not len(query) or not len(database) or query.shape[1:] != database.shape[1:]:
        return ""
    if query.ndim == 1:
        mine, theirs = np.unique(query), np.unique(database)
        none = not len(np.intersect1d(mine, theirs))
        every = len(mine) == len(theirs) == 1 and not none
    else:
        (mine, all_mine), (theirs, all_theirs) = map(_spread, (query, database))
        none, every = not (mine & theirs).any(), bool((all_mine & all_theirs).any())
    if none:
        return (
            "no query has a label that a database item has, so nothing is relevant to any: check "
            "that both sides name classes in one way"
        )
    if every and len(database) > 1:
        return (
            "every query shares a label with every database item, so all rankings are perfect: "
            "check the labels (-1/+1 cast to bool is true everywhere)"
        )
    return ""


def _spread(labels: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """`(classes,)` which classes some row has, and which every row has."""
    some = np.zeros(labels.shape[1], bool)
    every = np.ones(labels.shape[1], bool)
    for start in range(0, len(labels), ROWS):
        part = np.asarray(labels[start : start + ROWS]) > 0
        some |= part.any(axis=0)
        every &= part.all(axis=0)
    return some, every


def class_members(query: Array, database: Array) -> Counter[bytes]:
    """The classes as digests of the items each has, whatever classes are called and ordered by.

    Two labellings of the same items are equal but for names if these are.

    Args:
        query: `(queries, classes)` multi-hot, a value above 0 being a label, or `(queries,)` ids.
        database: the same of the database.
    """
    found: Counter[bytes] = Counter()
    if query.ndim == 1:
        ids = np.concatenate([query, database])
        order = np.argsort(ids, kind="stable")
        members = np.split(order, np.flatnonzero(np.diff(ids[order])) + 1) if len(ids) else []
    else:
        members = [
            np.flatnonzero(np.concatenate([query[:, place] > 0, database[:, place] > 0]))
            for place in range(query.shape[1])
        ]
    for items in members:
        if len(items):
            found[hashlib.sha256(items.astype("<i8").tobytes()).digest()] += 1
    return found


def labelled(labels: Array) -> NDArray[np.bool_]:
    """`(n,)` which items have a label at all."""
    return np.ones(len(labels), bool) if labels.ndim == 1 else np.asarray((labels > 0).any(axis=1))


def _named(query: Array, database: Array) -> tuple[tuple[str, Array], tuple[str, Array]]:
    return ("query", query), ("database", database)


def _plain(side: str, labels: Array) -> Array:
    """Labels as an array of numbers or words."""
    array = given(f"{side} labels", labels)
    if array.dtype != object:
        return array
    values = array.ravel().tolist()
    if all(isinstance(value, str) for value in values):
        return array.astype(str)
    if all(isinstance(value, (int, np.integer, np.bool_)) for value in values):
        for whole in (np.int64, np.uint64):
            with suppress(OverflowError):
                return np.array([int(value) for value in values], whole).reshape(array.shape)
    odd = next(value for value in values if not isinstance(value, str))
    raise InputError(
        f"{side} labels hold objects such as {shown(odd, 30)}: give words or whole numbers"
    )


def _counted(query: Array, database: Array) -> list[Array]:
    """Whole numbers of any type as ones of one type, each its own number still."""
    sides = [
        ids if ids.dtype.kind == "u" else ids.astype(np.int64, copy=False)
        for ids in (query, database)
    ]
    if any(ids.dtype == np.uint64 and (ids >= 2**63).any() for ids in sides):
        if any(ids.dtype.kind == "i" and (ids < 0).any() for ids in sides):
            raise InputError("class ids must be all below 2**63, or none below 0")
        return [ids.astype(np.uint64, copy=False) for ids in sides]
    return [ids.astype(np.int64, copy=False) for ids in sides]


def _remark(query: Array, database: Array) -> str:
    """A sentence where class ids may mean something else than they say, or none."""
    mine, theirs = np.unique(query), np.unique(database)
    if not len(mine) or not len(theirs):
        return ""
    low, high, first, last = int(mine[0]), int(mine[-1]), int(theirs[0]), int(theirs[-1])
    # All whole numbers from one to another in the database, and the queries' lie one further.
    if len(theirs) == last - first + 1 > 1 and (
        (low > first and high == last + 1) or (low == first - 1 and high < last)
    ):
        return (
            f"class ids of the queries are {low} to {high} and those of the database {first} to "
            f"{last}: check whether one side counts from 0 and the other from 1"
        )
    if (mine == -1).any() | (theirs == -1).any() and len(np.union1d(mine, theirs)) > 2:
        bare = int((query == -1).sum() + (database == -1).sum())
        return (
            f"{in_number(bare, 'item has', 'items have')} the class id -1, which often stands for "
            "no label, and count as one class: leave them out, or give multi-hot labels, if so"
        )
    return ""


def _column(labels: Array) -> Array:
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def _refuse(side: str, part: Array, wrong: NDArray[np.bool_], meant: str, start: int = 0) -> None:
    if not wrong.any():
        return
    row = int(np.argmax(wrong if wrong.ndim == 1 else wrong.any(axis=1)))
    value = part[row] if part.ndim == 1 else part[row][wrong[row]][0]
    wrapped = part.dtype.kind == "u" and value == np.iinfo(part.dtype).max
    unsigned = "bytes" if part.dtype == np.uint8 else "numbers"
    hint = f" (-1 in {unsigned} without a sign)" if wrapped else ""
    raise InputError(
        f"{side} labels must be {meant}, but row {start + row} holds {value}{hint}: "
        "give such labels, or class ids (n,)"
    )
