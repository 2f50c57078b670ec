"""Is the difference real? Tests, intervals and the rank certificate, from scores of queries.

All are pure functions of `(seeds, queries)` arrays, NaN where a convention
leaves a query out.
"""

from hashbench.evaluation.statistics.family import (
    Family,
    certify,
    compare_family,
    correct,
    leads,
)
from hashbench.evaluation.statistics.flips import SMALLEST_SHOWN, flip_test, holm, shown_p
from hashbench.evaluation.statistics.pairs import COMMON, LEVEL, Comparison
from hashbench.evaluation.statistics.resampling import SEEDS, Interval

__all__ = [
    "COMMON",
    "LEVEL",
    "SEEDS",
    "SMALLEST_SHOWN",
    "Comparison",
    "Family",
    "Interval",
    "certify",
    "compare_family",
    "correct",
    "flip_test",
    "holm",
    "leads",
    "shown_p",
]
