"""What every worker needs, imported once by the process that workers are forked from.

Nothing imported here may start a thread of Python or touch a GPU: neither survives a fork.
"""

import contextlib
import importlib

for _name in ("torch", "numba", "sklearn.linear_model", "joblib", "hashbench.runner.worker"):
    with contextlib.suppress(ImportError):
        importlib.import_module(_name)
