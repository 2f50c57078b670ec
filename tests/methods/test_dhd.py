"""DHD against references from the formulae of its authors' code, and who teaches whom."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from laws import BITS, COUNT, LABELS, begin, outputs_of, saturated, tied

from hashbench.methods.dhd import DHD

LABELLED = [i for i in range(COUNT) if LABELS[i].any()]


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def gradients(method, first, second):
    """Value of the loss at two views, and its gradients with respect to each."""
    views = [torch.tensor(view, requires_grad=True) for view in (first, second)]
    labels = torch.tensor(LABELS, dtype=torch.float64)
    value = method.loss(views[0], labels, replace(begin(method), second=views[1]))
    return float(value.detach()), *(
        gradient.numpy() for gradient in torch.autograd.grad(value, views)
    )


def entropy(p, target):
    """Binary cross-entropy of one number."""
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def by_hand(proxies, z, other, temperature, distillation, quantization, deviation):
    h, followed = np.tanh(z), np.tanh(other)
    named = []
    for i in LABELLED:
        weights = np.exp([cosine(h[i], proxy) / temperature for proxy in proxies])
        named.append(-np.mean(np.log(weights / weights.sum())[LABELS[i] > 0]))
    apart = np.mean([1 - cosine(followed[i], h[i]) for i in range(COUNT)])
    binarity = []
    for value in h.flat:
        plus, minus = (np.exp(-((value - mean) ** 2) / (2 * deviation**2)) for mean in (1, -1))
        bit = float(value > 0)
        binarity.append(entropy(plus, bit) + entropy(minus, 1 - bit))
    return np.mean(named) + distillation * apart + quantization * np.mean(binarity)


@pytest.mark.parametrize("settings", [(0.2, 0.1, 0.1, 0.5), (0.7, 2.0, 0.0, 0.5), (1, 0, 3, 1.3)])
def test_it_is_proxies_distillation_and_likelihoods_of_bits(settings):
    names = ("temperature", "distillation", "quantization", "deviation")
    method = DHD(bits=BITS, **dict(zip(names, settings, strict=True)))
    z, other = outputs_of(), outputs_of(seed=1)
    proxies = begin(method).state.directions.detach().numpy()
    wanted = by_hand(proxies, z, other, *settings)
    assert gradients(method, z, other)[0] == pytest.approx(wanted, 1e-9)


@pytest.mark.parametrize("inputs", [outputs_of, saturated, tied], ids=lambda made: made.__name__)
def test_gradients_are_those_of_finite_differences_of_what_is_not_held_fixed(inputs):
    """Without the distillation the first view's; with it, the second's."""
    alone, both = DHD(bits=BITS, distillation=0.0), DHD(bits=BITS, distillation=3.0)
    first, second = inputs(), inputs()[::-1] * np.linspace(0.5, 1, COUNT)[:, None]
    generator, small = np.random.default_rng(0), 1e-6
    for _ in range(6):
        way = generator.normal(size=first.shape)
        ends = [gradients(alone, first + side * small * way, second)[0] for side in (1, -1)]
        found = (gradients(alone, first, second)[1] * way).sum()
        assert found == pytest.approx((ends[0] - ends[1]) / (2 * small), rel=1e-4, abs=1e-6)
        ends = [gradients(both, first, second + side * small * way)[0] for side in (1, -1)]
        found = (gradients(both, first, second)[2] * way).sum()
        assert found == pytest.approx((ends[0] - ends[1]) / (2 * small), rel=1e-4, abs=1e-6)


def test_the_teacher_is_not_moved_by_its_student():
    z, other = outputs_of(), outputs_of(seed=1)
    plain, taught = (
        gradients(DHD(bits=BITS, distillation=weight), z, other) for weight in (0.0, 5.0)
    )
    np.testing.assert_array_equal(plain[1], taught[1])
    assert not plain[2].any()
    assert (abs(taught[2]).max(axis=1) > 1e-3).all()  # each item's student, labelled or not


@pytest.mark.parametrize("deviation", [1e-3, 0.5, 1e3])
def test_a_bit_is_cheapest_at_its_side_and_nothing_overflows(deviation):
    method = DHD(bits=BITS, deviation=deviation)
    codes = torch.tensor([[0.0, 0.5, 0.9, 1.0]], dtype=torch.float64)
    codes = torch.cat([codes, -codes]).requires_grad_()
    costs = [method._binarity(code) for code in codes.flatten()]
    assert torch.isfinite(torch.stack(costs)).all()
    assert costs[:4] == costs[4:]
    assert costs[:4] == sorted(costs[:4], reverse=True)
    (slope,) = torch.autograd.grad(sum(costs), codes)
    assert torch.isfinite(slope).all()


def test_the_hash_layer_normalises_the_bits_of_an_item():
    method = DHD(bits=8)
    linear, norm = method.hash_layer(5)
    assert linear.bias is None
    outputs = norm(linear(torch.tensor(outputs_of(4, 5), dtype=torch.float32)))
    np.testing.assert_allclose(outputs.mean(1).detach(), 0, atol=1e-6)
