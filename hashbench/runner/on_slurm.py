"""Cells in the jobs of a Slurm cluster, whose nodes share the store's file system.

Every job is given every cell: claims in the store share them out, so that a
job that dies, waits in the queue or runs out of time costs no cell.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hashbench import devices
from hashbench.errors import InputError, installs
from hashbench.runner.claim import give_up, is_done
from hashbench.runner.execute import Limits, Listener, Quiet, available_cores
from hashbench.runner.local import run_local
from hashbench.runner.settings import Settings, Task
from hashbench.runner.slots import GPU_THREADS, wants_gpu
from hashbench.runner.worker import register
from hashbench.store.store import Store

#: Seconds between two looks at the store.
LOOK = 1.0

#: Seconds between two questions to Slurm, which serves every user of the cluster.
ASK = 10.0

#: Days a job may take where --timeout says nothing; SBATCH_TIMELIMIT overrides it.
DAYS = 1


def run_on_slurm(
    tasks: Sequence[Task],
    settings: Settings,
    limits: Limits,
    listener: Listener,
    *,
    cluster: str = "slurm",
) -> None:
    """Run cells in as many Slurm jobs as `limits.workers`, one cell at a time each.

    Partition, account and the like are taken from sbatch's own variables, such
    as SBATCH_PARTITION. Jobs are submitted again as long as they finish cells.

    Args:
        tasks: the cells.
        settings: what they share.
        limits: jobs at a time, and what each cell may take.
        listener: told of every finished cell.
        cluster: "slurm", or "local" for submitit's processes on this machine.

    Raises:
        InputError: if submitit is not installed, or there is no Slurm here.
        KeyboardInterrupt: when the user stops the run; its jobs are cancelled.
    """
    try:
        import submitit
    except ImportError as error:
        raise InputError(
            f"--executor slurm needs submitit, which is not installed: {installs('slurm')}"
        ) from error
    absolute = replace(
        settings,
        store=settings.store.absolute(),
        data_root=settings.data_root.absolute(),
        plugins=tuple(path.absolute() for path in settings.plugins),
    )
    try:
        executors = [
            submitit.AutoExecutor(absolute.store / "slurm", cluster=cluster) for _ in range(2)
        ]
    except RuntimeError as error:
        raise InputError(f"there is no Slurm on this machine ({error})") from error
    executors[1].update_parameters(gpus_per_node=1)  # a cluster without any takes no 0 either
    gpus = settings.device.startswith("cuda") or (cluster == "slurm" and _has_gpus())
    unfinished = _queued if cluster == "slurm" else _running
    left = list(tasks)
    while left:
        jobs: list[Any] = []
        for part in parts(left, absolute, limits.workers or available_cores(), gpus=gpus):
            executor = executors[part.gpus]
            executor.update_parameters(
                name="hashbench",
                cpus_per_task=part.settings.threads,
                timeout_min=DAYS * 24 * 60,
                tasks_per_node=1,
            )
            with executor.batch():
                jobs += [
                    executor.submit(serve, part.tasks, part.settings, limits)
                    for _ in range(part.jobs)
                ]
        before = len(left)
        left = _watch(jobs, left, absolute, listener, unfinished)
        if len(left) == before:
            log = _log(jobs)
            for task in left:
                record = give_up(task, absolute, "failed", "no Slurm job finished it", log)
                if record is not None:
                    listener.finished(task, record)
            return


@dataclass(frozen=True)
class Part:
    """Cells that ask for the same of a node.

    Attributes:
        tasks: the cells.
        settings: what they share, with their device and CPU threads.
        jobs: how many jobs work on them.
        gpus: GPUs of each job.
    """

    tasks: list[Task]
    settings: Settings
    jobs: int
    gpus: int


def parts(tasks: Sequence[Task], settings: Settings, jobs: int, *, gpus: bool) -> list[Part]:
    """The cells for jobs with a GPU, then those for jobs without one.

    Args:
        tasks: the cells.
        settings: what they share.
        jobs: how many jobs there may be; two at least where there are cells of both kinds.
        gpus: whether the cluster has any.
    """
    kinds: dict[bool, list[Task]] = {True: [], False: []}
    for task in tasks:
        kinds[gpus and wants_gpu(task.cell, settings.device)].append(task)
    wanting, others = kinds[True], kinds[False]
    found = []
    if wanting:
        own = replace(
            settings,
            device=devices.kind_of(settings.device),
            threads=settings.threads or GPU_THREADS,
        )
        found.append(Part(wanting, own, max(1, min(jobs - bool(others), len(wanting))), 1))
    if others:
        own = replace(settings, device="cpu", threads=settings.threads or 1)
        left = jobs - sum(part.jobs for part in found)
        found.append(Part(others, own, max(1, min(left, len(others))), 0))
    return found


def _has_gpus() -> bool:
    """Whether any node of the cluster has GPUs to give."""
    command = ["sinfo", "--noheader", "--format=%G"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return "gpu" in answer.stdout


def serve(tasks: Sequence[Task], settings: Settings, limits: Limits) -> None:
    """What one job does: every cell that no other job has or had."""
    register(settings.plugins)
    run_local(tasks, settings, replace(limits, workers=1), Quiet())


def _watch(
    jobs: Sequence[Any],
    tasks: list[Task],
    settings: Settings,
    listener: Listener,
    unfinished: Callable[[Sequence[Any]], list[Any]],
) -> list[Task]:
    """Tell of finished cells until all jobs are over; the cells that are left."""
    store = Store(settings.store)
    left = tasks
    for task in tasks:
        listener.started(task)
    over, asked = False, time.monotonic()
    try:
        while True:
            if time.monotonic() - asked >= ASK:  # before the store is read: nothing is missed
                over, asked = not unfinished(jobs), time.monotonic()
            waiting = []
            for task in left:
                key = task.key
                record = store.get(key)
                fresh = store.mark(key) not in ("", task.replaces)
                failed = record is not None and not record.ok and fresh
                if record is not None and (failed or is_done(task, store, settings)):
                    listener.finished(task, record)
                else:
                    waiting.append(task)
            left = waiting
            if over or not left:
                return left
            time.sleep(LOOK)
    finally:
        for job in unfinished(jobs):
            job.cancel(check=False)  # it may end at this very moment


def _queued(jobs: Sequence[Any]) -> list[Any]:
    """The jobs that Slurm still has to run or runs; all of them where it does not answer.

    submitit's own `done` goes by sacct: without accounting it takes a job that
    was killed for a running one for ever, with accounting for up to ten minutes.
    """
    command = ["squeue", f"--user={os.getuid()}", "--array", "--noheader", "--format=%i"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return list(jobs)
    known = set(answer.stdout.split())
    return [job for job in jobs if job.job_id in known]


def _running(jobs: Sequence[Any]) -> list[Any]:
    """The processes on this machine that are not over."""
    return [job for job in jobs if not job.done()]


def _log(jobs: Sequence[Any]) -> str:
    return "\n".join(job.stderr() or "" for job in jobs)
