"""Global switches of this process, put back after a cell: a method may have thrown them."""

from __future__ import annotations

import os
import random
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from hashbench.kept import kept_process

#: What PyTorch says of an operation that has no deterministic way, where it only warns.
_ALERT = r"(\S+) does not have a deterministic implementation|.*operation is not deterministic"


@contextmanager
def kept_switches() -> Iterator[None]:
    """Put torch's, numpy's and the system's global switches back after the block.

    What cannot be put back, such as functions a method replaced, is why a worker
    that has run a stranger's method is not used again.
    """
    import torch

    environment = dict(os.environ)
    errors, numpy_state, python_state = np.geterr(), np.random.get_state(), random.getstate()
    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    threads, torch_state = torch.get_num_threads(), torch.get_rng_state()
    try:
        # The process first: what follows may look where it is.
        with kept_process(), warnings.catch_warnings():
            yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_default_device(None)
        torch.set_grad_enabled(grad)
        now = torch.are_deterministic_algorithms_enabled()
        if (now, torch.is_deterministic_algorithms_warn_only_enabled()) != (
            deterministic,
            warn_only,
        ):  # it imports a compiler, which takes longer than a small cell
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.set_rng_state(torch_state)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        np.seterr(**errors)
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        if os.environ != environment:
            os.environ.clear()
            os.environ.update(environment)


@contextmanager
def alerts() -> Iterator[list[str]]:
    """Operations of the block that were to be deterministic and are not, by PyTorch's names."""
    found: list[str] = []
    with warnings.catch_warnings():
        warnings.filterwarnings("always", message=_ALERT)
        others: Any = warnings.showwarning

        def show(message: Warning | str, *rest: Any, **named: Any) -> None:
            alert = re.match(_ALERT, str(message))
            if alert is None:
                others(message, *rest, **named)
            elif (name := alert[1] or "cuBLAS") not in found:
                found.append(name)

        warnings.showwarning = show
        yield found
