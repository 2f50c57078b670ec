"""IDHN, JMLH and HSWD against float64 references written from their formulae."""

import itertools

import numpy as np
import pytest
import torch
from laws import BITS, COUNT, LABELS, begin, loss_of, outputs_of

from hashbench.methods.hashnet import HashNet
from hashbench.methods.hswd import HashNetHSWD, coin_distance
from hashbench.methods.idhn import IDHN
from hashbench.methods.jmlh import JMLH


def value_of(method, outputs, labels=LABELS):
    return loss_of(method, outputs, labels, begin(method, labels))[0]


def idhn_by_hand(z, slope, soft, quantization):
    h = z / (1 + abs(z))
    costs = []
    for i, j in itertools.permutations(range(COUNT), 2):
        norms = np.linalg.norm(LABELS[i].astype(float)) * np.linalg.norm(LABELS[j].astype(float))
        s = np.sum(LABELS[i] * LABELS[j]) / norms if norms else 0.0
        inner = h[i] @ h[j]
        if s in (0, 1) or abs(s - 1) < 1e-9:
            costs.append(np.log(1 + np.exp(slope / BITS * inner)) - s * slope / BITS * inner)
        else:
            costs.append(soft * BITS * ((inner + BITS) / (2 * BITS) - s) ** 2)
    return np.mean(costs) + quantization * np.mean(abs(abs(h) - 1))


def test_idhn_tells_hard_pairs_from_soft_ones():
    z = outputs_of()
    found = value_of(IDHN(bits=BITS, slope=3.0, soft=0.7, quantization=0.2), z)
    assert found == pytest.approx(idhn_by_hand(z, 3.0, 0.7, 0.2), 1e-9)
    assert found != pytest.approx(idhn_by_hand(z, 3.0, 0.0, 0.2), 1e-3)


def test_idhn_soft_pairs_rest_at_codes_that_share_as_many_bits_as_labels():
    """Half of the label in common: cosine s = 1/sqrt(2), h.h = K (2 s - 1)."""
    labels = np.array([[1, 0], [1, 1]], np.uint8)
    s, bits = 1 / np.sqrt(2), 1000
    a = np.full(bits, 1e9)
    b = np.where(np.arange(bits) < bits * s, 1e9, -1e9)
    method = IDHN(bits=bits, quantization=0.0, soft=1.0)
    assert value_of(method, np.stack([a, b]), labels) == pytest.approx(0, abs=1e-3)


def test_idhn_relaxes_by_softsign():
    z = torch.tensor([[-3.0, 0.0, 1.0]])
    assert IDHN(bits=3).relax(z).tolist() == [[-0.75, 0.0, 0.5]]


def test_jmlh_classifies_drawn_bits_and_pays_for_them():
    method = JMLH(bits=BITS, information=0.3)
    step = begin(method)
    z = outputs_of()
    drawn = torch.rand(z.shape, generator=torch.Generator().manual_seed(5)).double().numpy()
    p = 1 / (1 + np.exp(-z))
    b = (p > drawn).astype(float)
    W, c = (item.detach().numpy() for item in (step.state.weight, step.state.bias))
    logits = b @ W.T + c
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    shares = [row / max(row.sum(), 1) for row in LABELS]
    entropy = -np.sum(shares * logs, axis=1)
    price = np.sum(p * np.log(2 * p) + (1 - p) * np.log(2 * (1 - p)), axis=1)
    labelled = LABELS.sum(1) > 0
    wanted = np.mean(entropy[labelled]) + 0.3 * np.mean(price)
    assert loss_of(method, z, LABELS, step)[0] == pytest.approx(wanted, 1e-9)


def test_jmlh_bits_of_a_fair_output_are_free_and_those_of_a_certain_one_cost_log_2():
    method, none = JMLH(bits=BITS, information=1.0), np.zeros((2, 3))
    assert value_of(method, np.zeros((2, BITS)), none) == pytest.approx(0, abs=1e-12)
    certain = np.full((2, BITS), 1e9)
    assert value_of(method, certain, none) == pytest.approx(BITS * np.log(2))


@pytest.mark.parametrize("count", [2, 4, 6])
def test_hswd_is_the_cheapest_way_to_carry_outputs_to_coins(count):
    z = outputs_of(count, bits=3)
    coins = [-1.0] * (count // 2) + [1.0] * (count // 2)
    wanted = np.mean(
        [
            min(np.mean((column - np.array(order)) ** 2) for order in itertools.permutations(coins))
            for column in z.T
        ]
    )
    assert float(coin_distance(torch.tensor(z))) == pytest.approx(wanted, 1e-12)


def test_hswd_lets_the_middle_of_an_odd_batch_go_free():
    z = torch.tensor([[-0.5], [9.0], [1.5], [-3.0], [0.1]], requires_grad=True)
    value = coin_distance(z)
    assert float(value.detach()) == pytest.approx((2**2 + 0.5**2 + 0.5**2 + 8**2) / 4)
    value.backward()
    assert z.grad[4] == 0
    assert bool((z.grad[[0, 1, 2, 3]] != 0).all())
    assert float(coin_distance(torch.tensor([[5.0]]))) == 0


def test_hswd_is_added_to_its_host():
    z = outputs_of()
    host = value_of(HashNet(bits=BITS), z)
    term = float(coin_distance(torch.tensor(z)))
    assert value_of(HashNetHSWD(bits=BITS, coins=0.4), z) == pytest.approx(host + 0.4 * term, 1e-12)
    assert value_of(HashNetHSWD(bits=BITS, coins=0.0), z) == pytest.approx(host)
