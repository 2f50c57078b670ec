"""Scores of a split and of the parts of it that are scored by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashbench.codes import Codes
from hashbench.evaluation.convention import Convention
from hashbench.evaluation.labels import Labels
from hashbench.evaluation.metrics import in_view
from hashbench.evaluation.referee import score
from hashbench.evaluation.scores import Scores


def score_views(
    query: Codes,
    database: Codes,
    query_labels: Labels,
    database_labels: Labels,
    views: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]],
    conventions: Sequence[Convention],
    **options: Any,
) -> list[Scores]:
    """What `score` gives, with the scores of each view as `metric[view]`.

    Args:
        query: see `score`, as the next three and `conventions`.
        database: see `score`.
        query_labels: see `score`.
        database_labels: see `score`.
        views: positions within queries and within the database, by name; a view without a
            name is what the plain scores are of.
        conventions: what to compute.
        options: of `score`.
    """
    found = score(query, database, query_labels, database_labels, conventions, **options)
    for name, (asked, searched) in views.items():
        parts = score(
            query.subset(asked),
            database.subset(searched),
            query_labels[asked],
            database_labels[searched],
            conventions,
            **{**options, "curves": False},
        )
        found = [
            _beside(whole, part, name, asked) for whole, part in zip(found, parts, strict=True)
        ]
    return found


def _beside(whole: Scores, part: Scores, view: str, rows: NDArray[np.int64]) -> Scores:
    """The scores of a whole split, and those of a view of it as `metric[view]`."""
    queries = max((len(values) for values in whole.per_query.values()), default=0)
    per_query = dict(whole.per_query)
    for name, values in part.per_query.items():
        every = np.full(queries, np.nan)
        every[rows] = values
        per_query[in_view(name, view)] = every
    # A view without a name is what the plain scores are of.
    merged = {**whole, **{in_view(name, view): value for name, value in part.items()}}
    bounds = {**whole.bounds, **{in_view(name, view): pair for name, pair in part.bounds.items()}}
    return Scores(whole.convention, merged, per_query, whole.curves, bounds)
