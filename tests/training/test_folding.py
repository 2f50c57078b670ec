"""Batch normalisation folded into convolutions: the same function, the same gradients."""

import copy

import pytest
import torch
from tiny_network import tiny_trunk
from torch import nn

from hashbench.backbones.folding import FoldedConv, fold


def example():
    return torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def folded(network):
    made = copy.deepcopy(network).eval()
    fold(made, example())
    return made, sum(isinstance(module, FoldedConv) for module in made.modules())


def norm(channels):
    made = nn.BatchNorm2d(channels)
    made.running_mean.uniform_(-1, 1)
    made.running_var.uniform_(0.5, 2)
    nn.init.uniform_(made.weight, 0.5, 2)
    nn.init.uniform_(made.bias, -1, 1)
    return made


def gradients(network):
    network.zero_grad()
    outputs = network(example())
    (outputs * torch.arange(outputs.numel()).view_as(outputs).sin()).sum().backward()
    return [parameter.grad for parameter in network.parameters()]


def test_outputs_and_gradients_are_those_of_the_network():
    network = tiny_trunk(48).stages
    other, count = folded(network)
    assert count == 3
    torch.testing.assert_close(other(example()), network(example()), rtol=1e-4, atol=1e-5)
    for one, two in zip(gradients(network), gradients(other), strict=True):
        torch.testing.assert_close(two, one, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 3])
def test_convolutions_of_every_kind(bias, groups):
    conv = nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=bias, groups=groups)
    network = nn.Sequential(conv, norm(6), nn.ReLU6()).eval()
    other, count = folded(network)
    assert count == 1
    torch.testing.assert_close(other(example()), network(example()), rtol=1e-4, atol=1e-5)


def test_normalisation_that_follows_something_else_stays():
    network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), norm(6)).eval()
    other, count = folded(network)
    assert count == 0
    assert torch.equal(other(example()), network(example()))


class Twice(nn.Module):
    """Uses its convolution's output before normalisation as well."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3), norm(6)

    def forward(self, images):
        outputs = self.conv(images)
        return self.norm(outputs) + outputs


class Doubling(nn.Conv2d):
    """A convolution of its own kind."""

    def forward(self, inputs):
        return 2 * super().forward(inputs)


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.Sequential(Doubling(3, 6, 3), norm(6))

    def forward(self, images):
        return self.stages(images)


@pytest.mark.parametrize("made", [Twice, Mixed])
def test_a_network_that_would_compute_something_else_is_left_alone(made):
    network = made().eval()
    other, count = folded(network)
    assert count == 0
    assert torch.equal(other(example()), network(example()))
    assert other.state_dict().keys() == network.state_dict().keys()
