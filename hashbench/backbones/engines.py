"""Running a backbone's graph as fast as this machine can.

PyTorch on the GPU that is asked for, or on any there is where none is named; on a CPU
OpenVINO (five times PyTorch's speed), else PyTorch. Features of two engines differ by less
than 1e-3.
"""

from __future__ import annotations

import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hashbench import devices

Batches = Iterable[NDArray[Any]]

#: Batches a GPU has before it while one is read back.
IN_FLIGHT = 3


class FeatureEngine(Protocol):
    """Runs a graph over batches.

    Attributes:
        name: what the cache's description calls it.
    """

    name: str

    def run(self, batches: Batches) -> Iterator[NDArray[np.float32]]:
        """Features of each batch, in order; of `(n, height, width, 3)` uint8 images as a rule."""


def best_engine(
    graph: nn.Module,
    shape: tuple[int, ...],
    threads: int | None = None,
    *,
    device: str = "auto",
    dtype: torch.dtype = torch.uint8,
) -> FeatureEngine:
    """The fastest engine that works here.

    Args:
        graph: what to run.
        shape: `(height, width, 3)` of the images, or of what else goes in.
        threads: CPU threads; None for all.
        device: where to run it, as `devices.resolve` takes it.
        dtype: of what goes in.

    Raises:
        InputError: if there is no such device.
    """
    device = devices.resolve(device)
    if device != "cpu":
        return TorchEngine(graph, device, threads)
    try:
        return OpenVINOEngine(graph, shape, threads, dtype)
    except ImportError:
        return TorchEngine(graph, "cpu", threads)
    except Exception as error:  # a machine OpenVINO cannot serve still has PyTorch
        warnings.warn(f"OpenVINO failed ({error}); PyTorch extracts, slower", stacklevel=2)
        return TorchEngine(graph, "cpu", threads)


class TorchEngine:
    """PyTorch on a CPU or a GPU, in float32.

    A CUDA device is given the next batches while it computes: nothing but the oldest
    result is waited for.
    """

    def __init__(self, graph: nn.Module, device: str, threads: int | None = None) -> None:
        self.name = f"torch {torch.__version__} {device}"
        self.device = device
        self.threads = threads
        self.graph = graph.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(self, batches: Batches) -> Iterator[NDArray[np.float32]]:
        """Features of each batch, in order."""
        cuda = torch.device(self.device).type == "cuda"
        waiting: deque[_Result] = deque()
        for batch in batches:
            # TF32 would differ from the other engines by more than 1e-3.
            exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
            with torch.inference_mode(), exact, _torch_threads(self.threads):
                images = torch.from_numpy(batch)
                images = images.pin_memory() if cuda else images
                images = images.to(self.device, non_blocking=cuda)
                waiting.append(_Result(self.graph(images).float(), cuda=cuda))
            if not cuda or len(waiting) > IN_FLIGHT:
                yield waiting.popleft().array()
        while waiting:
            yield waiting.popleft().array()


class _Result:
    """Features on their way to the CPU."""

    def __init__(self, features: torch.Tensor, *, cuda: bool) -> None:
        self.arrived = None
        self.features = features
        if not cuda:
            return
        self.features = torch.empty(features.shape, dtype=features.dtype, pin_memory=True)
        self.features.copy_(features, non_blocking=True)
        self.arrived = torch.cuda.Event()
        self.arrived.record(torch.cuda.current_stream(features.device))

    def array(self) -> NDArray[np.float32]:
        if self.arrived is not None:
            self.arrived.synchronize()
        return self.features.cpu().numpy()


class OpenVINOEngine:
    """OpenVINO on a CPU, in float32, several requests in flight.

    Raises:
        ImportError: if OpenVINO is not installed.
        Exception: if it cannot convert or compile the graph.
    """

    def __init__(
        self,
        graph: nn.Module,
        shape: tuple[int, ...],
        threads: int | None = None,
        dtype: torch.dtype = torch.uint8,
    ) -> None:
        openvino = import_openvino()
        self.name = f"openvino {openvino.__version__.split('-')[0]}"
        example = torch.zeros((2, *shape), dtype=dtype)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer's, about shapes that are fixed here
            # Traced here, for OpenVINO would trace it again to compare, which takes as long.
            traced = torch.jit.trace(graph, example, strict=False, check_trace=False)
            model = openvino.convert_model(traced, example_input=example)
        model.reshape([-1, *shape])
        options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
        if threads:
            options["INFERENCE_NUM_THREADS"] = str(threads)
        self._compiled = openvino.Core().compile_model(model, "CPU", options)
        self._in_flight = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def run(self, batches: Batches) -> Iterator[NDArray[np.float32]]:
        """Features of each batch, in order."""
        waiting = iter(batches)
        requests = [self._compiled.create_infer_request() for _ in range(self._in_flight)]
        busy = []
        for request, batch in zip(requests, islice(waiting, len(requests)), strict=False):
            request.start_async([batch])
            busy.append(request)
        while busy:
            request = busy.pop(0)
            request.wait()
            features = request.get_output_tensor().data.copy()
            for batch in islice(waiting, 1):
                request.start_async([batch])
                busy.append(request)
            yield features


def import_openvino() -> ModuleType:
    """OpenVINO, without the usage statistics it would send on import."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    module: ModuleType = openvino
    return module


@contextmanager
def _torch_threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
