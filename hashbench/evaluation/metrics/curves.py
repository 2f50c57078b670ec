"""Curves by radius and by length of the list."""

from __future__ import annotations

import numpy as np

from hashbench.evaluation.metrics import ball, ranked
from hashbench.evaluation.metrics.counts import Counts
from hashbench.evaluation.scores import Floats, mean

#: Lengths of the "p@n" and "r@n" curves, as far as the database goes.
LENGTHS = (1, 2, 5, 10, 20, 50, *range(100, 1001, 100), 2000, 5000)


def lengths(longest: int) -> list[int]:
    """The lengths of the curves, given the longest list the convention ranks."""
    return [n for n in LENGTHS if n <= longest]


def curves(counts: Counts) -> dict[str, list[float]]:
    """Every curve of the convention; see `Scores`."""
    found: dict[str, list[float]] = {}
    near = counts.histograms.near  # the last bin is of all distances beyond the ball
    everywhere = slice((counts.total.shape[1] - 2) // counts.steps + 1) if near else slice(None)
    if counts.convention.has_ball:
        if counts.gains is not None:
            found["map@h"] = _floats(mean(ball.average_precision(counts, everywhere)))
        found["p@h"] = _floats(mean(ball.precision(counts, everywhere)))
        found["r@h"] = _floats(mean(ball.recall(counts, everywhere)))
    if counts.convention.has_list and counts.convention.counting == "items":
        at = lengths(counts.list_length())
        # A row a length, so that each mean is summed as that of the length alone.
        hits = np.array([counts.found(n) for n in at]).reshape(len(at), counts.queries)
        found["n"] = [float(n) for n in at]
        found["p@n"] = _floats(mean(ranked.precision(counts, hits, np.array(at)[:, None]), -1))
        found["r@n"] = _floats(mean(ranked.recall(counts, hits), -1))
    if counts.steps == 1 and not near:  # half-integer distances have no place on the curve
        found["similar"] = _floats(counts.relevant.sum(axis=0))
        found["dissimilar"] = _floats((counts.total - counts.relevant).sum(axis=0))
    return found


def _floats(values: Floats | np.ndarray) -> list[float]:
    return [float(value) for value in values]
