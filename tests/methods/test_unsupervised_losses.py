"""BiHalf, GreedyHash without labels, CIBHash and SSDH against references from their formulae."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from laws import BITS, COUNT, LABELS, begin, features_of, loss_of, outputs_of
from scipy.spatial.distance import pdist, squareform
from scipy.stats import norm

from hashbench.methods.bihalf import BiHalf, halves
from hashbench.methods.cibhash import CIBHash, divergence
from hashbench.methods.features import cosine_gap, half_gaussians
from hashbench.methods.greedyhash_unsupervised import GreedyHashUnsupervised
from hashbench.methods.ssdh import SSDH

FEATURES = features_of().astype(float)
PAIRS = list(itertools.permutations(range(COUNT), 2))


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def gap_by_hand(codes, features):
    return np.mean(
        [(cosine(codes[i], codes[j]) - cosine(features[i], features[j])) ** 2 for i, j in PAIRS]
    )


def value_of(method, outputs, second=None):
    """The loss; `second` are outputs for the second views."""
    step = begin(method)
    if second is None:
        return loss_of(method, outputs, LABELS, step)[0]
    step = replace(step, second=torch.as_tensor(second))
    labels = torch.zeros(len(outputs), 3, dtype=torch.float64)
    return float(method.loss(torch.as_tensor(outputs), labels, step))


def seen(centred):
    """Features as the loss compares them."""
    return FEATURES - FEATURES.mean(0) if centred else FEATURES


@pytest.mark.parametrize("count", [COUNT, COUNT - 1])
def test_bihalf_gives_each_bit_to_half_of_the_batch(count):
    z = outputs_of(count)
    codes = halves(torch.tensor(z)).numpy()
    for column, bits in zip(z.T, codes.T, strict=True):
        assert np.sum(bits == 1) == count // 2
        assert np.sum(bits == -1) == count - count // 2
        assert column[bits == 1].min() > column[bits == -1].max()


def test_bihalf_ties_go_to_the_first():
    assert halves(torch.zeros(4, 1)).flatten().tolist() == [1, 1, -1, -1]


@pytest.mark.parametrize("centred", [True, False])
def test_bihalf_keeps_cosines_of_features_and_follows_its_halves(centred):
    method = BiHalf(bits=BITS, gamma=3.0, centred=centred)
    z = outputs_of()
    order = np.argsort(np.argsort(z, axis=0), axis=0)
    B = np.where(order >= COUNT - COUNT // 2, 1.0, -1.0)
    wanted = gap_by_hand(B, seen(centred)) + 1.5 * np.mean((z - B) ** 2)
    assert value_of(method, z) == pytest.approx(wanted, 1e-6)


def test_bihalf_gradient_is_the_authors_layer():
    """What its backward pass returns: the gradient of the codes, and gamma (U - B) / numel."""
    method = BiHalf(bits=BITS, gamma=3.0)
    step = begin(method)
    z = outputs_of()
    _, gradient = loss_of(method, z, LABELS, step)
    B = halves(torch.tensor(z)).requires_grad_()
    (of_codes,) = torch.autograd.grad(cosine_gap(B, step.state(step.features)), B)
    wanted = of_codes.numpy() + 3 * (z - B.detach().numpy()) / z.size
    np.testing.assert_allclose(gradient, wanted, rtol=1e-9)


@pytest.mark.parametrize("centred", [True, False])
def test_greedyhash_keeps_cosines_by_signs(centred):
    method = GreedyHashUnsupervised(bits=BITS, penalty=0.3, centred=centred)
    z = outputs_of()
    wanted = gap_by_hand(np.where(z > 0, 1.0, -1.0), seen(centred))
    wanted += 0.3 * np.mean(abs(abs(z) - 1) ** 3)
    assert value_of(method, z) == pytest.approx(wanted, 1e-6)


def test_cibhash_is_contrast_of_two_views_and_the_bottleneck():
    z, other = outputs_of(), outputs_of(seed=1)
    method = CIBHash(bits=BITS, temperature=0.4, bottleneck=0.2)
    codes = np.where(np.concatenate([z, other]) > 0, 1.0, -1.0)
    losses = []
    for i in range(2 * COUNT):
        twin = (i + COUNT) % (2 * COUNT)
        weights = {j: np.exp(cosine(codes[i], codes[j]) / 0.4) for j in range(2 * COUNT) if j != i}
        losses.append(-np.log(weights[twin] / sum(weights.values())))
    p, q = 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(-other))
    one = np.sum(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)), axis=1)
    two = np.sum(q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p)), axis=1)
    wanted = np.mean(losses) + 0.2 * np.mean(one + two) / 2
    assert value_of(method, z, other) == pytest.approx(wanted, 1e-6)


def test_cibhash_treats_its_views_alike():
    method = CIBHash(bits=BITS, bottleneck=0.2)
    z, other = (torch.tensor(outputs_of(seed=seed), requires_grad=True) for seed in (0, 1))
    step, labels = begin(method), torch.zeros(COUNT, 3)
    slopes = [
        torch.autograd.grad(method.loss(one, labels, replace(step, second=two)), (z, other))
        for one, two in ((z, other), (other, z))
    ]
    torch.testing.assert_close(*slopes)


def test_cibhash_divergence_moves_its_first_argument_alone():
    first, second = (
        torch.tensor(scale * outputs_of(seed=seed)) for scale, seed in ((1, 0), (40, 1))
    )
    first.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: divergence(x, second), first)
    second.requires_grad_()
    assert torch.autograd.grad(divergence(first, second), second, allow_unused=True) == (None,)


def authors_structure(features):
    """Thresholds as the authors' code finds them: a mirrored half, and a Gaussian's fit."""
    distances = squareform(pdist(features, "cosine"))
    distances = distances[~np.eye(len(features), dtype=bool)]
    counts = [np.sum((distances >= b / 100) & (distances < (b + 1) / 100)) for b in range(200)]
    mode = np.argmax(counts) / 100
    left, right = distances[distances <= mode], distances[distances > mode]
    _, near = norm.fit(np.concatenate([left, 2 * mode - left]))
    _, far = norm.fit(np.concatenate([2 * mode - right, right]))
    return mode, near, far


def test_ssdh_finds_the_mode_and_the_two_half_gaussians(monkeypatch):
    features = np.abs(features_of(90, 4)) + 0.2
    monkeypatch.setattr(
        "hashbench.methods.features.BLOCK", 32
    )  # several blocks, one of them ragged
    found = half_gaussians(torch.tensor(features))
    assert found == pytest.approx(authors_structure(features.astype(float)), 1e-6)


def test_ssdh_learns_the_pairs_beyond_the_thresholds():
    method = SSDH(bits=BITS, alpha=0.5, beta=0.7)
    mode, left, right = half_gaussians(torch.tensor(features_of()))
    z = outputs_of()
    h, x = np.tanh(z), FEATURES
    costs, kinds = [], set()
    for i, j in PAIRS:
        distance = 1 - cosine(x[i], x[j])
        s = int(distance < mode - 0.5 * left) - int(distance > mode + 0.7 * right)
        kinds.add(s)
        costs.append(abs(s) * (h[i] @ h[j] / BITS - s) ** 2)
    assert kinds == {-1, 0, 1}
    assert value_of(method, z) == pytest.approx(np.mean(costs), 1e-6)


@pytest.mark.parametrize("count", [1, 2])
def test_ssdh_of_hardly_any_items(count):
    assert np.isfinite(half_gaussians(torch.tensor(features_of(count)))).all()
