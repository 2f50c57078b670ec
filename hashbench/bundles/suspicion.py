"""What an entry may be right in every number about, and still not be what it says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import BITORDER, Codes
from hashbench.data import Split
from hashbench.evaluation import Convention, split_view
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
        mine = query.packed[block::_BLOCKS][:_QUERIES]
        theirs = database.packed[block::_BLOCKS][:_ITEMS]
        distances = np.bitwise_count(mine[:, None] ^ theirs[None]).sum(axis=2, dtype=np.uint16)
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
    return next(filter(None, (_made(*side, query.bits) for side in sides)), "")


def _made(what: str, packed: NDArray[np.uint8], labels: NDArray[np.uint8], bits: int) -> str:
    if len(packed) < FEWEST:
        return ""
    kinds, kind = _kinds(np.packbits(labels > 0, axis=1))
    words, word = _kinds(packed)
    if len(words) < 2 or len(kinds) < 2 or len(packed) < 2 * len(kinds):
        return ""
    pairs = len(np.unique(kind * np.int64(len(words)) + word))
    if pairs == len(kinds):
        return (
            f"its codes are a function of the labels alone: {len(packed):,} {what} that it did "
            f"not learn from have {len(words)} codes, one for each of {len(kinds)} kinds of labels"
        )
    if len(packed) < ENOUGH:
        return ""
    if told := _told_bits(packed, kind, bits):
        return (
            f"{told} of its bits are functions of the labels: they tell {len(packed):,} {what} "
            "that it did not learn from by their labels without an error"
        )
    if len(kinds) > MOST_KINDS:
        return ""
    centres = words[_commonest(kind, word, len(kinds), len(words))]
    apart = np.stack(
        [np.bitwise_count(packed ^ centre).sum(axis=1, dtype=np.int32) for centre in centres]
    )
    mine = apart[kind, np.arange(len(packed))]
    apart[kind, np.arange(len(packed))] = np.iinfo(np.int32).max
    errors = int((mine >= apart.min(axis=0)).sum())
    if errors <= len(packed) * HARDLY:
        count = "without an error" if not errors else f"with {errors:,} errors"
        return (
            f"its codes tell the labels {count}: {'each' if not errors else 'all others'} of "
            f"{len(packed):,} {what} that it did not learn from lies nearest to the code of its "
            "own labels"
        )
    return ""


def _told_bits(packed: NDArray[np.uint8], kind: NDArray[np.int64], bits: int) -> int:
    """How many bits have the same value in all items of equal labels, and are of use.

    Looked at are labels that several items have; of use is a bit that is not the same
    in nearly all of them.
    """
    sizes = np.bincount(kind)
    several = sizes[kind] > 1
    count = int(several.sum())
    if count < ENOUGH:
        return 0
    kind, sizes = kind[several], np.where(sizes > 1, sizes, 0)
    places = np.unpackbits(packed[several], axis=1, count=bits, bitorder=BITORDER)
    told = 0
    for column in places.T:
        ones = np.bincount(kind, column, len(sizes))
        share = ones.sum() / count
        told += bool(((ones == 0) | (ones == sizes)).all() and SHARE < share < 1 - SHARE)
    return told


def limits(split: Split, convention: Convention) -> Callable[[str], float]:
    """The highest score that the labels allow, by a metric's name; infinite where not known.

    For mean average precision, and for precision and recall of lists; codes can at best put
    every relevant item first.
    """
    relevant = _relevant(split)
    some = relevant[relevant > 0]
    dropping = {convention.norelevant, convention.unlabelled, convention.empty, convention.nohit}
    strict = dropping == {"zero"} and convention.scope != "graded"

    def limit(name: str) -> float:
        plain, view = split_view(name)
        match = re.fullmatch(r"(map|p|r)(?:@(h)?(\d{1,8}))?", plain)
        if match is None or view or "" in split.views or not len(some) or not strict:
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


def _kinds(rows: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The different rows, and which of them each row is."""
    rows = np.ascontiguousarray(rows)
    whole: NDArray[Any] = rows.view(np.dtype((np.void, rows.shape[1]))).ravel()
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    return rows[first], which.ravel().astype(np.int64)


def _commonest(
    kind: NDArray[np.int64], word: NDArray[np.int64], kinds: int, words: int
) -> NDArray[np.int64]:
    """The commonest word of each kind."""
    pairs, counts = np.unique(kind * np.int64(words) + word, return_counts=True)
    order = np.argsort(counts, kind="stable")
    found = np.zeros(kinds, np.int64)
    found[pairs[order] // words] = pairs[order] % words  # the last that is put there is commonest
    return found
