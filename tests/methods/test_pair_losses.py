"""Losses by pairs and triplets against float64 references written from their formulae."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from laws import BALANCE, BITS, COUNT, LABELS, at, begin, loss_of, outputs_of

from hashbench.methods.dpsh import DPSH
from hashbench.methods.dsdh import DSDH
from hashbench.methods.dsh import DSH
from hashbench.methods.dtsh import DTSH
from hashbench.methods.mihash import MIHash
from hashbench.methods.pairs import drawn_negatives

SIMILAR = LABELS @ LABELS.T > 0


def logistic_cost(inner, similar):
    """log(1 + exp(t)) - s t as printed."""
    return np.log(1 + np.exp(inner)) - similar * inner


def squared_gap(u):
    return (u - np.where(u > 0, 1, -1)) ** 2


def weight(similar, balanced):
    if not balanced:
        return 1.0
    return BALANCE.similar if similar else BALANCE.dissimilar


def bank_likelihood(u, bank, batch, balanced):
    """Over the pairs of a batch with every item visited; `bank` has a row of them, or None."""
    costs = [
        weight(SIMILAR[i, j], balanced) * logistic_cost(u[i] @ bank[j] / 2, SIMILAR[i, j])
        for i in batch
        for j in range(COUNT)
        if j != i and bank[j] is not None
    ]
    return np.mean(costs)


@pytest.mark.parametrize(("quantization", "balanced"), [(0.0, True), (0.3, False)])
def test_dpsh_pairs_a_batch_with_all_items_as_last_seen(quantization, balanced):
    method = DPSH(bits=BITS, quantization=quantization, balanced=balanced)
    step, bank = begin(method), [None] * COUNT
    for number, batch in enumerate([[4, 0, 6], [2, 0, 1, 3]]):
        u = outputs_of(seed=number)
        for i in batch:
            bank[i] = u[i]
        wanted = bank_likelihood(u, bank, batch, balanced)
        wanted += quantization * np.mean(squared_gap(u[batch]).sum(1))
        value, _ = loss_of(method, u[batch], LABELS[batch], at(step, batch))
        assert value == pytest.approx(wanted, 1e-12)
    assert bank[5] is None  # never visited: no pair, and no constant either


def test_dpsh_learns_from_badly_wrong_pairs():
    method = DPSH(bits=64, balanced=False)
    labels = np.eye(2)
    _, gradient = loss_of(method, np.ones((2, 64)) * 2, labels, begin(method, labels))
    # sigma(128) = 1: half the partner's output, the mean over two pairs; and Q.
    np.testing.assert_allclose(gradient, 2 / 2 / 2 + 0.01 * 2 * (2 - 1) / 2, rtol=1e-12)


@pytest.mark.parametrize("balanced", [True, False])
def test_dsdh_pulls_outputs_to_its_discrete_codes(balanced):
    method = DSDH(bits=BITS, quantization=0.2, balanced=balanced)
    step = begin(method)
    u, everyone = outputs_of(), list(range(COUNT))
    wanted = bank_likelihood(u, u, everyone, balanced) + 0.2 * np.mean(squared_gap(u).sum(1))
    assert loss_of(method, u, LABELS, step)[0] == pytest.approx(wanted, 1e-12)
    codes = np.where(outputs_of(seed=7) > 0, 1.0, -1.0)
    step.state.codes.copy_(torch.from_numpy(codes))
    wanted = bank_likelihood(u, u, everyone, balanced) + 0.2 * np.mean(((u - codes) ** 2).sum(1))
    assert loss_of(method, u, LABELS, step)[0] == pytest.approx(wanted, 1e-12)


def dsdh_objective(method, codes, outputs, labels):
    """The terms of codes, W at its best for them."""
    weights = np.linalg.solve(
        method.classification * codes.T @ codes + method.ridge * np.eye(BITS),
        method.classification * codes.T @ labels,
    )
    return (
        method.classification * np.sum((labels - codes @ weights) ** 2)
        + method.ridge * np.sum(weights**2)
        + method.quantization * len(labels) * np.sum((codes - outputs) ** 2)
    )


@pytest.mark.parametrize("classification", [0.0, 1.0, 50.0])
def test_dsdh_codes_lower_their_objective_between_epochs(classification):
    method = DSDH(bits=BITS, quantization=0.05, classification=classification, ridge=0.5)
    labels = np.tile(LABELS, (6, 1))
    step, u = begin(method, labels), outputs_of(len(labels), seed=3)
    loss_of(method, u, labels, step)
    before = dsdh_objective(method, np.where(u > 0, 1.0, -1.0), u, labels)
    for _ in range(4):
        method.between_epochs(torch.tensor(labels, dtype=torch.float64), step)
        codes = step.state.codes.numpy()
        assert set(np.unique(codes)) == {-1.0, 1.0}
        after = dsdh_objective(method, codes, u, labels)
        assert after <= before + 1e-9
        before = after
    if classification == 0:
        np.testing.assert_array_equal(codes, np.where(u > 0, 1.0, -1.0))
    if classification == 50:
        assert (codes != np.where(u > 0, 1.0, -1.0)).any()


@pytest.mark.parametrize(("margin", "quantization"), [(0.5, 0.2), (0.0, 0.0), (0.1, 1.0)])
def test_dtsh_is_the_likelihood_of_each_drawn_triplet(drawn, margin, quantization):
    labels = LABELS[[0, 1, 2, 3, 4, 6]]
    method = DTSH(bits=BITS, margin=margin, quantization=quantization)
    u = outputs_of(len(labels))
    value, _ = loss_of(method, u, labels, begin(method, labels))
    negatives, anchors = drawn[0].numpy(), []
    for i in range(len(labels)):
        triplets = [
            np.log(1 + np.exp(-(u[i] @ u[p] / 2 - u[i] @ u[negatives[i, p]] / 2 - margin * BITS)))
            for p in range(len(labels))
            if p != i and labels[i] @ labels[p] > 0
        ]
        anchors += [np.mean(triplets)] if triplets else []
        assert all(labels[i] @ labels[n] == 0 for n in negatives[i])
    assert len(anchors) == 5  # the last item has no positive
    wanted = np.mean(anchors) + quantization * np.mean(squared_gap(u))
    assert value == pytest.approx(wanted, 1e-12)


def test_dtsh_learns_most_from_the_worst_triplets():
    """No clamp: a triplet wrong by far more than 50 keeps its gradient."""
    labels = np.array([[1, 0], [1, 0], [0, 1]])
    u = np.array([[10.0] * BITS, [-10.0] * BITS, [10.0] * BITS])
    method = DTSH(bits=BITS, quantization=0.0)
    _, gradient = loss_of(method, u, labels, begin(method, labels))
    # Two anchors. Of the first the triplet is wrong by 600 and by the margin of 3, of the second by
    # the margin alone; theta_02 pulls at u_0 with u_2/2, theta_01 with -u_1/2, and so on.
    second = 1 / (1 + np.exp(-3))
    np.testing.assert_allclose(gradient[0], (10 + 5 * second) / 2, rtol=1e-12)
    np.testing.assert_allclose(gradient[2], (5 - 5 * second) / 2, rtol=1e-12)


def test_negatives_are_drawn_for_the_anchor_and_an_anchor_without_any_has_no_triplet():
    labels = torch.tensor([[1, 1], [1, 0], [1, 0], [0, 1]]).float()
    similar = labels @ labels.T > 0
    drawn, valid = drawn_negatives(similar, torch.Generator().manual_seed(0))
    assert valid.tolist() == [
        [False] * 4,
        [True, False, True, False],
        [True, True, False, False],
        [True, False, False, False],
    ]
    assert drawn[1].unique().tolist() == [3]
    assert set(drawn[3].tolist()) <= {1, 2}


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize(("margin", "quantization"), [(2.0, 0.01), (0.5, 0.4)])
def test_dsh_is_the_contrastive_loss_with_the_absolute_penalty(margin, quantization, balanced):
    method = DSH(bits=BITS, margin=margin, quantization=quantization, balanced=balanced)
    u, costs = outputs_of(), []
    for i in range(COUNT):
        for j in range(COUNT):
            d = np.sum((u[i] - u[j]) ** 2)
            if i != j:
                cost = d / 2 if SIMILAR[i, j] else max(0, margin * BITS - d) / 2
                costs.append(weight(SIMILAR[i, j], balanced) * cost)
    wanted = np.mean(costs) + quantization * np.mean(np.sum(abs(abs(u) - 1), 1))
    assert loss_of(method, u, LABELS, begin(method))[0] == pytest.approx(wanted, 1e-12)


def entropy(histogram):
    return -sum(p * math.log2(p) for p in histogram if p > 0)


@pytest.mark.parametrize(("bins", "slope"), [(None, 1.0), (5, 3.0), (1, 1.0)])
def test_mihash_is_the_mutual_information_of_distance_and_similarity(bins, slope):
    method = MIHash(bits=BITS, bins=bins, slope=slope)
    z = 2 * outputs_of()
    u = 2 / (1 + np.exp(-slope * z)) - 1
    width = BITS / (bins or 3)
    middles = width * np.arange((bins or 3) + 1)
    information = []
    for i in range(COUNT):
        kinds = {True: [], False: []}
        for j in range(COUNT):
            if j != i:
                d = (BITS - u[i] @ u[j]) / 2
                kinds[bool(SIMILAR[i, j])].append(np.maximum(0, 1 - abs(d - middles) / width))
        whole = np.mean(kinds[True] + kinds[False], axis=0)
        value = entropy(whole)
        for pulses in kinds.values():
            if pulses:
                value -= len(pulses) / (COUNT - 1) * entropy(np.mean(pulses, axis=0))
        information.append(value)
    wanted = -np.mean(information)
    assert loss_of(method, z, LABELS, begin(method))[0] == pytest.approx(wanted, abs=1e-9)


def test_mihash_prefers_similar_items_near_and_others_far():
    """The sign that one public port has wrong."""
    labels = np.array([[1, 0]] * 4 + [[0, 1]] * 4)
    apart = 3.0 * np.where(labels[:, :1] > 0, 1.0, -1.0) * np.ones((1, BITS))
    together = 3.0 * np.ones((8, BITS))
    method = MIHash(bits=BITS)
    good, bad = (loss_of(method, z, labels, begin(method, labels))[0] for z in (apart, together))
    assert good < -0.9
    assert bad == pytest.approx(0, abs=1e-9)
