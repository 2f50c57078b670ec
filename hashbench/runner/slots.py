"""Which cells are computed on a GPU, and how many workers of each kind a machine serves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hashbench import devices
from hashbench.cell import FROM_PIXELS, Cell
from hashbench.runner.claim import is_foreign

#: Cells at a time on one GPU: one's scoring overlaps another's training.
PER_GPU = 2

#: CPU threads that a cell on a GPU has a use for: decoding, cutting views and counting.
GPU_THREADS = 4

VISIBLE = "CUDA_VISIBLE_DEVICES"


def wants_gpu(cell: Cell, device: str) -> bool:
    """Whether a cell is computed on a GPU, where there is one.

    Where no device is named a linear head is not: its steps are smaller than what starting
    them on a GPU takes, and there are more cores than GPUs. A shallow method of ours never is;
    of another's nobody knows.

    Args:
        cell: the cell.
        device: as the run was told it.
    """
    if device == "cpu":
        return False
    if cell.mode == "none":
        return is_foreign(cell.method)
    return device != "auto" or cell.mode in FROM_PIXELS or cell.params.get("head") == "mlp"


def device_of(cell: Cell, device: str) -> str:
    """The device of this machine that a cell is computed on, where a run was told `device`.

    Raises:
        InputError: if there is no such device.
    """
    return devices.resolve(device) if wants_gpu(cell, device) else "cpu"


@dataclass(frozen=True)
class Seat:
    """Where a worker computes.

    Attributes:
        device: as its cells are told it.
        environ: what shows it that device and no other GPU.
    """

    device: str
    environ: Mapping[str, str]


ON_CPU = Seat("cpu", {VISIBLE: ""})


def gpu_seats(device: str) -> tuple[Seat, ...]:
    """One seat for each GPU of this machine that a run may use.

    Raises:
        InputError: if there is no such device.
    """
    device = devices.resolve(device)
    kind, _, number = device.partition(":")
    if kind != "cuda":
        return (Seat("mps", {}),) if kind == "mps" else ()
    there = [name for name in devices.present() if devices.kind_of(name) == "cuda"]
    # A cluster, or the user, may show some of the machine's GPUs alone: by numbers or UUIDs.
    names = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    names = names or [str(at) for at in range(len(there))]
    chosen = [names[int(number)]] if number else names[: len(there)]
    return tuple(Seat("cuda", {VISIBLE: name}) for name in chosen)


@dataclass(frozen=True)
class Slots:
    """How many workers there may be.

    Attributes:
        gpus: seats of GPU cells, one a GPU.
        gpu: workers on GPUs at most, spread over them.
        total: workers at most.
        gpu_threads: CPU threads of a worker on a GPU.
        cpu_threads: CPU threads of another.
        cores: threads of all workers together at most.
    """

    gpus: tuple[Seat, ...]
    gpu: int
    total: int
    gpu_threads: int
    cpu_threads: int
    cores: int

    @property
    def at_a_time(self) -> int:
        """Cells that are computed at a time, once all workers are there."""
        left = self.cores - self.gpu * self.gpu_threads
        return min(self.total, self.gpu + max(0, left // self.cpu_threads))


def share(
    gpus: Sequence[Seat],
    gpu_cells: int,
    cpu_cells: int,
    cores: int,
    workers: int | None = None,
    threads: int | None = None,
) -> Slots:
    """As many workers of each kind as serve.

    Args:
        gpus: seats of GPU cells; without any, every cell is the CPU's.
        gpu_cells: cells that want a GPU.
        cpu_cells: cells that do not.
        cores: CPU cores; workers times threads never exceeds them where `workers` does not.
        workers: workers at most, None for as many as serve.
        threads: CPU threads of each worker, None to share the cores out.
    """
    if not gpus:
        gpu_cells, cpu_cells = 0, gpu_cells + cpu_cells
    most = cores if workers is None else max(1, workers)
    room = most - 1 if cpu_cells and most > 1 else most
    gpu = min(gpu_cells, PER_GPU * len(gpus), room)
    total = min(most, gpu_cells + cpu_cells if workers is not None else gpu + cpu_cells)
    even = threads or max(1, cores // max(1, total))
    if threads or workers is not None or not gpu or not cpu_cells:
        own = threads or max(1, cores // gpu) if gpu and not cpu_cells else even
        return Slots(tuple(gpus), gpu, total, own, even, max(cores, total * even))
    # Cells on GPUs are few and long, the others many and short: half the cores are for each.
    own = max(1, min(GPU_THREADS, cores // (2 * gpu)))
    left = max(1, cores - gpu * own)
    return Slots(tuple(gpus), gpu, total, own, max(1, left // min(left, cpu_cells)), cores)
