"""Compiled inner loops: distances and relevance of whole blocks, counted as they come.

The kernels run without the interpreter lock, so callers split queries over
threads; that needs no threading layer and is safe to fork.
"""

from hashbench.evaluation.kernel.full import count_sorted, count_weighted, count_words
from hashbench.evaluation.kernel.grouping import group_equal
from hashbench.evaluation.kernel.near import count_near, count_relevant
from hashbench.evaluation.kernel.order import rank_stored

__all__ = [
    "count_near",
    "count_relevant",
    "count_sorted",
    "count_weighted",
    "count_words",
    "group_equal",
    "rank_stored",
]
