"""What every worker needs, imported once by the process that workers are forked from.

Nothing here may leave a thread behind or touch a GPU: neither survives a fork.
"""

import contextlib
import importlib

MODULES = (
    "torch",
    "numba",
    "sklearn.linear_model",
    "sklearn.datasets",
    "joblib",
    "safetensors.numpy",
    "hashbench.runner.worker",
    "hashbench.training.deep",
    "hashbench.baselines.base",
)


def _load() -> None:
    for name in MODULES:
        importlib.import_module(name)


def _compile() -> None:
    """Score two codes, so that the evaluator's kernels are loaded."""
    import numpy as np

    from hashbench import runtime
    from hashbench.codes import Codes
    from hashbench.evaluation import HOUSE, score

    codes, labels = Codes.from_bits(np.eye(2, 16)), np.eye(2, dtype=np.uint8)
    with runtime.use(runtime.Runtime(threads=1)):
        score(codes, codes, labels, labels, [HOUSE])


with contextlib.suppress(Exception):  # a worker meets the same error, and has a log to say it
    _load()
    _compile()
