"""The old place of what `hashbench.evaluation.statistics` holds."""

from hashbench.evaluation.statistics import Interval, holm

__all__ = ["CHUNK", "Interval", "holm"]

#: Random numbers drawn at a time, to bound memory.
CHUNK = 4_000_000
