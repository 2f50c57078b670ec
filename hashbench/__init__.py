"""hashbench: the referee of learning-to-hash.

The names below are the public contract; they are imported when first used, so
that `import hashbench` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hashbench.api import load as load
    from hashbench.api import open_results as open_results
    from hashbench.api import run as run
    from hashbench.baselines.base import ShallowHasher as ShallowHasher
    from hashbench.codes import Codes as Codes
    from hashbench.data.dataset import Dataset as Dataset
    from hashbench.encoder.encoder import Encoder as Encoder
    from hashbench.errors import InputError as InputError
    from hashbench.evaluation.arrays import evaluate as evaluate
    from hashbench.evaluation.convention import Convention as Convention
    from hashbench.evaluation.metrics.metric import Metric as Metric
    from hashbench.hasher import Hasher as Hasher
    from hashbench.items import Items as Items
    from hashbench.items import TrainItems as TrainItems
    from hashbench.results.exports import Export as Export
    from hashbench.results.plots import Plot as Plot
    from hashbench.training.deep import DeepHasher as DeepHasher

__version__ = "0.2.0.dev0"

_PUBLIC = {
    "Codes": "hashbench.codes",
    "Convention": "hashbench.evaluation.convention",
    "Dataset": "hashbench.data.dataset",
    "DeepHasher": "hashbench.training.deep",
    "Encoder": "hashbench.encoder.encoder",
    "Export": "hashbench.results.exports",
    "Hasher": "hashbench.hasher",
    "InputError": "hashbench.errors",
    "Items": "hashbench.items",
    "Metric": "hashbench.evaluation.metrics.metric",
    "Plot": "hashbench.results.plots",
    "ShallowHasher": "hashbench.baselines.base",
    "TrainItems": "hashbench.items",
    "evaluate": "hashbench.evaluation.arrays",
    "load": "hashbench.api",
    "open_results": "hashbench.api",
    "run": "hashbench.api",
}

__all__ = [
    "Codes",
    "Convention",
    "Dataset",
    "DeepHasher",
    "Encoder",
    "Export",
    "Hasher",
    "InputError",
    "Items",
    "Metric",
    "Plot",
    "ShallowHasher",
    "TrainItems",
    "evaluate",
    "load",
    "open_results",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hashbench' has no attribute '{name}'")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
