"""The referee: scores as a pure function of codes, labels and a convention."""

from hashbench.evaluation.convention import Convention
from hashbench.evaluation.conventions import conventions
from hashbench.evaluation.conventions.house import HOUSE
from hashbench.evaluation.health import code_health
from hashbench.evaluation.metrics import (
    Metric,
    MetricInfo,
    describe_metric,
    in_view,
    metrics,
    split_view,
    versions,
)
from hashbench.evaluation.referee import CUTOFFS, score
from hashbench.evaluation.scores import Scores

__all__ = [
    "CUTOFFS",
    "HOUSE",
    "Convention",
    "Metric",
    "MetricInfo",
    "Scores",
    "code_health",
    "conventions",
    "describe_metric",
    "in_view",
    "metrics",
    "score",
    "split_view",
    "versions",
]
