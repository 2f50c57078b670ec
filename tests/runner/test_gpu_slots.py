"""Cells on GPUs: spread, alone where memory is short, and one that breaks its GPU hurts no other.

No GPU is needed: workers are told of GPUs that are not there, and compute on the CPU.
"""

from __future__ import annotations

import json

import pytest
from mocked_gpus import pretend

from hashbench import registries
from hashbench.cell import Bench as CellBench
from hashbench.cell import Cell
from hashbench.errors import InputError
from hashbench.runner import local, slots
from hashbench.runner.execute import run_here
from hashbench.runner.slots import VISIBLE, Seat, gpu_seats, share, wants_gpu

PLUGIN = '''
import json, multiprocessing, os, time
from dataclasses import dataclass
from pathlib import Path
import numpy as np
import torch
from hashbench.codes import Codes
from hashbench.hasher import Hasher
from hashbench.training.deep import DeepHasher

LOST = False


class OnGpu(Hasher):
    """Writes down which GPU it was shown, and when; what goes wrong is said by `fault`."""

    name = "on-gpu"

    def __init__(self, bits=16, seed=0, journal="", seconds=0.0, fault=""):
        self.bits, self.seed, self.journal = bits, seed, journal
        self.seconds, self.fault = seconds, fault

    def fit(self, train):
        global LOST
        begin = time.monotonic()
        time.sleep(self.seconds)
        with open(self.journal, "a") as lines:
            shown = os.environ.get("CUDA_VISIBLE_DEVICES")
            lines.write(json.dumps([shown, begin, time.monotonic(), self.fault]) + "\\n")
        if self.fault == "memory" and not Path(self.journal + ".tried").exists():
            Path(self.journal + ".tried").touch()
            raise torch.OutOfMemoryError("CUDA out of memory")
        if self.fault == "access":
            LOST = True
        if LOST:
            raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
        self.plane_ = np.random.default_rng(0).normal(size=(64, self.bits))
        return self

    def encode(self, items):
        return Codes.from_real(items.features() @ self.plane_)


@dataclass(kw_only=True, eq=False)
class Head(DeepHasher):
    """A linear head: the CPU's, unless a device is named."""

    name = "head"
    journal: str = ""

    def loss(self, outputs, labels, step):
        with open(self.journal, "a") as lines:
            shown = os.environ.get("CUDA_VISIBLE_DEVICES")
            lines.write(json.dumps([shown, 0, 0, "head"]) + "\\n")
        return outputs.square().mean()


if multiprocessing.parent_process() is not None and os.environ.get("TRUST_EVERYONE"):
    from hashbench.runner import worker

    worker.is_foreign = lambda method: False  # its process is used again, as one of ours is
'''


@pytest.fixture
def gpus(bench, tmp_path, monkeypatch):
    """The sweep with two GPUs, whose workers compute on the CPU, and four cores."""
    plugin = tmp_path / "gpu_methods.py"
    plugin.write_text(PLUGIN)
    registries.load_plugins([plugin])
    bench.settings = bench.settings.__class__(**{**bench.settings.__dict__, "plugins": (plugin,)})
    places = tuple(Seat("cpu", {VISIBLE: name}) for name in ("GPU-a", "GPU-b"))
    monkeypatch.setattr(local, "gpu_seats", lambda device: places)
    monkeypatch.setattr(local, "available_cores", lambda: 4)
    return bench


def fits(bench) -> list:
    return [json.loads(line) for line in bench.journal.read_text().splitlines()]


def test_cells_are_spread_over_gpus_and_the_others_see_none(gpus) -> None:
    journal = str(gpus.journal)
    tasks = gpus.tasks("on-gpu", seeds=range(4), journal=journal, seconds=0.5)
    tasks += gpus.tasks("head", journal=journal, epochs=1)
    found = gpus.run(tasks, workers=None)
    assert [record.status for record in found.records] == ["ok"] * 5
    assert {shown for shown, *_, what in fits(gpus) if what != "head"} == {"GPU-a", "GPU-b"}
    assert {shown for shown, *_, what in fits(gpus) if what == "head"} == {""}
    assert {record.environment["device"] for record in found.records} == {"cpu"}


def test_a_cell_short_of_memory_is_tried_again_with_a_gpu_of_its_own(gpus, monkeypatch) -> None:
    monkeypatch.setattr(local, "gpu_seats", lambda _: (Seat("cpu", {VISIBLE: "GPU-a"}),))
    journal = str(gpus.journal)
    tasks = gpus.tasks("on-gpu", journal=journal, fault="memory")
    tasks += gpus.tasks("on-gpu", seeds=range(1, 6), journal=journal, seconds=0.3)
    found = gpus.run(tasks, workers=2)
    assert [record.status for record in found.records] == ["ok"] * 6
    said = [record for record in found.records if "memory" in record.environment]
    assert [record.cell.params["fault"] for record in said] == ["memory"]
    assert said[0].adjusted == {}
    lines = fits(gpus)
    tries = [line for line in lines if line[3] == "memory"]
    others = [line for line in lines if line[3] != "memory"]
    assert len(tries) == 2
    assert len(others) == 5
    _, begin, end, _ = tries[1]
    assert all(before <= begin or after >= end for _, after, before, _ in others)


def test_an_illegal_access_costs_its_cell_and_no_other(gpus, monkeypatch) -> None:
    """A process that lost its GPU fails whatever comes next: it must leave."""
    monkeypatch.setenv("TRUST_EVERYONE", "1")
    monkeypatch.setattr(local, "is_foreign", lambda _: False)
    journal = str(gpus.journal)
    tasks = gpus.tasks("on-gpu", journal=journal, fault="access")
    tasks += gpus.tasks("on-gpu", seeds=range(1, 13), journal=journal)
    found = gpus.run(tasks, workers=2)
    failed = [record for record in found.records if not record.ok]
    assert len(found.records) == 13
    assert [record.cell.params["fault"] for record in failed] == ["access"]
    assert "an illegal memory access" in failed[0].reason
    assert sum(line[3] == "access" for line in fits(gpus)) == local.LIVES
    assert gpus.store.get(failed[0].key) == failed[0]


def test_in_the_commands_own_process_it_ends_the_run_in_one_sentence(gpus) -> None:
    tasks = gpus.tasks("on-gpu", journal=str(gpus.journal), fault="access")
    later = gpus.tasks("on-gpu", seeds=(7,), journal=str(gpus.journal))
    with pytest.raises(InputError, match=r"of no use to this process .*illegal memory access"):
        gpus.run(tasks + later, run_here)
    assert gpus.store.get(tasks[0].key).status == "failed"
    assert gpus.store.get(later[0].key) is None


def cell(method: str, mode: str, **params: object) -> Cell:
    return Cell(CellBench("digits", "p", 0, "pixels"), method, params, mode, 16, 0, "1")


@pytest.mark.parametrize(
    ("asked", "device", "wanted"),
    [
        (cell("itq-cca", "none"), "cuda", False),
        (cell("dch", "head", head="linear"), "auto", False),
        (cell("dch", "head", head="mlp"), "auto", True),
        (cell("dch", "partial", head="linear"), "auto", True),
        (cell("dch", "head", head="linear"), "cuda:1", True),
        (cell("dch", "full", head="linear"), "cpu", False),
        (cell("quick", "none"), "auto", True),  # a stranger's: nobody knows
    ],
)
def test_which_cells_want_a_gpu(bench, asked, device, wanted) -> None:
    assert wants_gpu(asked, device) is wanted


def test_one_gpu_a_worker_by_the_names_the_user_shows(monkeypatch) -> None:
    pretend(monkeypatch, 4)
    monkeypatch.delenv(VISIBLE, raising=False)
    assert [place.environ[VISIBLE] for place in gpu_seats("auto")] == ["0", "1", "2", "3"]
    assert gpu_seats("cuda:3") == (Seat("cuda", {VISIBLE: "3"}),)
    pretend(monkeypatch, 2)
    monkeypatch.setenv(VISIBLE, "5, GPU-8f")
    assert [place.environ[VISIBLE] for place in gpu_seats("cuda")] == ["5", "GPU-8f"]
    assert gpu_seats("cuda:1") == (Seat("cuda", {VISIBLE: "GPU-8f"}),)
    assert gpu_seats("cpu") == ()
    pretend(monkeypatch, mps=True)
    assert gpu_seats("auto") == (Seat("mps", {}),)


GPU = Seat("cuda", {})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        # gpus, cells on GPUs, others, cores, workers -> on GPUs, in all, threads of each kind
        (((GPU,) * 8, 100, 0, 64, None), (16, 16, 4, 4)),
        (((GPU,), 100, 0, 16, None), (2, 2, 8, 8)),  # a Mac, say: not a worker a core
        (((GPU,), 100, 100, 16, None), (2, 16, 4, 1)),
        (((GPU,), 1, 3, 16, None), (1, 4, 4, 4)),
        (((GPU,), 100, 100, 2, None), (1, 2, 1, 1)),
        (((GPU,) * 8, 100, 100, 64, 4), (3, 4, 16, 16)),
        (((GPU,), 5, 5, 8, 1), (1, 1, 8, 8)),
        (((), 3, 3, 6, 3), (0, 3, 2, 2)),
        (((), 0, 9, 4, None), (0, 4, 1, 1)),
        (((), 0, 2, 4, None), (0, 2, 2, 2)),
    ],
)
def test_as_many_workers_of_each_kind_as_serve(given, wanted) -> None:
    found = share(*given)
    assert (found.gpu, found.total, found.gpu_threads, found.cpu_threads) == wanted
    assert found.at_a_time <= max(given[3], given[4] or 0)
    assert slots.PER_GPU * len(given[0]) >= found.gpu
