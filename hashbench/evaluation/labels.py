"""Labels: what an array of them may mean, and counting by class ids.

Inside the evaluator labels have one of two forms: `(n, classes)` multi-hot, a
value above 0 being a label, or `(n,)` whole-numbered class ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.errors import InputError, shown
from hashbench.evaluation.histograms import BUDGET, Histograms

Array = NDArray[Any]

#: `(n, classes)` multi-hot, or `(n,)` class ids.
Labels = NDArray[Any]

#: What `histograms.count` is called with and returns.
Counter = Callable[..., Histograms]

#: Classes counted at a time: a word of labels.
WORD = 64
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
    classes = np.unique(np.concatenate(sides))
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
            _refuse(side, labels, labels != np.floor(labels), "whole-numbered class ids")
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


def labelled(labels: Array) -> NDArray[np.bool_]:
    """`(n,)` which items have a label at all."""
    return np.ones(len(labels), bool) if labels.ndim == 1 else np.asarray((labels > 0).any(axis=1))


def count_classes(
    counter: Counter,
    query: Codes,
    database: Codes,
    query_labels: Array,
    database_labels: Array,
    *,
    reach: int | None = None,
    engine: str = "auto",
    budget: int = BUDGET,
) -> Histograms:
    """As `histograms.count`, of class ids as well.

    Queries are counted in groups of at most 64 classes, whose labels fit one
    word: every pair is counted once, however many classes there are, and no
    multi-hot matrix of all classes is made.

    Args:
        counter: counts multi-hot labels.
        query: `queries` codes.
        database: `items` codes.
        query_labels: `(queries, classes)` multi-hot or `(queries,)` class ids.
        database_labels: the same of the database.
        reach: see `histograms.count`.
        engine: see `histograms.count`.
        budget: see `histograms.count`.
    """
    options = {"reach": reach, "engine": engine, "budget": budget}
    if query_labels.ndim == 2:
        return counter(query, database, query_labels, database_labels, **options)
    shared = np.intersect1d(query_labels, database_labels)
    group = np.searchsorted(shared, query_labels) // WORD
    group[~np.isin(query_labels, shared)] = 0  # nothing to find: counted with any others
    step = max(1, budget // (4 * WORD))
    rows: list[NDArray[np.int64]] = []
    counts: list[Histograms] = []
    for number in np.unique(group):
        classes = shared[number * WORD : (number + 1) * WORD]
        mine = np.flatnonzero(group == number)
        part = Codes(query.packed[mine], query.bits)
        hot = _one_hot(query_labels[mine], classes)
        found = None
        for start in range(0, len(database), step):
            items = slice(start, start + step)
            shard = Codes(database.packed[items], database.bits)
            theirs = _one_hot(database_labels[items], classes)
            more = counter(part, shard, hot, theirs, **options)
            found = more if found is None else found + more
        assert found is not None
        rows.append(mine)
        counts.append(found)
    if len(counts) == 1:
        return counts[0]
    back = np.argsort(np.concatenate(rows))
    return Histograms(
        np.concatenate([part.total for part in counts])[back],
        np.concatenate([part.relevant for part in counts])[back],
        counts[0].near,
    )


def _one_hot(ids: Array, classes: Array) -> NDArray[np.uint8]:
    hot = np.zeros((len(ids), max(1, len(classes))), np.uint8)
    if len(classes):
        place = np.minimum(np.searchsorted(classes, ids), len(classes) - 1)
        at = np.flatnonzero(classes[place] == ids)
        hot[at, place[at]] = 1
    return hot


def _named(query: Array, database: Array) -> tuple[tuple[str, Array], tuple[str, Array]]:
    return ("query", query), ("database", database)


def _plain(side: str, labels: Array) -> Array:
    """Labels as an array of numbers or words."""
    array = labels if isinstance(labels, np.ndarray) else np.asarray(labels)
    if array.dtype != object:
        return array
    kinds = {type(value) for value in array.ravel().tolist()}
    if kinds <= {str} or kinds <= {int, bool}:
        try:
            return array.astype(str if kinds <= {str} else np.int64)
        except OverflowError:
            pass
    odd = next((v for v in array.ravel().tolist() if not isinstance(v, str)), array.ravel()[:1])
    raise InputError(
        f"{side} labels hold objects such as {shown(odd, 30)}: give words or whole numbers"
    )


def _column(labels: Array) -> Array:
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def _refuse(side: str, part: Array, wrong: NDArray[np.bool_], meant: str, start: int = 0) -> None:
    if not wrong.any():
        return
    row = int(np.argmax(wrong if wrong.ndim == 1 else wrong.any(axis=1)))
    value = part[row] if part.ndim == 1 else part[row][wrong[row]][0]
    hint = " (-1 in bytes without a sign)" if part.dtype == np.uint8 and value == 255 else ""
    raise InputError(
        f"{side} labels must be {meant}, but row {start + row} holds {value}{hint}: "
        "give such labels, or class ids (n,)"
    )
