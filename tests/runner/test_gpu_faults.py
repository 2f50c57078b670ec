"""What errors of a GPU mean, and what a record says of how it was computed there."""

from __future__ import annotations

import os
import warnings

import pytest
import torch
from mocked_gpus import pretend
from sweep_bench import Recorder

from hashbench import devices
from hashbench.baselines.lsh import LSH
from hashbench.errors import InputError
from hashbench.runner import faults, run
from hashbench.runner.apart import prepare_apart
from hashbench.runner.environment import environment, gpu_facts
from hashbench.runner.execute import Limits, run_here
from hashbench.runner.faults import is_lost, out_of_gpu_memory
from hashbench.switches import alerts

ACCESS = torch.AcceleratorError("CUDA error: an illegal memory access was encountered")


def wrapped(error: Exception) -> Exception:
    try:
        raise ValueError("my loss failed") from error
    except ValueError as outer:
        return outer


@pytest.mark.parametrize(
    ("error", "memory", "lost"),
    [
        (ACCESS, False, True),
        (wrapped(ACCESS), False, True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), False, True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cu`"), False, True),
        (RuntimeError("CUDA error: device-side assert triggered"), False, True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True, False),
        (torch.AcceleratorError("CUDA error: out of memory"), True, False),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `c`"), True, False),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True, False),
        # A card in exclusive mode, which a neighbour has.
        (torch.AcceleratorError("CUDA error: all CUDA-capable devices are busy or unavailable"),
         True, False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False, False),
        (ValueError("an answer about CUDA errors"), False, False),
        (MemoryError("an array of 9 TB"), False, False),
    ],
)  # fmt: skip
def test_what_an_error_means(error, memory, lost) -> None:
    assert out_of_gpu_memory(error) is memory
    assert is_lost(error) is lost


def test_an_error_that_says_nothing_is_tried_out(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    assert not is_lost(IndexError("7"))

    def broken() -> None:
        raise ACCESS

    monkeypatch.setattr(torch.cuda, "synchronize", broken)
    assert is_lost(IndexError("7"))


def test_memory_goes_back_between_cells(bench, monkeypatch) -> None:
    emptied = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(1))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(faults.gc, "collect", lambda: None)
    bench.run(bench.tasks("lsh", seeds=range(2)), run_here)
    assert len(emptied) == 2


def test_determinism_is_on_for_cuda_alone_and_put_back(monkeypatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with devices.deterministic("cpu"):
        assert not torch.are_deterministic_algorithms_enabled()
    with devices.deterministic("cuda:1"):
        assert torch.are_deterministic_algorithms_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert not torch.are_deterministic_algorithms_enabled()


def test_an_operation_without_a_deterministic_way_is_found_and_other_warnings_are_shown() -> None:
    """`put_` has none on a CPU either: what PyTorch itself says is what is looked for."""
    values = torch.zeros(4)
    with warnings.catch_warnings(record=True) as shown, devices.deterministic("cuda"):
        with alerts() as found:
            for _ in range(2):
                values.put_(torch.tensor([1]), torch.tensor([2.0]))
            warnings.warn("something else", stacklevel=1)
        assert found == ["put_"]
    assert [str(item.message) for item in shown] == ["something else"]


@pytest.mark.parametrize("threads", [1, 2])
def test_of_a_cpu_one_thread_alone_is_deterministic(threads: int) -> None:
    assert environment("cpu", threads)["deterministic"] is (threads == 1)


def test_a_record_says_deterministic_only_where_it_was(bench, monkeypatch) -> None:
    monkeypatch.setattr(devices, "kind_of", lambda _: "cuda")  # the switches of a GPU, on a CPU
    monkeypatch.setattr("hashbench.runner.train.gpu_facts", lambda _: {"gpu": "one"})
    (quiet,) = bench.run(bench.tasks("lsh"), run_here).records
    assert quiet.environment["deterministic"] is True
    assert quiet.environment["gpu"] == "one"
    before = LSH.fit

    def fits(self, *given):
        torch.zeros(4).put_(torch.tensor([1]), torch.tensor([2.0]))
        return before(self, *given)

    monkeypatch.setattr(LSH, "fit", fits)
    (loud,) = bench.run(bench.tasks("lsh", bits=(16,)), run_here).records
    assert loud.environment["deterministic"] is False
    assert loud.environment["nondeterministic"] == ["put_"]


def test_the_gpu_of_a_record_is_the_one_that_was_used(monkeypatch) -> None:
    assert environment("cpu")["gpu"] is None
    assert gpu_facts("cpu") == {}
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda name: (int(name[-1]), 0))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda name: f"card {name}")
    found = gpu_facts("cuda:3")
    assert (found["gpu"], found["capability"]) == ("card cuda:3", "3.0")


@pytest.mark.parametrize(
    ("device", "workers", "executor", "apart"),
    [("auto", 2, "local", True), ("auto", 0, "local", False), ("cpu", 2, "local", False),
     ("cuda:9", 2, "slurm", True)],
)  # fmt: skip
def test_who_prepares(bench, monkeypatch, device, workers, executor, apart) -> None:
    """A parent of workers extracts nothing on a GPU; a cluster's device need not be here."""
    pretend(monkeypatch, 1)
    asked = []
    for name in ("prepare", "prepare_apart"):
        monkeypatch.setattr(
            run, name, lambda *given, name=name: asked.append((name, given)) or ([], [])
        )
    settings = bench.settings.__class__(**{**bench.settings.__dict__, "device": device})
    run._prepare(run.Job([], settings, Limits(workers), executor), [], Recorder())
    ((found, (_, told, _)),) = asked
    assert (found == "prepare_apart") is apart
    assert told.device == ("auto" if device == "cuda:9" else device)


def test_features_are_prepared_by_a_process_that_ends_with_its_gpu(bench) -> None:
    tasks = bench.tasks("lsh,quick")
    assert prepare_apart(tasks, bench.settings, Recorder()) == (tasks, [])
    dying = bench.plugin.with_name("dying.py")
    dying.write_text(
        "import ctypes, multiprocessing\n"
        "if multiprocessing.parent_process(): ctypes.CDLL(None)._exit(3)\n"  # as a library might
    )
    settings = bench.settings.__class__(**{**bench.settings.__dict__, "plugins": (dying,)})
    with pytest.raises(InputError, match="prepares features died with exit code 3"):
        prepare_apart(tasks, settings, Recorder())
