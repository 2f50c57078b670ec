"""What goes wrong on a GPU, and what it means for the process it went wrong in."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterator

from hashbench.errors import unless_stopped

#: What libraries say of a context that may be of no use any more.
_LOST = re.compile(
    r"(CUDA|cuDNN|cuBLAS|cuSOLVER|cuFFT|HIP|MIOpen|hipBLAS) error"
    r"|(CUDNN|CUBLAS|CUSOLVER|CUFFT|miopen)_?STATUS|device-side assert",
    re.IGNORECASE,
)

#: What they say where memory, or a card that serves one process alone, is with another.
_TAKEN = re.compile(r"out of memory|ALLOC_FAILED|busy or unavailable", re.IGNORECASE)


class Crowded(Exception):  # noqa: N818 - not a failure: the cell is tried again, alone
    """A cell ran out of the memory of a GPU that it shared: it may have enough alone."""


class DeviceLost(Exception):  # noqa: N818
    """An error after which nothing more can be computed on the GPU in this process.

    Attributes:
        reason: one line of the error.
        log: its traceback.
    """

    def __init__(self, reason: str, log: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.log = log


def out_of_gpu_memory(error: BaseException) -> bool:
    """Whether an error says that a GPU's memory did not suffice, or another process has the GPU."""
    import torch

    return any(
        isinstance(item, torch.OutOfMemoryError)
        or (_of_a_gpu(item) and bool(_TAKEN.search(_text(item))))
        for item in _chain(error)
    )


def is_lost(error: BaseException) -> bool:
    """Whether the GPU can no longer be used by this process after an error.

    After an illegal access every later call fails too. The libraries' own failures need not
    last, but nobody can tell; what says nothing of the kind is tried out.
    """
    if out_of_gpu_memory(error):
        return False
    return any(_of_a_gpu(item) for item in _chain(error)) or not _answers()


def release_memory() -> None:
    """Give the GPU back what no tensor uses any more: the next cell may share it with another."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    cuda, mps = torch.cuda.is_initialized(), torch.backends.mps.is_available()
    if cuda or mps:
        gc.collect()  # an error's traceback is a cycle, and holds tensors
    if cuda:
        torch.cuda.empty_cache()
    if mps:
        torch.mps.empty_cache()


def _of_a_gpu(error: BaseException) -> bool:
    import torch

    if isinstance(error, torch.AcceleratorError):
        return True
    return isinstance(error, RuntimeError) and bool(
        _LOST.search(_text(error)) or "MPS backend out of memory" in _text(error)
    )


def _answers() -> bool:
    """Whether the GPU still computes for this process, or was never asked to."""
    import torch

    if not torch.cuda.is_initialized():
        return True
    try:
        torch.cuda.synchronize()
    except Exception:
        return False
    return True


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those it was raised for."""
    seen: set[int] = set()
    item: BaseException | None = error
    while item is not None and id(item) not in seen:
        seen.add(id(item))
        yield item
        item = item.__cause__ or item.__context__


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as other:  # a stranger's __str__ may raise anything
        unless_stopped(other)
        return ""
