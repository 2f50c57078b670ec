"""What an entry may be right in every number about, and still not be what it says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.data import Split
from hashbench.evaluation import Convention, split_view
from hashbench.evaluation.words import Words, code_words, label_words
from hashbench.items import rows_of

#: Items that no method has learned from, below which nothing is said of their codes.
FEWEST, ENOUGH = 200, 1000

#: Kinds of labels up to which every item is held against the code of each.
MOST_KINDS = 256

#: Share of items that may lie nearer to another label's code, and the least share of items
#: in which a bit must differ from the rest to tell anything.
HARDLY, SHARE = 0.001, 0.05

#: Fingerprints that are taken of codes, and queries and items that each is of.
_BLOCKS, _QUERIES, _ITEMS = 4, 25, 1000


def fingerprints(codes: tuple[Codes, Codes]) -> list[str]:
    """Digests that codes share with the same ones, their bits in another order or flipped.

    They are of Hamming distances, on which scores alone depend, between some queries and some
    items each, so that a copy with a few items changed still has most of them.
    """
    query, database = codes
    sizes = f"{len(query)} {len(database)} {query.bits}\n"
    found = []
    for block in range(_BLOCKS):
        mine = code_words(query.packed[block::_BLOCKS][:_QUERIES])
        theirs = code_words(database.packed[block::_BLOCKS][:_ITEMS])
        distances = _distances(mine[:, :, None], theirs[:, None])
        found.append(hashlib.sha256(sizes.encode() + distances.astype("<u2").tobytes()).hexdigest())
    return found


def label_codes(codes: tuple[Codes, Codes], split: Split) -> str:
    """Why the codes seem to have been made from the labels, as a sentence; "" if they do not.

    Looked at are queries, and database items that are no training images, each side by itself
    and both together: a method may well learn by heart what it was given. Codes of which each
    is that of its label, or lies nearest to that of its label with hardly an exception in a
    thousand, no method gives, nor a bit that has labels say its value, each time.
    """
    query, database = codes
    unseen = ~np.isin(rows_of(split.database), rows_of(split.train))
    sides = [
        ("database images", database.packed[unseen], split.database_labels[unseen]),
        ("queries", query.packed, split.query_labels),
    ]
    if min(len(packed) for _, packed, _ in sides) < ENOUGH:  # too few of a side to tell by it
        both = [np.concatenate([side[at] for side in sides]) for at in (1, 2)]
        sides.append(("images", both[0], both[1]))
    return next(filter(None, (_made(*side) for side in sides)), "")


def _made(what: str, packed: NDArray[np.uint8], labels: NDArray[np.uint8]) -> str:
    if len(packed) < FEWEST:
        return ""
    words = code_words(packed)
    examples, kind = _kinds(label_words(labels))
    firsts, word = _kinds(words)
    kinds, codes = len(examples), len(firsts)
    if codes < 2 or kinds < 2 or len(packed) < 2 * kinds:
        return ""
    pairs = len(np.unique(kind * np.int64(codes) + word))
    if pairs == kinds:
        return (
            f"its codes are a function of the labels alone: {len(packed):,} {what} that it did "
            f"not learn from have {codes} codes, one for each of {kinds} kinds of labels"
        )
    if len(packed) < ENOUGH:
        return ""
    if told := _told_bits(words, examples, kind):
        return (
            f"{told} of its bits are functions of the labels: they tell {len(packed):,} {what} "
            "that it did not learn from by their labels without an error"
        )
    if kinds > MOST_KINDS:
        return ""
    centres = words[:, firsts[_commonest(kind, word, kinds, codes)]]
    apart = _distances(centres[:, :, None], words[:, None])
    mine = apart[kind, np.arange(len(packed))]
    apart[kind, np.arange(len(packed))] = np.iinfo(np.uint16).max
    errors = int((mine >= apart.min(axis=0)).sum())
    if errors <= len(packed) * HARDLY:
        count = "without an error" if not errors else f"with {errors:,} errors"
        return (
            f"its codes tell the labels {count}: {'each' if not errors else 'all others'} of "
            f"{len(packed):,} {what} that it did not learn from lies nearest to the code of its "
            "own labels"
        )
    return ""


def _told_bits(words: Words, examples: NDArray[np.int64], kind: NDArray[np.int64]) -> int:
    """How many bits have the same value in all items of equal labels, and are of use.

    Looked at are labels that several items have; of use is a bit that is not the same
    in nearly all of them.

    Args:
        words: `(words, n)` the items' codes.
        examples: `(kinds,)` an item of each kind of labels.
        kind: `(n,)` the kind of each item's labels.
    """
    several = np.bincount(kind)[kind] > 1
    count = int(several.sum())
    if count < ENOUGH:
        return 0
    mine, theirs = words[:, several], words[:, examples[kind[several]]]
    told = 0
    for word, differ in zip(mine, np.bitwise_or.reduce(mine ^ theirs, axis=1), strict=True):
        for place in range(64):
            bit = np.uint64(1) << np.uint64(place)
            if not differ & bit:
                share = np.count_nonzero(word & bit) / count
                told += bool(SHARE < share < 1 - SHARE)
    return told


def limits(split: Split, convention: Convention) -> Callable[[str], float]:
    """The highest score that the labels allow, by a metric's name; infinite where not known.

    For mean average precision, and for precision and recall of lists; codes can at best put
    every relevant item first.
    """
    dropping = {convention.norelevant, convention.unlabelled, convention.empty, convention.nohit}
    strict = dropping == {"zero"} and convention.scope != "graded"
    counted = cache(partial(_relevant, split))  # asked for where a claim does not fit, seldom

    def limit(name: str) -> float:
        plain, view = split_view(name)
        match = re.fullmatch(r"(map|p|r)(?:@(h)?(\d{1,8}))?", plain)
        if match is None or view or "" in split.views or not strict:
            return np.inf
        relevant = counted()
        some = relevant[relevant > 0]
        if not len(some):
            return np.inf
        kind, ball, number = match[1], match[2], int(match[3] or 0)
        if kind == "map" or ball or not number:
            return len(some) / len(relevant)
        found = np.minimum(some, number)
        if kind == "r":
            return float((found / some).mean())
        return float(found.sum() / (number * len(relevant)))

    return limit


def _relevant(split: Split) -> NDArray[np.int64]:
    """How many database items share a label with each query."""
    theirs = (split.database_labels > 0).astype(np.float32)
    found = np.empty(len(split.query_labels), np.int64)
    step = max(1, (1 << 26) // max(1, len(theirs)))
    for start in range(0, len(found), step):
        mine = (split.query_labels[start : start + step] > 0).astype(np.float32)
        found[start : start + step] = (mine @ theirs.T > 0).sum(axis=1)
    return found


def _distances(ours: Words, theirs: Words) -> NDArray[np.uint16]:
    """Hamming distances of `(words, ...)` codes, one side's against the other's."""
    found = np.bitwise_count(ours[0] ^ theirs[0]).astype(np.uint16)
    for mine, other in zip(ours[1:], theirs[1:], strict=True):
        found += np.bitwise_count(mine ^ other)
    return found


def _kinds(words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first of each kind of equal columns, and which kind each column is of."""
    whole: NDArray[Any] = words[0]
    if len(words) > 1:
        rows = np.ascontiguousarray(words.T)
        whole = rows.view(np.dtype((np.void, 8 * len(words)))).ravel()
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    return first, which.ravel().astype(np.int64)


def _commonest(
    kind: NDArray[np.int64], word: NDArray[np.int64], kinds: int, words: int
) -> NDArray[np.int64]:
    """The commonest word of each kind."""
    pairs, counts = np.unique(kind * np.int64(words) + word, return_counts=True)
    order = np.argsort(counts, kind="stable")
    found = np.zeros(kinds, np.int64)
    found[pairs[order] // words] = pairs[order] % words  # the last that is put there is commonest
    return found
