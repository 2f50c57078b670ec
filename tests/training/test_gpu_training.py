"""What training does otherwise on a GPU: shown on tensors that only pretend to be there."""

from __future__ import annotations

import copy
from functools import partial
from itertools import chain

import numpy as np
import pytest
import torch
from pixel_methods import Plugin, make
from tiny_network import tiny_trunk
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils._python_dispatch import TorchDispatchMode

from hashbench import runtime
from hashbench.backbones import engines
from hashbench.backbones.backbone import Preprocessing
from hashbench.backbones.engines import IN_FLIGHT, TorchEngine
from hashbench.backbones.folding import FoldedConv, fold
from hashbench.backbones.views import Viewer
from hashbench.registries import methods
from hashbench.runtime import Runtime
from hashbench.training.averaging import Average
from hashbench.training.balance import PairBalance
from hashbench.training.checkpoints import Checkpoint
from hashbench.training.deep import DeepHasher
from hashbench.training.device import has_bfloat16
from hashbench.training.heads import Standardise, trunk
from hashbench.training.pixels import DrawnBatches
from hashbench.training.step import Step

DEEP = [
    name
    for name in methods().names()
    if methods().entry(name).origin == "hashbench" and methods().get(name).kind == "deep"
]


class Operations(TorchDispatchMode):
    """The names of the operations in the block, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("shape", [(16, 16, 3), (300, 200, 3)])
def test_views_cut_where_the_canvases_are_are_the_same_pixels(shape):
    viewer = Viewer(Preprocessing(resize=40, crop=32, enlarged=48), shape)
    generator = np.random.default_rng(1)
    canvases = generator.integers(0, 256, (7, *viewer.canvas, 3), np.uint8)
    rows = np.array([3, 0, 6, 3])
    draw = viewer.draw(generator, len(rows))
    assert draw.flips.any()
    assert not draw.flips.all()
    found = viewer.look_there(torch.from_numpy(canvases), rows, draw)
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found.numpy(), viewer.look(canvases[rows], draw))


def test_on_cuda_normalisation_is_one_operation_behind_the_convolution():
    network = tiny_trunk(48).stages
    example = torch.randn(4, 3, 32, 32)
    wanted = network(example)
    fold(network, example)
    folded = [module for module in network.modules() if isinstance(module, FoldedConv)]
    for module in folded:  # as a GPU would have it
        module.in_one = module.one_after_the_other
    torch.testing.assert_close(network(example), wanted, rtol=1e-4, atol=1e-5)
    with FakeTensorMode(), torch.no_grad():
        there, here = (FoldedConv(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6)) for _ in range(2))
        _without_values(there, "cuda")
        with Operations() as gpu:
            there(torch.empty(2, 3, 8, 8, device="cuda"))
        with Operations() as cpu:
            here(torch.empty(2, 3, 8, 8))
    assert "mul" in cpu.names  # it scales the kernels
    assert "mul" not in gpu.names
    assert len(gpu.names) < len(cpu.names)


@pytest.mark.parametrize("name", DEEP)
def test_losses_mix_no_devices_and_read_nothing_back(name):
    """Fake tensors have no values: whatever asks for one raises, as does a mix of devices.

    Gradients are taken on another device without values, for CUDA's need CUDA.
    """
    method = methods().get(name)(bits=8, head="mlp")
    labels = np.eye(3, dtype=np.uint8)[np.arange(12) % 3]
    method.prepare(labels)
    features = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    state = method.loss_state(labels, features)
    body, width = trunk("mlp", 5, method.recipe())
    network = nn.Sequential(body, method.hash_layer(width))
    copies = copy.deepcopy((network, state))
    with FakeTensorMode(allow_non_fake_inputs=True):
        assert _loss(method, *copies, "cuda").device.type == "cuda"
    _loss(method, network, state, "meta").backward()
    assert all(item.grad is not None for item in network.parameters())


def _loss(method, network, state, device):
    for module in (network, *([] if state is None else [state])):
        _without_values(module, device)
    inputs = torch.empty(12 if method.two_views else 6, 5, device=device)
    outputs, second = network(inputs).float(), torch.empty(0)
    if method.two_views:
        outputs, second = outputs.chunk(2)
    step = Step(
        1, 10, torch.empty(6, dtype=torch.int64, device=device), PairBalance(2.0, 1.5),
        torch.Generator(), state=state, second=second,
        gather=lambda: torch.empty(6, 5, device=device),
    )  # fmt: skip
    return method.loss(outputs, torch.empty(6, 3, device=device), step)


def _without_values(module, device):
    """Put tensors on a device that is not there in the place of a module's own."""
    for part in module.modules():
        for named in (part._parameters, part._buffers):
            for key, value in named.items():
                if value is not None:
                    there = torch.empty(value.shape, dtype=value.dtype, device=device)
                    named[key] = nn.Parameter(there) if isinstance(value, nn.Parameter) else there


def test_the_average_is_pytorchs_in_one_operation():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    ours = Average(network, 0.9, 1000)
    theirs = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.5)
    for number in range(5):
        optimiser.zero_grad()
        network(torch.randn(6, 3)).square().sum().backward()
        optimiser.step()
        theirs.update_parameters(network)
        with Operations() as done:
            ours.update()
        assert done.names.count("_foreach_lerp_") == 1
        assert len(done.names) <= 5, number
    for one, two in zip(*map(_floats, (ours.model, theirs)), strict=True):
        assert torch.equal(one, two)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    ours.take()
    for one, two in zip(*map(_floats, (network, theirs.module)), strict=True):
        assert torch.equal(one, two)


def _floats(module):
    return [
        item for item in chain(module.parameters(), module.buffers()) if item.is_floating_point()
    ]


def test_batches_go_to_a_gpu_from_pinned_memory_and_nobody_waits(monkeypatch):
    pinned = []

    def pin(self):
        pinned.append(self.dtype)
        return self

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    with FakeTensorMode(allow_non_fake_inputs=True):
        labels = torch.zeros(6, 2, device="cuda")
        batches = DrawnBatches(lambda rows, *_: torch.zeros(len(rows), 3), labels, 4, 0)
        for batch in batches.epoch(0):
            assert {item.device.type for item in batch if item is not None} == {"cuda"}
    assert pinned == [torch.int64, torch.float32] * 2


def test_a_gpu_has_its_next_batches_while_one_is_read_back(monkeypatch):
    waiting, most = [], []

    class Result:
        def __init__(self, features, *, cuda):
            assert cuda
            self.features = features
            waiting.append(self)

        def array(self):
            most.append(len(waiting))
            waiting.remove(self)
            return self.features.numpy()

    monkeypatch.setattr(engines, "_Result", Result)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *_, **__: self)
    engine = TorchEngine(nn.Identity(), "cpu")
    engine.device = "cuda:1"
    batches = [np.full((2, 1), number, np.float32) for number in range(7)]
    found = list(engine.run(batches))
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(batches))
    assert max(most) == IN_FLIGHT + 1


def test_a_checkpoint_of_another_kind_of_device_starts_over(tmp_path):
    Checkpoint(tmp_path, "me", "cuda").save({"history": [1]})
    assert Checkpoint(tmp_path, "me", "cuda").load() == {"history": [1]}
    with pytest.warns(UserWarning, match="another kind of device than cpu: .* the beginning"):
        assert Checkpoint(tmp_path, "me").load() is None
    Checkpoint(tmp_path, "me").save({"history": [2]})
    assert Checkpoint(tmp_path, "me").load() == {"history": [2]}


def test_every_deep_method_is_here():
    assert len(DEEP) > 20
    assert all(issubclass(methods().get(name), DeepHasher) for name in DEEP)


@pytest.mark.parametrize(
    ("capability", "wanted"), [((7, 5), False), ((8, 0), True), ((9, 0), True)]
)
def test_bfloat16_is_for_cards_that_have_it(monkeypatch, capability, wanted):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert has_bfloat16(torch.device("cuda:1")) is wanted
    assert not has_bfloat16(torch.device("cpu"))


def test_compiled_batches_are_of_one_size_and_leave_out_others_each_time():
    batches = DrawnBatches(
        lambda rows, *_: torch.zeros(len(rows), 1), torch.zeros(11, 2), 4, 0, even=True
    )
    epochs = [[batch.rows for batch in batches.epoch(number)] for number in range(4)]
    assert [[len(rows) for rows in epoch] for epoch in epochs] == [[3, 3, 3]] * 4
    assert len({frozenset(torch.cat(epoch).tolist()) for epoch in epochs}) > 1


def test_what_ran_eager_is_told(monkeypatch, train):
    """Compiled by a backend that compiles nothing: which graphs there are is seen all the same."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    noted = {}

    def broken(self, inputs):
        torch._dynamo.graph_break()
        return inputs

    with runtime.use(Runtime(note=noted.__setitem__)):
        make(Plugin, "full", compiled=True, epochs=1).fit(train)
        assert noted["precision"] == "float32"
        assert noted["compiled"]["frames"] > 0
        before = noted["compiled"]["graph breaks"]  # random draws of a CPU's dropout
        monkeypatch.setattr(Standardise, "forward", broken)
        make(Plugin, "full", compiled=True, epochs=1).fit(train)
    assert noted["compiled"]["graph breaks"] > before
    assert any("graph_break()" in reason for reason in noted["compiled"]["reasons"])
