"""Executors of clusters: real ones, as far as one machine can hold them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from hashbench.errors import InputError
from hashbench.runner import on_slurm
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
    with pytest.raises(InputError, match=rf"pip install '\.\[{extra}\]'"):
        bench.run(bench.tasks("quick"), executor)


def test_a_machine_without_slurm_says_so(bench, monkeypatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match="no Slurm on this machine"):
        bench.run(bench.tasks("quick"), run_on_slurm)


def test_a_job_is_over_when_squeue_no_longer_has_it(monkeypatch, tmp_path) -> None:
    """Whatever sacct says: without accounting it says nothing."""
    squeue = tmp_path / "squeue"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    jobs = [SimpleNamespace(job_id=name) for name in ("6_0", "6_1", "16_0")]
    for script, expected in {
        "echo 6_1; echo 7_0": ["6_1"],
        "true": [],
        "echo 6_1; exit 1": ["6_0", "6_1", "16_0"],  # no answer: nothing is known to be over
    }.items():
        squeue.write_text(f"#!/bin/sh\n{script}\n")
        squeue.chmod(0o755)
        assert [job.job_id for job in on_slurm._queued(jobs)] == expected


@pytest.fixture(params=["local", "slurm"])
def slurm(request):
    """The executor, on processes of this machine and on its Slurm where there is one."""
    pytest.importorskip("submitit")
    if request.param == "slurm":
        try:
            subprocess.run(["sinfo"], check=True, capture_output=True, timeout=10)
        except (OSError, subprocess.SubprocessError):
            pytest.skip("no Slurm answers here")
    return partial(on_slurm.run_on_slurm, cluster=request.param)


@pytest.mark.slow
def test_slurm_jobs_share_the_cells(bench, slurm) -> None:
    tasks = bench.tasks("quick,wrong", seeds=range(4), journal=str(bench.journal))
    found = bench.run(tasks, slurm)
    assert len(found.records) == 8
    assert len(bench.starts()) == len(set(bench.starts())) == 8
    assert {r.status for r in found.records if r.cell["method"] == "quick"} == {"ok"}
    assert {r.status for r in found.records if r.cell["method"] == "wrong"} == {"failed"}


@pytest.mark.slow
def test_slurm_jobs_that_are_all_killed_are_submitted_again(bench, slurm, monkeypatch) -> None:
    monkeypatch.setattr(on_slurm, "ASK", 1.0)
    tasks = bench.tasks("quick", seeds=range(6), journal=str(bench.journal), seconds=0.5)
    submitted: list = []
    rounds = []

    def kill() -> None:
        deadline = time.monotonic() + 900
        while len(bench.store.records()) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        if slurm.keywords["cluster"] == "slurm":
            subprocess.run(["scancel", "--me", "--name=hashbench", "-s", "KILL", "-f"], check=True)
        else:
            for job in submitted:
                job._process.kill()

    watch = on_slurm._watch

    def note(jobs, *args):
        submitted.extend(jobs)
        rounds.append(len(jobs))
        return watch(jobs, *args)

    monkeypatch.setattr(on_slurm, "_watch", note)
    killer = threading.Thread(target=kill)
    killer.start()
    found = bench.run(tasks, slurm)
    killer.join()
    assert [record.status for record in found.records] == ["ok"] * 6
    assert len(rounds) == 2
    assert bench.left(tasks) == []


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
            deadline = time.monotonic() + 900
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
    assert bench.left(tasks) == []
    codes = {t.key: bench.store.open_codes(bench.store.get(t.key))[0] for t in tasks}
    for path in bench.settings.store.glob("records/*.json"):
        path.unlink()
    bench.run(bench.left(tasks), run_here)
    for key, query in codes.items():
        again = bench.store.open_codes(bench.store.get(key))[0]
        assert np.array_equal(again.packed, query.packed)
