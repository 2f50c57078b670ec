"""What a score may depend on beyond its cell: versions, hardware, threads."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hashbench import devices

PACKAGES = (
    "hashbench",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "openvino",
    "faiss-cpu",
)


def environment(device: str = "cpu", threads: int | None = None) -> dict[str, Any]:
    """Versions, hardware, git revision, BLAS and thread counts.

    Args:
        device: what the cell is computed on. Nothing is asked of a GPU here: that would start
            a context on it, or fail where the cell has just lost it.
        threads: how many a cell was computed with, BLAS included, where that is not what this
            process has.
    """
    return {
        **_machine(),
        **_threads(threads),
        "device": device,
        "deterministic": _deterministic(device, threads),
    }


def gpu_facts(device: str) -> dict[str, Any]:
    """What is known of the GPU that a cell was computed on: "gpu", "cuda", "capability"."""
    import torch

    if devices.kind_of(device) == "mps":
        return {"gpu": "Apple GPU (MPS)"}
    if devices.kind_of(device) != "cuda":
        return {}
    major, minor = torch.cuda.get_device_capability(device)
    return {
        "gpu": torch.cuda.get_device_name(device),
        "cuda": torch.version.cuda,
        "capability": f"{major}.{minor}",
    }


def share_threads(threads: int) -> None:
    """Let every numeric library of this process use at most `threads` CPU threads."""
    import numba
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    os.environ["NUMBA_NUM_THREADS"] = str(threads)
    numba.config.reload_config()  # unlike numba.set_num_threads(), launches no threads
    threadpool_limits(threads)
    _blas.cache_clear()


@cache
def _machine() -> dict[str, Any]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpu": None,  # of what is not used, see `gpu_facts`
        "cuda": None,
        "git": _git_revision(),
        "versions": versions,
    }


def _deterministic(device: str, threads: int | None) -> bool:
    """Whether every algorithm is held to the same numbers each time: one thread of a CPU is."""
    import torch

    if devices.kind_of(device) == "cpu" and (threads or torch.get_num_threads()) == 1:
        return True
    return torch.are_deterministic_algorithms_enabled()


def _threads(threads: int | None) -> dict[str, Any]:
    import torch

    return {
        "threads": threads or torch.get_num_threads(),
        "blas": sorted({f"{library} x{threads or own}" for library, own in _blas()}),
    }


@cache
def _blas() -> list[tuple[str, int]]:
    """The BLAS libraries and their threads: looking them up takes longer than a small cell."""
    from threadpoolctl import threadpool_info

    return [
        (f"{pool['internal_api']} {pool.get('version')}", pool["num_threads"])
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - a kernel file
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _git_revision() -> str | None:
    """The commit of the source tree hashbench runs from, "-dirty" if it was edited."""
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            # Without locks: one that is stopped must leave none behind in the user's repository.
            [
                "git",
                "--no-optional-locks",
                "-C",
                str(folder),
                "describe",
                "--always",
                "--dirty",
                "--abbrev=12",
            ],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
