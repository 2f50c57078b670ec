"""The referee: scores as a pure function of codes, labels and a convention."""

from hashbench.evaluation.convention import HOUSE, PRESETS, Convention
from hashbench.evaluation.health import code_health
from hashbench.evaluation.referee import CUTOFFS, score
from hashbench.evaluation.scores import Scores

__all__ = ["CUTOFFS", "HOUSE", "PRESETS", "Convention", "Scores", "code_health", "score"]
