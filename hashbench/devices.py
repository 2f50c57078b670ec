"""The devices of this machine: which there are, and which of them is meant.

Nothing here starts a CUDA context: a parent of workers must not hold one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hashbench import runtime
from hashbench.errors import InputError, shown

#: What a device may be called.
_NAME = re.compile(r"auto|cpu|cuda(:\d+)?|mps")


def present() -> list[str]:
    """The names of the devices that are there: "cpu", "cuda:0" and so on, "mps"."""
    import torch

    # With a driver that is too old devices are counted and cannot be used.
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found = ["cpu", *(f"cuda:{number}" for number in range(count))]
    return [*found, "mps"] if torch.backends.mps.is_available() else found


def check(name: str, *, here: bool = True) -> None:
    """Refuse a device before anything starts.

    Args:
        name: as `--device` takes it.
        here: whether it is a device of this machine; else of a cluster's, which has its own.

    Raises:
        InputError: if there is no such device.
    """
    if name in ("auto", "cpu"):  # always there: PyTorch need not be loaded to know
        return
    if here:
        resolve(name)
    elif not _NAME.fullmatch(name):
        raise InputError(f"there is no device '{shown(name)}': name auto, cpu, cuda or mps")


def resolve(name: str) -> str:
    """What `name` means here: "cpu", "cuda", "cuda:1" or "mps"; "auto" is a GPU or the CPU.

    Raises:
        InputError: if there is no such device; the sentence has those that are there.
    """
    there = present()
    if name == "auto":
        return next((kind for kind in ("cuda", "mps") if _first(kind, there)), "cpu")
    if name not in there and not (name == "cuda" and _first(name, there)):
        raise InputError(
            f"there is no device '{shown(name)}' here: this machine has {', '.join(there)}; "
            "name one of them or auto"
        )
    return name


def or_auto(name: str) -> str:
    """The device of that name if it is here, else "auto"."""
    try:
        resolve(name)
    except InputError:
        return "auto"
    return name


def current() -> str:
    """The device of the current runtime, as `resolve` names it.

    Raises:
        InputError: if there is no such device.
    """
    return resolve(runtime.current().device)


@contextmanager
def deterministic(device: str) -> Iterator[None]:
    """Let CUDA compute with deterministic algorithms alone within the block.

    Where an operation has none it only warns, see `switches.alerts`. A CPU needs nothing.

    Args:
        device: what is computed on.
    """
    if kind_of(device) != "cuda":
        yield
        return
    import torch

    # Before cuBLAS is first used; it is read again at each use.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    filling: Any = torch.utils.deterministic
    enabled = torch.are_deterministic_algorithms_enabled()
    warn_only, filled = (
        torch.is_deterministic_algorithms_warn_only_enabled(),
        filling.fill_uninitialized_memory,
    )
    torch.use_deterministic_algorithms(True, warn_only=True)
    filling.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
        filling.fill_uninitialized_memory = filled


def cores() -> int:
    """CPU cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def kind_of(device: str) -> str:
    """What kind of device it is, whatever its number: "cpu", "cuda", "mps" or "auto"."""
    return device.partition(":")[0]


def _first(kind: str, there: list[str]) -> bool:
    return any(kind_of(name) == kind for name in there)
