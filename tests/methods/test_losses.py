"""Every loss against a float64 reference written pair by pair from the paper's formula."""

import math

import numpy as np
import pytest
import torch
from loss_values import BALANCE, BITS, LABELS, gradient_of, outputs_of, step_at, value_of

from hashbench.errors import InputError
from hashbench.methods.cnnh import CNNH
from hashbench.methods.dch import DCH, cauchy_cross_entropy, hamming_cosine
from hashbench.methods.dch_c import DCHC
from hashbench.methods.dch_e import DCHE
from hashbench.methods.dch_q import DCHQ
from hashbench.methods.dch_released import DCHReleased
from hashbench.methods.dhn import DHN, log_cosh
from hashbench.methods.dnnh import DNNH
from hashbench.methods.hashnet import HashNet
from hashbench.methods.pairs import logistic, pair_mean
from hashbench.training.balance import PairBalance
from hashbench.training.step import Step


def mean_over_pairs(labels, cost):
    """Mean of w_ij cost(i, j, s_ij) over ordered pairs of distinct items."""
    costs = []
    for i in range(len(labels)):
        for j in range(len(labels)):
            if i != j:
                similar = bool(np.any((labels[i] > 0) & (labels[j] > 0)))
                weight = BALANCE.similar if similar else BALANCE.dissimilar
                costs.append(weight * cost(i, j, similar))
    return np.mean(costs)


def cosine_distance(a, b):
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    return len(a) / 2 * (1 - cosine)


def cauchy(distance, similar, gamma):
    """DCH's eq 8 as printed."""
    return similar * np.log(distance / gamma) + np.log(1 + gamma / distance)


def logistic_cost(inner, similar):
    """log(1 + exp(t)) - s t as printed."""
    return np.log(1 + np.exp(inner)) - similar * inner


def dch_pairs(h, gamma):
    return mean_over_pairs(LABELS, lambda i, j, s: cauchy(cosine_distance(h[i], h[j]), s, gamma))


def cauchy_quantization(h, gamma):
    """Eq 9, a mean over items."""
    distances = [cosine_distance(abs(row), np.ones(len(row))) for row in h]
    return np.mean([np.log(1 + distance / gamma) for distance in distances])


# Values


def test_dch_is_equations_2_and_6_to_9():
    z = outputs_of()
    h = np.tanh(z)
    wanted = dch_pairs(h, 7.0) + 0.3 * cauchy_quantization(h, 7.0)
    assert value_of(DCH(bits=BITS, gamma=7.0, quantization=0.3), z) == pytest.approx(wanted, 1e-12)


def test_dch_default_gamma_follows_the_head():
    h = np.tanh(outputs_of())
    for head, gamma in (("linear", 10.0), ("mlp", 20.0)):
        wanted = dch_pairs(h, gamma) + 0.1 * cauchy_quantization(h, gamma)
        assert value_of(DCH(bits=BITS, head=head), outputs_of()) == pytest.approx(wanted, 1e-12)


def test_dch_q_is_dch_without_equation_9():
    z = outputs_of()
    assert value_of(DCHQ(bits=BITS, gamma=7.0), z) == pytest.approx(
        dch_pairs(np.tanh(z), 7.0), 1e-12
    )
    with pytest.raises(TypeError, match="quantization"):
        DCHQ(quantization=0.1)


def test_dch_e_has_the_squared_euclidean_quantisation_loss():
    z = outputs_of()
    h = np.tanh(z)
    wanted = dch_pairs(h, 7.0) + 0.3 * np.mean((abs(h) - 1) ** 2)
    assert value_of(DCHE(bits=BITS, gamma=7.0, quantization=0.3), z) == pytest.approx(wanted, 1e-12)


@pytest.mark.parametrize("slope", [10.0, 4.2])
def test_dch_c_has_the_sigmoid_cross_entropy(slope):
    z = outputs_of()
    h = np.tanh(z)
    alpha = slope / BITS
    pairs = mean_over_pairs(LABELS, lambda i, j, s: logistic_cost(alpha * h[i] @ h[j], s))
    wanted = pairs + 0.3 * cauchy_quantization(h, 7.0)
    method = DCHC(bits=BITS, slope=slope, gamma=7.0, quantization=0.3)
    assert value_of(method, z) == pytest.approx(wanted, 1e-12)


def test_dch_released_is_what_the_code_does():
    z = outputs_of()
    h = np.tanh(z)

    def cost(i, j, similar):
        distance = np.sum((h[i] - h[j]) ** 2) + 0.001
        # mean_over_pairs weighs dissimilar pairs; the released code does not
        return cauchy(distance, similar, 20.0) / (1 if similar else BALANCE.dissimilar)

    pairs = mean_over_pairs(LABELS, cost)
    assert value_of(DCHReleased(bits=BITS), z) == pytest.approx(pairs, 1e-12)
    wanted = pairs + 0.5 * np.mean((abs(h) - 1) ** 2)
    assert value_of(DCHReleased(bits=BITS, quantization=0.5), z) == pytest.approx(wanted, 1e-12)


@pytest.mark.parametrize("index", [0, 37, 99])
def test_hashnet_weighs_by_shared_labels_and_continues(index):
    z = outputs_of()
    beta = math.sqrt(1 + 50 * (index // 2) / 50)
    g = np.tanh(beta * z)

    def cost(i, j, similar):
        shared = np.sum(LABELS[i] * LABELS[j])
        share = shared / np.sum((LABELS[i] + LABELS[j]) > 0) if similar else 1.0
        return share * logistic_cost(10 / BITS * g[i] @ g[j], similar)

    wanted = mean_over_pairs(LABELS, cost)
    assert value_of(HashNet(bits=BITS), z, index=index) == pytest.approx(wanted, 1e-12)


def test_hashnet_as_released_weighs_similar_pairs_alone():
    z = outputs_of()
    g = np.tanh(z)

    def cost(i, j, similar):
        # mean_over_pairs weighs dissimilar pairs; the released code does not
        weight = 1 if similar else 1 / BALANCE.dissimilar
        return weight * logistic_cost(10 / BITS * g[i] @ g[j], similar)

    wanted = mean_over_pairs(LABELS, cost)
    assert value_of(HashNet(bits=BITS, weights="released"), z) == pytest.approx(wanted, 1e-12)


def test_dhn_is_the_logistic_loss_and_the_log_cosh_prior():
    z = outputs_of()
    h = np.tanh(z)
    pairs = mean_over_pairs(LABELS, lambda i, j, s: logistic_cost(h[i] @ h[j], s))
    wanted = pairs + 0.4 * np.mean(np.log(np.cosh(abs(h) - 1)))
    method = DHN(bits=BITS, slope=BITS, quantization=0.4)
    assert value_of(method, z) == pytest.approx(wanted, 1e-12)


def test_cnnh_regresses_the_codes_of_the_batchs_own_rows():
    method = CNNH(bits=BITS)
    method.prepare(LABELS.astype(np.uint8))
    z = outputs_of(3)
    rows = [5, 0, 3]
    step = Step(0, 1, torch.tensor(rows), BALANCE, torch.Generator())
    wanted = np.mean((np.tanh(z) - method.targets_.numpy()[rows]) ** 2)
    value = method.loss(torch.tensor(z), torch.tensor(LABELS[rows], dtype=torch.float64), step)
    assert float(value) == pytest.approx(wanted, 1e-12)


# Gradients


@pytest.mark.parametrize(
    "method",
    [
        DCH(bits=BITS),
        DCHQ(bits=BITS),
        DCHC(bits=BITS),
        DCHE(bits=BITS),
        DCHReleased(bits=BITS, quantization=0.5),
        HashNet(bits=BITS),
        DHN(bits=BITS),
        DNNH(bits=BITS, epsilon=0.5),  # all middle piece, where g is its own derivative
        CNNH(bits=BITS),
    ],
    ids=lambda method: method.name,
)
def test_gradients_are_those_of_finite_differences(method):
    method.prepare(LABELS.astype(np.uint8))
    labels = torch.tensor(LABELS, dtype=torch.float64)
    z = torch.tensor(outputs_of(), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: method.loss(x, labels, step_at(30)), z)


def test_cauchy_gradient_is_the_derived_one():
    distance = torch.tensor([0.3, 2.0, 5.0, 0.3, 2.0, 5.0], dtype=torch.float64, requires_grad=True)
    similar = torch.tensor([1.0] * 3 + [0.0] * 3, dtype=torch.float64)
    cauchy_cross_entropy(distance, similar, 4.0).sum().backward()
    d = distance.detach()
    torch.testing.assert_close(distance.grad, 1 / (4 + d) - (1 - similar) / d)


# The known traps


PAIR_LOSSES = [DCH, DCHQ, DCHC, DCHE, DCHReleased, HashNet, DHN, DNNH]


@pytest.mark.parametrize("cls", PAIR_LOSSES, ids=lambda cls: cls.name)
@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0, 1e3, 1e30])
@pytest.mark.parametrize("alike", [True, False])
def test_equal_and_saturated_codes_have_finite_losses_and_gradients(cls, scale, alike):
    signs = np.ones((4, BITS))
    signs[:, ::2] = -1
    labels = np.ones((4, 1)) if alike else np.eye(4)
    loss, gradient = gradient_of(cls(bits=BITS), scale * signs, labels)
    assert math.isfinite(loss)
    assert bool(torch.isfinite(gradient).all())


def test_cauchy_at_distance_zero():
    zero = torch.zeros(1, dtype=torch.float64)
    below = torch.tensor([-1e-7], dtype=torch.float64)  # as rounding has it
    similar, dissimilar = torch.ones(1), torch.zeros(1)
    assert float(cauchy_cross_entropy(zero, similar, 10.0)) == 0
    assert float(cauchy_cross_entropy(below, similar, 10.0)) == pytest.approx(0, abs=1e-7)
    wanted = math.log(1 + 10.0 / 1e-6)
    assert float(cauchy_cross_entropy(zero, dissimilar, 10.0)) == pytest.approx(wanted)
    assert float(cauchy_cross_entropy(below, dissimilar, 10.0)) == pytest.approx(wanted)


def test_similar_pairs_are_pulled_at_any_distance():
    distance = torch.tensor([0.0, 0.1, 1.0, 24.0], requires_grad=True)
    cauchy_cross_entropy(distance, torch.ones(4), 10.0).sum().backward()
    assert bool((distance.grad > 0).all())


def test_the_distance_of_binary_codes_is_hammings():
    codes = np.where(outputs_of(bits=16) > 0, 1.0, -1.0)
    wanted = (codes[:, None] != codes[None]).sum(2)
    np.testing.assert_allclose(hamming_cosine(torch.tensor(codes)), wanted, atol=1e-12)


def test_logistic_is_exact_for_large_inner_products():
    inner = torch.tensor([-1e4, -200.0, 0.0, 200.0, 1e4], requires_grad=True)
    similar = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0])
    values = logistic(inner, similar)
    torch.testing.assert_close(values, torch.tensor([1e4, 0.0, math.log(2), 200.0, 0.0]))
    values.sum().backward()
    torch.testing.assert_close(inner.grad, torch.tensor([-1.0, 0.0, -0.5, 1.0, 0.0]))


@pytest.mark.parametrize("cls", [HashNet, DHN, DCHC], ids=lambda cls: cls.name)
def test_no_clamp_kills_the_gradient_of_badly_wrong_pairs(cls):
    # Inner products of 5 * 64 * tanh(1)^2 = 186 overflow exp() in float32.
    _, gradient = gradient_of(cls(bits=64, slope=320.0), np.ones((2, 64)), np.eye(2))
    # The derivative in each output: the sigmoid is 1, and a pair counts in both orders.
    slope = 5.0 * math.tanh(1) * (1 - math.tanh(1) ** 2) * BALANCE.dissimilar
    torch.testing.assert_close(gradient, torch.full((2, 64), slope), rtol=0.05, atol=0)


def test_log_cosh_neither_overflows_nor_loses_small_values():
    x = torch.tensor([-1e4, -1.0, 0.0, 0.5, 1e4], dtype=torch.float64)
    wanted = [1e4 - math.log(2), math.log(math.cosh(1)), 0.0, math.log(math.cosh(0.5))]
    torch.testing.assert_close(log_cosh(x), torch.tensor([*wanted, wanted[0]], dtype=x.dtype))


def test_dhn_quantisation_means_the_same_at_every_code_length():
    z = outputs_of(bits=4)
    parts = []
    for repeat in (1, 16):
        wide = np.tile(z, repeat)
        with_it = DHN(bits=4 * repeat, quantization=1.0)
        without = DHN(bits=4 * repeat, quantization=0.0)
        parts.append(value_of(with_it, wide) - value_of(without, wide))
        # Its gradient too: entries are averaged forwards and backwards.
        tensor = torch.tensor(wide, requires_grad=True)
        log_cosh(torch.tanh(tensor).abs() - 1).mean().backward()
        parts.append(float(tensor.grad.abs().sum()))
    assert parts[0] == pytest.approx(parts[2], 1e-9)
    assert parts[1] == pytest.approx(parts[3], 1e-9)


def test_hashnet_raises_beta_as_the_paper_does():
    method = HashNet()
    for stage in range(50):
        for t in (200 * stage, 200 * stage + 199):
            wanted = math.sqrt(1 + 0.005 * 200 * stage)
            assert method.beta_at(step_at(t, 10_000)) == pytest.approx(wanted)
    assert method.beta_at(step_at(0, 10_000)) == 1
    short = [method.beta_at(step_at(t, 7)) for t in range(7)]
    assert short == sorted(short)
    assert len(set(short)) == 7
    assert short[-1] < math.sqrt(51)


# Pairs


@pytest.mark.parametrize(
    "labels",
    [
        np.eye(4)[[0, 0, 0, 1, 2, 2, 3, 0]],
        LABELS[[0, 1, 2, 3, 4, 5, 6, 0, 6, 5]],
        np.ones((5, 1)),
        np.eye(5),
        np.zeros((4, 2)),
        np.ones((1, 1)),
    ],
    ids=["single-label", "multi-label", "one class", "all apart", "no labels", "one item"],
)
def test_class_balance_is_counted_over_pairs_of_distinct_items(labels):
    similar = dissimilar = 0
    for i in range(len(labels)):
        for j in range(len(labels)):
            if i != j:
                alike = np.any((labels[i] > 0) & (labels[j] > 0))
                similar, dissimilar = similar + alike, dissimilar + (not alike)
    pairs = similar + dissimilar
    found = PairBalance.of(torch.tensor(labels, dtype=torch.float32))
    assert found.similar == (pairs / similar if similar else 0)
    assert found.dissimilar == (pairs / dissimilar if dissimilar else 0)


def test_means_over_pairs_leave_out_the_diagonal():
    values = torch.arange(9.0).reshape(3, 3)
    assert float(pair_mean(values)) == pytest.approx((1 + 2 + 3 + 5 + 6 + 7) / 6)
    values.fill_diagonal_(math.nan)
    assert float(pair_mean(values)) == pytest.approx(4)
    assert float(pair_mean(torch.tensor([[7.0]]))) == 0


def test_impossible_hyper_parameters_are_refused():
    with pytest.raises(
        InputError, match=r"dnnh\.epsilon must be a number of at least 0 and at most 0\.5"
    ):
        DNNH(epsilon=0.6)
    with pytest.raises(InputError, match=r"hashnet\.beta must be a number of at least 1, not 0\.5"):
        HashNet(beta=0.5)
    with pytest.raises(InputError, match=r"dch\.gamma must be a number above 0, not 0\.0"):
        DCH(gamma=0.0)
