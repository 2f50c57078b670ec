"""Executors of clusters: real ones, as far as one machine can hold them."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest

from hashbench.errors import InputError
from hashbench.runner.attempt import pending
from hashbench.runner.execute import run_here
from hashbench.runner.on_ray import run_on_ray
from hashbench.runner.on_slurm import run_on_slurm


@pytest.mark.parametrize(
    ("executor", "module", "extra"),
    [(run_on_ray, "ray", "ray"), (run_on_slurm, "submitit", "slurm")],
)
def test_what_is_not_installed_gives_the_pip_command(
    bench, monkeypatch, executor, module, extra
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"pip install 'hashbench\[{extra}\]'"):
        bench.run(bench.tasks("quick"), executor)


def test_a_machine_without_slurm_says_so(bench, monkeypatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match="no Slurm on this machine"):
        bench.run(bench.tasks("quick"), run_on_slurm)


@pytest.mark.slow
def test_slurm_jobs_share_the_cells(bench) -> None:
    pytest.importorskip("submitit")

    def on_this_machine(*args):
        run_on_slurm(*args, cluster="local")

    tasks = bench.tasks("quick,wrong", seeds=range(4), journal=str(bench.journal))
    found = bench.run(tasks, on_this_machine)
    assert len(found.records) == 8
    assert len(bench.starts()) == len(set(bench.starts())) == 8
    assert {r.status for r in found.records if r.cell["method"] == "quick"} == {"ok"}
    assert {r.status for r in found.records if r.cell["method"] == "wrong"} == {"failed"}


@pytest.mark.slow
def test_a_node_of_a_ray_cluster_may_die(bench, monkeypatch) -> None:
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_DISABLE_IMPORT_WARNING", "1")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        node, _ = (cluster.add_node(num_cpus=1) for _ in range(2))
        cluster.wait_for_nodes()
        ray.init(address=cluster.address, log_to_driver=False)
        tasks = bench.tasks("quick", seeds=range(8), journal=str(bench.journal), seconds=0.5)

        def kill() -> None:
            deadline = time.monotonic() + 120
            while len(bench.store.records()) < 2 and time.monotonic() < deadline:
                time.sleep(0.05)
            cluster.remove_node(node, allow_graceful=False)

        killer = threading.Thread(target=kill)
        killer.start()
        found = bench.run(tasks, run_on_ray)
        killer.join()
        alive = [one for one in ray.nodes() if one["Alive"]]
        assert len(alive) == 2  # the head, and the node that was left
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert [record.status for record in found.records] == ["ok"] * 8
    assert pending([task.cell for task in tasks], bench.store) == []
    codes = {t.cell.key: bench.store.open_codes(bench.store.get(t.cell.key))[0] for t in tasks}
    for path in (bench.settings.store / "records").glob("*.json"):
        path.unlink()
    bench.run(pending([task.cell for task in tasks], bench.store), run_here)
    for key, query in codes.items():
        again = bench.store.open_codes(bench.store.get(key))[0]
        assert np.array_equal(again.packed, query.packed)
