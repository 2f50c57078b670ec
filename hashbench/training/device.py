"""Where training computes, and its randomness there."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache

import torch
from threadpoolctl import ThreadpoolController
from torch import Tensor

from hashbench import devices, runtime

#: Torch's randomness and its number of threads are the whole process's: two trainings in two
#: threads take turns, or the codes of each would depend on the other.
_turn = threading.RLock()


def _renew() -> None:
    global _turn
    _turn = threading.RLock()  # whoever held it is not in a process that was forked


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


@contextmanager
def compute_on(threads: int | None = None) -> Iterator[torch.device]:
    """The current runtime's device, with its thread count set within the block.

    Other threads that come here wait until the block ends.

    Args:
        threads: instead of the runtime's.

    Raises:
        InputError: for a device this machine does not have.
    """
    with _turn:
        yield from _computing(threads)


def _computing(threads: int | None) -> Iterator[torch.device]:
    settings = runtime.current()
    device = torch.device(devices.current())
    before = torch.get_num_threads()
    wanted = threads or settings.threads or before
    if wanted != before:
        torch.set_num_threads(wanted)
    try:
        # A method's own linear algebra is NumPy's. To look its libraries up takes longer than
        # a small cell: they are looked up once.
        with (
            _blas().limit(limits=threads, user_api="blas") if threads else nullcontext(),
            devices.deterministic(device.type),
        ):
            yield device
    finally:
        if wanted != before:
            torch.set_num_threads(before)


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[torch.Generator]:
    """Torch's global randomness (initialisation, dropout) seeded within the block alone.

    Yields:
        A separate generator on `device` for randomness of one's own.
    """
    devices = [device] if device.type == "cuda" else []
    with _turn, torch.random.fork_rng(devices):
        if device.type == "cpu":  # torch.manual_seed notes a call for every GPU, wanted or not
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)
        yield torch.Generator(device).manual_seed(seed)


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16: CUDA from capability 8.0 on, older ones emulate it."""
    if device.type != "cuda":
        return False
    return bool(torch.version.hip) or torch.cuda.get_device_capability(device) >= (8, 0)


def random_state(device: torch.device) -> list[Tensor]:
    """The state of torch's global randomness: the CPU's, then that of `device`."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    if device.type == "mps":
        states.append(torch.mps.get_rng_state())
    return states


def set_random_state(states: list[Tensor], device: torch.device) -> None:
    """Go on from what `random_state` gave."""
    torch.set_rng_state(states[0])
    if device.type == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1], device)
    if device.type == "mps" and len(states) > 1:
        torch.mps.set_rng_state(states[1])
