"""Shards counted on a real Ray cluster of two nodes on this machine."""

import os

import numpy as np
import pytest

from hashbench.codes import Codes
from hashbench.evaluation import cluster, score
from hashbench.evaluation.histograms import count

ray = pytest.importorskip("ray")


@pytest.fixture
def two_nodes():
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes.add_node(num_cpus=1)
    ray.init(address=nodes.address, log_to_driver=False)
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def test_a_killed_worker_changes_nothing(two_nodes, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    query, database = (Codes.from_bits(rng.integers(0, 2, (n, 16))) for n in (70, 900))
    labels = [(rng.random((n, 5)) < 0.3).astype(np.uint8) for n in (70, 900)]
    marker, plain = tmp_path / "killed", cluster._count_shard

    def dies_once(queries, packed, *rest):
        # The shard with the last item kills its worker at the first attempt.
        if np.array_equal(packed[-1], database.packed[-1]) and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), 9)
        return plain(queries, packed, *rest)

    monkeypatch.setattr(cluster, "_count_shard", dies_once)
    found = cluster.count_on_ray(query, database, *labels)
    assert marker.exists()
    assert sum(node["Alive"] for node in ray.nodes()) == 2
    wanted = count(query, database, *labels)
    assert (found.total == wanted.total).all()
    assert (found.relevant == wanted.relevant).all()
    monkeypatch.setattr(cluster, "_count_shard", plain)
    by_cluster = score(query, database, *labels, counter=cluster.count_on_ray)[0]
    assert by_cluster.to_dict() == score(query, database, *labels)[0].to_dict()
