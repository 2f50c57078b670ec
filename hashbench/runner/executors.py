"""The executors; what each needs is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hashbench.registries import registry

if TYPE_CHECKING:
    from hashbench.runner.execute import Limits, Listener
    from hashbench.runner.settings import Settings, Task

#: Finishes tasks in the store, telling the listener. Raises StoreError if the store cannot be
#: written to, and KeyboardInterrupt when the user stops the run; finished cells are kept.
Run = Callable[["Sequence[Task]", "Settings", "Limits", "Listener"], None]


def _nothing(_limits: Limits) -> None:
    return


@dataclass(frozen=True)
class Executor:
    """Where the cells of a run are computed.

    Attributes:
        name: what `--executor` calls it.
        summary: one line for listings.
        run: finishes tasks.
        warm_up: begins what takes long while the features are prepared.
    """

    name: str
    summary: str
    run: Run
    warm_up: Callable[[Limits], None] = _nothing


def open_executor(name: str, limits: Limits) -> Run:
    """What finishes tasks on the executor called `name`.

    Raises:
        InputError: if there is none, or it needs a package that is not installed.
    """
    found: Executor = registry("executors").get(name)
    found.warm_up(limits)
    return found.run


def _local(tasks: Sequence[Task], settings: Settings, limits: Limits, listener: Listener) -> None:
    if limits.workers == 0:
        from hashbench.runner.execute import run_here as run
    else:
        from hashbench.runner.local import run_local as run
    run(tasks, settings, limits, listener)


def _warm_up_local(limits: Limits) -> None:
    if limits.workers != 0:
        from hashbench.runner.execute import available_cores
        from hashbench.runner.processes import warm_up

        warm_up(available_cores() if limits.workers is None else limits.workers)


def _ray(tasks: Sequence[Task], settings: Settings, limits: Limits, listener: Listener) -> None:
    from hashbench.runner.on_ray import run_on_ray

    run_on_ray(tasks, settings, limits, listener)


def _slurm(tasks: Sequence[Task], settings: Settings, limits: Limits, listener: Listener) -> None:
    from hashbench.runner.on_slurm import run_on_slurm

    run_on_slurm(tasks, settings, limits, listener)


BUILT_IN = (
    Executor("local", "worker processes of this machine", _local, _warm_up_local),
    Executor("ray", "a Ray cluster, RAY_ADDRESS's or one started here", _ray),
    Executor("slurm", "jobs of a Slurm cluster", _slurm),
)
