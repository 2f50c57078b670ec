"""Shifted queries: the pictures one searches with are worse than those one trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hashbench.data.corruptions import KINDS, CorruptedSource
from hashbench.data.joined import JoinedSource
from hashbench.data.split import PLAIN, Split, View
from hashbench.items import Items, TrainItems, rows_of, source_of
from hashbench.seeds import derive

#: Severities that are scored, of 1 to 5.
SEVERITIES = (1, 3, 5)


def shifted_queries(split: Split, seed: int) -> Split:
    """The split with every query once more under each kind and severity of corruption.

    Training set and database stay, and the plain score is of the clean queries. Views
    `<kind>-<severity>` are of one corruption, `severity-<n>` of all kinds of one severity.
    """
    clean, count = rows_of(split.query), len(split.query)
    source = source_of(split.query)
    root = derive(seed, "shifted queries")
    parts = [(kind, severity) for severity in SEVERITIES for kind in KINDS]
    joined = JoinedSource(
        [source, *(CorruptedSource(source, clean, kind, level, root) for kind, level in parts)]
    )
    rows = np.concatenate([clean, np.arange(len(source), len(joined))])
    database = np.arange(len(split.database))
    views: dict[str, View] = {PLAIN: (np.arange(count), database)}
    for number, (kind, severity) in enumerate(parts, 1):
        views[f"{kind}-{severity}"] = (np.arange(number * count, (number + 1) * count), database)
    for severity in SEVERITIES:
        mine = [views[f"{kind}-{severity}"][0] for kind in KINDS]
        views[f"severity-{severity}"] = (np.concatenate(mine), database)
    return replace(
        split,
        train=TrainItems(joined, rows_of(split.train), labels=split.train.labels),
        query=Items(joined, rows),
        database=Items(joined, rows_of(split.database)),
        query_labels=np.tile(split.query_labels, (len(parts) + 1, 1)),
        views=views,
    )
