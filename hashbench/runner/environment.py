"""What a score may depend on beyond its cell: versions, hardware, threads."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

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


@cache
def environment() -> dict[str, Any]:
    """Versions, processor, BLAS and threads of this process."""
    import torch
    from threadpoolctl import threadpool_info

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
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": torch.get_num_threads(),
        "blas": sorted(
            {
                f"{pool['internal_api']} {pool.get('version')} x{pool['num_threads']}"
                for pool in threadpool_info()
                if pool["user_api"] == "blas"
            }
        ),
        "versions": versions,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - a kernel file
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
