"""Scores: every metric of one convention, by name, with its coverage."""

from __future__ import annotations

import math
from collections.abc import ItemsView, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hashbench.errors import shown, unknown
from hashbench.evaluation.convention import Convention

Floats = NDArray[np.float64]


class Scores(Mapping[str, float]):
    """The metrics of one convention: `scores["map@h2"]`, `scores["p@100"]`, ...

    Within the ball of radius R: `map@hR`, `p@hR`, `r@hR` (mean average
    precision, precision, recall); `empty@hR` and `nohit@hR` (shares of queries
    whose ball is empty, or holds items but no relevant one); `ball@hR` and
    `ball-q05@hR`, `ball-median@hR`, `ball-q95@hR` (items in the ball);
    `kept@hR` (share of queries that `map@hR` averages over).
    Of the ranked list: `map`, `map@N`, `p@N`, `r@N`, and `kept`. A list longer
    than the database is undefined (NaN). What else there is, and what a name
    means, `metrics.metrics` and `metrics.describe_metric` say.

    Attributes:
        convention: the choices these scores were computed under.
        per_query: metric name -> `(queries,)` float64, NaN where the convention
            leaves the query out.
        curves: "map@h", "p@h", "r@h" by radius 0..bits, or as far as was
            counted; "p@n" and "r@n" at the lengths in "n"; "similar" and
            "dissimilar", numbers of pairs at each distance.
        bounds: metric name -> its value with tied items in the worst and in the
            best order, for conventions whose original sorts them arbitrarily.
    """

    def __init__(
        self,
        convention: Convention,
        values: dict[str, float],
        per_query: dict[str, Floats],
        curves: dict[str, list[float]],
        bounds: dict[str, tuple[float, float]] | None = None,
    ) -> None:
        self.convention = convention
        self.per_query = per_query
        self.curves = curves
        self.bounds = bounds or {}
        self._values = values

    def __getitem__(self, name: str) -> float:
        try:
            return self._values[name]
        except KeyError:
            known = ", ".join(self._values)
            raise KeyError(f"no {name} under {self.convention}; there are {known}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def items(self) -> ItemsView[str, float]:
        """Every metric's name and value."""
        return self._values.items()

    def __len__(self) -> int:
        return len(self._values)

    def value(self, name: str) -> float:
        """The metric called `name`.

        Raises:
            InputError: if the convention does not define it, with near names.
        """
        if not isinstance(name, str) or name not in self._values:
            raise unknown(f"metric of convention '{self.convention}'", shown(name), self._values)
        return self._values[name]

    def to_dict(self) -> dict[str, float | None]:
        """The metrics as a JSON-able dict; None where a metric is undefined."""
        return {
            name: value if math.isfinite(value) else None for name, value in self._values.items()
        }

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:.4f}" for name, value in self._values.items())
        return f"Scores({self.convention}: {shown})"


def mean(values: Floats, axis: int = 0) -> Floats:
    """The mean over queries (an axis) of those not left out (NaN); NaN if none is."""
    left_out = np.isnan(values)
    if not left_out.any():
        return np.asarray(values.mean(axis=axis))
    kept = (~left_out).sum(axis=axis)
    total = np.where(left_out, 0.0, values).sum(axis=axis)
    return np.asarray(np.where(kept > 0, total / np.maximum(kept, 1), np.nan))
