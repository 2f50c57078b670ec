"""Hard codes whose gradient is that of something soft."""

from dataclasses import replace

import pytest
import torch
from laws import BITS, LABELS, begin, outputs_of

from hashbench.methods import bihalf, cibhash, greedyhash, greedyhash_unsupervised, jmlh
from hashbench.methods.binary import signs, straight_through

MODULES = (bihalf, cibhash, greedyhash, greedyhash_unsupervised, jmlh)
METHODS = [
    bihalf.BiHalf(bits=BITS),
    cibhash.CIBHash(bits=BITS, bottleneck=0.0),  # of its divergence, one side is held fixed
    greedyhash.GreedyHash(bits=BITS),
    greedyhash_unsupervised.GreedyHashUnsupervised(bits=BITS),
    jmlh.JMLH(bits=BITS),
]


def test_it_is_hard_forwards_and_soft_backwards():
    soft = torch.tensor([-1e30, -0.3, 0.0, 1e-9, 1e30], requires_grad=True)
    codes = straight_through(soft)
    assert codes.tolist() == [-1, -1, -1, 1, 1]  # whatever rounding makes of 1e30
    weights = torch.arange(5.0)
    (codes * weights).sum().backward()
    assert torch.equal(soft.grad, weights)
    assert straight_through(soft, 7 * signs(soft)).tolist() == [-7, -7, -7, 7, 7]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_gradients_are_those_of_soft_codes_at_a_fixed_distance(method, scale, monkeypatch):
    """Finite differences see through no sign: codes move along with what is soft instead."""
    gaps = []

    def at_a_distance(soft, hard=None):
        if not gaps:
            gaps.append(((signs(soft) if hard is None else hard) - soft).detach())
        return soft + gaps[0]

    for module in MODULES:
        monkeypatch.setattr(module, "straight_through", at_a_distance)
    second = torch.tensor(outputs_of(seed=1))
    labels = torch.tensor(LABELS).double() * method.supervised

    def loss(outputs):  # a fresh step, so that draws are the same
        return method.loss(outputs, labels, replace(begin(method), second=second))

    outputs = torch.tensor(scale * outputs_of(), requires_grad=True)
    assert torch.autograd.gradcheck(loss, outputs, eps=1e-5, atol=1e-7, rtol=1e-4)
