"""Cells as tasks of a Ray cluster, whose nodes share the store's file system."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hashbench import devices
from hashbench.errors import InputError, installs
from hashbench.raycluster import SILENCE, ClusterHead, connect
from hashbench.runner.claim import failure, give_up
from hashbench.runner.execute import Limits, Listener, Quiet
from hashbench.runner.local import run_local
from hashbench.runner.settings import Settings, Task
from hashbench.runner.slots import GPU_THREADS, wants_gpu
from hashbench.runner.worker import register
from hashbench.store.record import Record
from hashbench.store.store import Store, StoreError

#: How often Ray starts a cell again whose node or process died.
RETRIES = 3

#: The share of a GPU that a cell asks for: one's scoring overlaps another's training.
GPU_SHARE = 0.5


def run_on_ray(
    tasks: Sequence[Task], settings: Settings, limits: Limits, listener: Listener
) -> None:
    """Run cells on the Ray cluster RAY_ADDRESS names, or on a local one started here.

    How many run at a time follows from the cluster's CPUs and GPUs, not from
    `limits.workers`. Each cell still runs in a process of its own that can be
    killed for its time or memory; a cell whose node dies is started on another.

    Raises:
        InputError: if Ray is not installed or its cluster cannot be reached.
        StoreError: if the store cannot be written to.
        KeyboardInterrupt: when the user stops the run; finished cells are kept.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError(
            f"--executor ray needs Ray, which is not installed: {installs('ray')}"
        ) from error
    if not tasks:
        return
    ours = connect(ray)
    try:
        _run(ray, tasks, settings, limits, listener)
    finally:
        if ours:
            ray.shutdown()


def _run(
    ray: Any, tasks: Sequence[Task], settings: Settings, limits: Limits, listener: Listener
) -> None:
    variables = {name: value for name, value in os.environ.items() if name.startswith("HASHBENCH")}
    absolute = replace(
        settings,
        store=settings.store.absolute(),
        data_root=settings.data_root.absolute(),
        plugins=tuple(path.absolute() for path in settings.plugins),
    )
    serve = ray.remote(_serve)
    running = {}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    for task in tasks:
        asked, own = resources(task, absolute, nodes)
        where = serve.options(**asked, max_retries=RETRIES, runtime_env={"env_vars": variables})
        running[where.remote(task, own, limits)] = task
    for task in tasks:
        listener.started(task)
    head = ClusterHead(ray)
    try:
        while running:
            if head.is_lost():
                _leave(list(running.values()), settings, listener, head)
                return
            ready, _ = ray.wait(list(running), timeout=0.5)
            for reference in ready:
                task = running.pop(reference)
                record = _result(ray, reference, task, settings)
                if record is not None:
                    listener.finished(task, record)
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


def _leave(
    tasks: Sequence[Task], settings: Settings, listener: Listener, head: ClusterHead
) -> None:
    """Say what became of cells whose cluster is gone; those that still run may yet be finished.

    Nothing is stored of them: the next run asks whether they were.
    """
    store = Store(settings.store)
    reason = f"Ray's head at {head.address} has not answered for {SILENCE:g} s"
    warnings.warn(
        f"{reason}: start the cluster again and run the same command, which goes on", stacklevel=2
    )
    for task in tasks:
        record = store.get(task.key)
        if record is None or not record.ok:
            record = failure(task, settings, "failed", reason)
        listener.finished(task, record)


def resources(
    task: Task, settings: Settings, nodes: Sequence[Mapping[str, float]]
) -> tuple[dict[str, float], Settings]:
    """What a cell asks of a cluster, and its settings there.

    Args:
        task: the cell.
        settings: what all cells share.
        nodes: what each node has, "CPU" and "GPU".
    """
    threads = settings.threads or 1
    with_gpus = [node for node in nodes if node.get("GPU")]
    if not with_gpus or not wants_gpu(task.cell, settings.device):
        own = replace(settings, device="cpu", threads=threads)
        return {"num_cpus": threads, "num_gpus": 0}, own
    # No more than every node with GPUs has for each of its cells: more would wait for ever.
    room = min(int(node.get("CPU", 1) * GPU_SHARE / node["GPU"]) for node in with_gpus)
    threads = settings.threads or max(1, min(GPU_THREADS, room))
    own = replace(settings, device=devices.kind_of(settings.device), threads=threads)
    return {"num_cpus": threads, "num_gpus": GPU_SHARE}, own


def _serve(task: Task, settings: Settings, limits: Limits) -> Record | None:
    """One cell, on whatever node this runs."""
    register(settings.plugins)
    run_local([task], settings, replace(limits, workers=1), Quiet())
    return Store(settings.store).get(task.key)


def _result(ray: Any, reference: Any, task: Task, settings: Settings) -> Record | None:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, StoreError):
            raise StoreError(str(cause)) from None
        return give_up(task, settings, "failed", f"{type(cause).__name__}: {cause}", str(error))
    except ray.exceptions.RayError as error:
        reason = f"Ray gave it up after {RETRIES} more tries: {type(error).__name__}"
        return give_up(task, settings, "failed", reason, str(error))
