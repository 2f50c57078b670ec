"""DFH, MDSHC and ADSH against float64 references written pair by pair from their formulae."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from laws import BALANCE, BITS, COUNT, LABELS, at, begin, loss_of, outputs_of

from hashbench.codebooks import codebook
from hashbench.methods.adsh import ADSH
from hashbench.methods.classes import membership
from hashbench.methods.dfh import DFH
from hashbench.methods.fisher import refit
from hashbench.methods.mdshc import MDSHC
from hashbench.seeds import derive

#: A batch, and the items that were visited before it; 0 and 5 never were.
ROWS = [6, 1, 3]
EARLIER = [2, 4, 3]


def similar(i, j):
    return bool(np.any((LABELS[i] > 0) & (LABELS[j] > 0)))


def with_a_past(method):
    """A step whose bank holds outputs of EARLIER, and what it holds of everyone."""
    step = begin(method)
    past = outputs_of(seed=9)
    step.state.refresh(torch.tensor(EARLIER), torch.tensor(past[EARLIER]))
    return step, past


def mean_over_the_bank(batch, past, cost):
    """Mean over pairs of an item of ROWS with another one visited before or now, of its last."""
    known = {row: past[row] for row in EARLIER} | dict(zip(ROWS, batch, strict=True))
    costs = [
        cost(z, u, similar(i, j))
        for i, z in zip(ROWS, batch, strict=True)
        for j, u in known.items()
        if i != j
    ]
    return np.mean([value for value in costs if value is not None])


# DFH


def fisher(V, labels, B, separation, binarity):
    """The objective of the centres, `(classes, bits)`, as printed."""
    count, bits = V.shape
    wanted = bits * (2 * np.eye(count) - 1)
    within = np.mean((labels @ V - B) ** 2)
    between = np.mean((V @ V.T - wanted) ** 2)
    return within + separation * between + binarity * np.mean((V - np.sign(V)) ** 2)


def test_dfh_is_the_margin_loss_and_the_pull_of_the_centres():
    method = DFH(bits=BITS, margin=0.7, attraction=0.4, quantization=0.3)
    step, past = with_a_past(method)
    V = outputs_of(3, seed=4)
    step.state.centres.copy_(torch.tensor(V))
    z = outputs_of(len(ROWS))

    def cost(a, b, alike):
        theta = a @ b / 2
        return np.log(1 + np.exp(0.7 - theta if alike else 0.7 + theta))

    b = np.where(0.4 * LABELS[ROWS] @ np.sign(V) + z > 0, 1.0, -1.0)
    wanted = mean_over_the_bank(z, past, cost) + 0.3 * np.mean((b - z) ** 2)
    value, _ = loss_of(method, z, LABELS[ROWS], at(step, ROWS))
    assert value == pytest.approx(wanted, 1e-12)
    found = refit(
        torch.tensor(V), torch.tensor(LABELS[ROWS]).double(), torch.tensor(b), 1.0, 1.0, 20
    )
    torch.testing.assert_close(step.state.centres, found)


def test_dfh_badly_wrong_pairs_keep_their_pull():
    """Theta is 1200, far beyond the bounds of -100 and 50 of public code."""
    method = DFH(bits=BITS, quantization=0.0)
    _, gradient = loss_of(method, np.full((2, BITS), 20.0), np.eye(2), begin(method, np.eye(2)))
    np.testing.assert_allclose(gradient, np.full((2, BITS), 20 / 2 / 2))


@pytest.mark.parametrize(("classes", "bits"), [(1, 128), (2, 48), (3, 6), (10, 48), (80, 12)])
@pytest.mark.parametrize("weight", [0.0, 1.0, 10.0])
def test_dfh_refits_centres_downhill(classes, bits, weight):
    draw = np.random.default_rng(classes)
    labels = (draw.random((30, classes)) < 0.3).astype(float)
    B = np.where(draw.random((30, bits)) < 0.5, -1.0, 1.0)
    V = torch.tensor(draw.normal(size=(classes, bits)))
    values = [fisher(V.numpy(), labels, B, weight, weight)]
    for _ in range(30):
        V = refit(V, torch.tensor(labels), torch.tensor(B), weight, weight, 1)
        values.append(fisher(V.numpy(), labels, B, weight, weight))
    assert all(after <= before * (1 + 1e-12) for before, after in itertools.pairwise(values))
    assert values[-1] < values[0]


def test_dfh_steps_along_the_objectives_slope():
    V, B = outputs_of(3, seed=4), np.where(outputs_of() > 0, 1.0, -1.0)
    given = map(torch.tensor, (V, LABELS.astype(float), B))
    moved = refit(*given, separation=0.3, binarity=0.2, steps=1).numpy() - V
    slope = np.zeros_like(V)
    for place in np.ndindex(V.shape):
        step = np.zeros_like(V)
        step[place] = 1e-6
        ahead, behind = (fisher(W, LABELS, B, 0.3, 0.2) for W in (V + step, V - step))
        slope[place] = (ahead - behind) / 2e-6
    np.testing.assert_allclose(moved, -0.03 * slope, rtol=1e-5, atol=1e-9)


def test_dfh_finds_centres_that_are_apart():
    method = DFH(bits=BITS, attraction=100.0)
    labels = np.eye(4)[[0, 1, 2, 3] * 5]
    step = begin(method, labels)
    for _ in range(20):
        loss_of(method, outputs_of(20), labels, step)
    centres = step.state.centres
    assert bool((centres.sign() != 0).all())
    gaps = centres @ centres.T - BITS * (2 * torch.eye(4) - 1)
    assert float(gaps.abs().mean()) < BITS


# MDSHC


def test_mdshc_is_the_mean_over_classes_the_similar_pairs_and_the_gap():
    method = MDSHC(bits=BITS, attraction=0.6, quantization=0.2, start=0.5)
    step, past = with_a_past(method)
    centres = codebook(3, BITS, derive(0, "mdshc", "centres"))
    z = outputs_of(len(ROWS))
    h = np.tanh(z)
    terms = []
    for row, u in zip(ROWS, h, strict=True):
        norms = [np.linalg.norm(u) * np.linalg.norm(c) for c in centres]
        scores = [np.sqrt(BITS) * u @ c / norm for c, norm in zip(centres, norms, strict=True)]
        p = np.exp(scores) / np.sum(np.exp(scores))
        terms += [np.log(q) if y else np.log(1 - q) for y, q in zip(LABELS[row], p, strict=True)]
    early = -np.mean(terms) + 0.2 * np.mean((abs(h) - 1) ** 2)

    def cost(a, b, alike):
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        return np.log(1 + np.exp((1 - cosine) / 2)) if alike else None

    late = early + 0.6 * mean_over_the_bank(h, past, cost)
    for index, wanted in ((49, early), (50, late)):
        now = replace(at(step, ROWS), index=index)
        assert loss_of(method, z, LABELS[ROWS], now)[0] == pytest.approx(wanted, 1e-9)


def test_mdshc_normalises_after_the_linear_layer():
    outputs = MDSHC(bits=5).hash_layer(7)(torch.randn(50, 7))
    torch.testing.assert_close(outputs.mean(0), torch.zeros(5), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_membership_is_exact_where_probabilities_round_to_one(dtype):
    logits = torch.tensor([[50.0, 3.0, 1.0], [0.0, 0.0, 0.0], [-1.0, 30.0, 2.0]], dtype=dtype)
    logits.requires_grad_()
    inside, outside = membership(logits)
    for i, row in enumerate(logits.detach().double().numpy()):
        total = np.logaddexp.reduce(row)
        np.testing.assert_allclose(inside.detach()[i], row - total, rtol=1e-5, atol=1e-6)
        others = [np.logaddexp.reduce(np.delete(row, c)) for c in range(3)]
        np.testing.assert_allclose(outside.detach()[i], others - total, rtol=1e-5, atol=1e-6)
    (inside.sum() + outside.sum()).backward()
    assert bool(torch.isfinite(logits.grad).all())


# ADSH


def asymmetric(H, V, gamma, ratio):
    """J, query by query and database item by item."""
    total = gamma * np.sum((V - H) ** 2)
    for i in range(len(H)):
        for j in range(len(V)):
            total += (H[i] @ V[j] - BITS * (1 if similar(i, j) else -ratio)) ** 2
    return total


@pytest.mark.parametrize("balanced", [1.0, 0.0, 0.4])
def test_adsh_is_the_asymmetric_loss(balanced):
    method = ADSH(bits=BITS, gamma=30.0, balanced=balanced)
    step = begin(method)
    z = outputs_of()
    ratio = balanced * BALANCE.dissimilar / BALANCE.similar + 1 - balanced
    V = step.state.codes.numpy()
    wanted = asymmetric(np.tanh(z), V, 30.0, ratio) / (COUNT**2 * BITS**2)
    assert loss_of(method, z, LABELS, step)[0] == pytest.approx(wanted, 1e-12)
    parts = [[0, 3, 5, 6], [1, 2, 4]]
    values = [loss_of(method, z[rows], LABELS[rows], at(step, rows))[0] for rows in parts]
    assert np.average(values, weights=[4, 3]) == pytest.approx(wanted, 1e-12)


def test_adsh_weighs_kinds_of_pairs_by_their_numbers():
    method = ADSH(bits=BITS)
    labels = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    s = method.similarity(labels, labels, begin(method))
    torch.testing.assert_close(s, torch.tensor([[1, -1.25 / 3.5], [-1.25 / 3.5, 1]]))


def test_adsh_codes_never_raise_the_objective_and_are_best_in_their_last_bit():
    method = ADSH(bits=BITS, gamma=2.0, balanced=0.0)
    step = begin(method)
    z = outputs_of()
    loss_of(method, z, LABELS, step)
    H = step.state.outputs.numpy()
    np.testing.assert_allclose(H, np.tanh(z))
    values = [asymmetric(H, step.state.codes.numpy(), 2.0, 1)]
    for _ in range(3):
        method.between_epochs(torch.tensor(LABELS).double(), step)
        values.append(asymmetric(H, step.state.codes.numpy(), 2.0, 1))
    assert values[1] < values[0]
    assert values == sorted(values, reverse=True)
    V = step.state.codes.numpy()
    assert set(np.unique(V)) == {-1, 1}
    for j in range(COUNT):
        other = V.copy()
        other[j, -1] *= -1
        assert asymmetric(H, other, 2.0, 1) >= values[-1]


def test_adsh_says_in_tables_that_it_is_not_the_published_row():
    assert "network" in ADSH.title
