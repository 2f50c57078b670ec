"""The judge: scores of stored codes, kept ones where they are current, computed ones elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from hashbench.codes import Codes
from hashbench.evaluation import Convention, Scores
from hashbench.evaluation.metrics import versions
from hashbench.evaluation.referee import Counter
from hashbench.evaluation.views import score_views
from hashbench.store.record import Record
from hashbench.store.scorefiles import get_scores, get_versions, put_scores
from hashbench.store.store import Store, StoreError

SIDES = ("query", "database")


def judge(
    store: Store,
    record: Record,
    conventions: Sequence[Convention],
    codes: tuple[Codes, Codes] | None = None,
    *,
    keep: bool = True,
    counter: Counter | None = None,
) -> dict[str, Scores | None]:
    """The scores of a record's codes under each convention, by its name.

    They are a pure function of codes, labels and convention; those that are not
    stored, or were computed by another version of a metric, are computed from
    the stored codes under the labels they were made for, and stored.

    Args:
        store: where the record is.
        record: one with codes.
        conventions: what to have.
        codes: its (query, database) codes, where they are at hand.
        keep: whether a store that cannot be written to is an error.
        counter: counts in place of this process, see `evaluation.score`.

    Returns:
        None for a convention that needs real-valued outputs, where none are stored.

    Raises:
        InputError: if codes or labels are missing or damaged.
        StoreError: if scores cannot be kept (with `keep`).
    """
    found: dict[str, Scores | None] = {}
    missing = []
    for convention in conventions:
        current = current_scores(store, record, convention)
        found[str(convention)] = current
        if current is None:
            missing.append(convention)
    if not missing:
        return found
    query, database = codes or store.open_codes(record)
    usable = [item for item in missing if item.applies_to(query, database)]
    if not usable:
        return found
    split = store.open_split(record)
    theirs, ours = (np.asarray(split[f"{side}_labels"], np.uint8) for side in SIDES)
    views = {
        str(name): (split[f"view{place}_query"], split[f"view{place}_database"])
        for place, name in enumerate(split.get("views", ()))
    }
    for scores in score_views(query, database, theirs, ours, views, usable, counter=counter):
        found[str(scores.convention)] = scores
    for item in usable:
        computed = found[str(item)]
        assert computed is not None
        with suppress(*([] if keep else [StoreError])):
            put_scores(store, record, computed, versions(item))
    return found


def current_scores(store: Store, record: Record, convention: Convention) -> Scores | None:
    """Stored scores that today's metrics would give again; None without."""
    stored = get_scores(store, record, convention)
    if stored is None or stored[1] != versions(convention):
        return None
    return stored[0]


def missing_scores(
    store: Store, record: Record, conventions: Sequence[Convention]
) -> list[Convention]:
    """The conventions under which a record has no current scores and could have some."""
    return [
        item
        for item in conventions
        if (record.relaxed or not item.needs_relaxed)
        and get_versions(store, record, item) != versions(item)
    ]
