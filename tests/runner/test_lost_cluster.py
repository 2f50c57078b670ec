"""An executor on Ray whose head is killed, with a pretended Ray: the cluster is no part of it."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest
from sweep_bench import Recorder

from hashbench import raycluster, registries
from hashbench.runner import on_ray
from hashbench.runner.execute import Limits
from hashbench.runner.run import _ended


class OneAnswers:
    """A Ray that runs the first cell it is given, in this process, and no other."""

    def __init__(self, address: str) -> None:
        self.answers: dict[str, object] = {}
        self.cancelled: list[str] = []
        self.address = address

    def get_runtime_context(self) -> SimpleNamespace:
        return SimpleNamespace(gcs_address=self.address)

    def nodes(self) -> list[dict[str, object]]:
        return [{"Alive": True, "Resources": {"CPU": 2.0}}]

    def remote(self, function) -> SimpleNamespace:
        def begin(task, *given):
            if not self.answers:
                registries.made.clear()  # a process of a cluster knows no plugin
                self.answers[task.key] = function(task, *given)
            return task.key

        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=begin))

    def wait(self, references, timeout) -> tuple[list[str], list[str]]:
        ready = [item for item in references if item in self.answers]
        return ready, [item for item in references if item not in ready]

    def get(self, reference: str) -> object:
        return self.answers[reference]

    def cancel(self, reference: str, force: bool) -> None:
        self.cancelled.append(reference)


@pytest.mark.filterwarnings("error")
def test_a_run_ends_soon_after_the_head_of_its_cluster(bench, monkeypatch) -> None:
    """What was finished is kept, the rest is told of, and nothing is stored of it."""
    monkeypatch.setattr(raycluster, "SILENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ray = OneAnswers(f"127.0.0.1:{server.getsockname()[1]}")
        head = raycluster.ClusterHead(ray)
        head._looked = head._heard = 0.0
        assert not head.is_lost()
    tasks, listener = bench.tasks("quick", seeds=range(3)), Recorder()
    with pytest.warns(UserWarning, match=r"head at 127.* not answered .* run the same command"):
        on_ray._run(ray, tasks, bench.settings, Limits(), listener)
    first, *others = (task.key for task in tasks)
    assert [record.key for record in bench.store.records()] == [first]
    told = {record.key: record for record in listener.records}
    assert told[first].ok
    assert list(told) == [first, *others]
    assert ray.cancelled == others
    _, missing = _ended(tasks, [], bench.settings, told, {})
    assert [ask.cell.seed for ask, _ in missing] == [1, 2]
    assert all("Ray's head at 127.0.0.1" in reason for _, reason in missing)
