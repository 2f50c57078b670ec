"""The executors by name; those of a cluster are imported only when asked for."""

from __future__ import annotations

from hashbench.runner.execute import Executor, Limits, run_here


def open_executor(name: str, limits: Limits) -> Executor:
    """The executor called `name`: "local", "ray" or "slurm".

    Raises:
        InputError: if it needs a package that is not installed.
    """
    if name == "ray":
        from hashbench.runner.on_ray import run_on_ray

        return run_on_ray
    if name == "slurm":
        from hashbench.runner.on_slurm import run_on_slurm

        return run_on_slurm
    if limits.workers == 0:
        return run_here
    from hashbench.runner.local import run_local, warm_up

    warm_up()
    return run_local
