"""What cells ask of a cluster: GPUs for those that use them, with CPU threads to feed them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hashbench.runner.on_ray import resources
from hashbench.runner.on_slurm import parts
from hashbench.runner.settings import Task


@pytest.fixture
def mixed(bench) -> list[Task]:
    """Four cells with an MLP, which want a GPU, and two that do not."""
    return bench.tasks("dch", seeds=range(4), head="mlp") + bench.tasks("lsh", seeds=range(2))


def test_slurm_jobs_with_a_gpu_take_the_cells_that_use_it(bench, mixed) -> None:
    asked = replace(bench.settings, device="cuda:3")
    with_gpu, without = parts(mixed, asked, 3, gpus=True)
    assert [task.cell.method for task in with_gpu.tasks] == ["dch"] * 4
    assert (with_gpu.gpus, with_gpu.jobs, with_gpu.settings.threads) == (1, 2, 4)
    assert with_gpu.settings.device == "cuda"  # a node numbers its own
    assert [task.cell.method for task in without.tasks] == ["lsh"] * 2
    assert (without.gpus, without.jobs, without.settings.threads) == (0, 1, 1)
    assert without.settings.device == "cpu"
    (everything,) = parts(mixed, bench.settings, 3, gpus=False)
    assert (everything.gpus, everything.jobs, len(everything.tasks)) == (0, 3, 6)


@pytest.mark.parametrize(
    ("nodes", "wanted"),
    [
        ([{"CPU": 64, "GPU": 8}, {"CPU": 64}], {"num_cpus": 4, "num_gpus": 0.5}),
        ([{"CPU": 4, "GPU": 1}, {"CPU": 64, "GPU": 8}], {"num_cpus": 2, "num_gpus": 0.5}),
        ([{"CPU": 1, "GPU": 1}], {"num_cpus": 1, "num_gpus": 0.5}),
        ([{"CPU": 64}], {"num_cpus": 1, "num_gpus": 0}),
    ],
)
def test_ray_tasks_ask_for_what_every_node_with_gpus_can_give(bench, mixed, nodes, wanted) -> None:
    asked, own = resources(mixed[0], bench.settings, nodes)
    assert asked == wanted
    assert own.device == ("auto" if wanted["num_gpus"] else "cpu")
    assert own.threads == wanted["num_cpus"]
    shallow, own = resources(mixed[-1], bench.settings, nodes)
    assert shallow == {"num_cpus": 1, "num_gpus": 0}
    assert own.device == "cpu"
