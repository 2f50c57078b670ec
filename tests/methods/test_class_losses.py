"""Losses by classes against float64 references written item by item from their formulae."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from laws import BITS, COUNT, LABELS, begin, loss_of, outputs_of

from hashbench.items import train_from_features
from hashbench.methods.binary import signs, straight_through
from hashbench.methods.classes import Centres
from hashbench.methods.csq import CSQ
from hashbench.methods.dpn import DPN
from hashbench.methods.greedyhash import GreedyHash
from hashbench.methods.hyp2 import HyP2
from hashbench.methods.orthohash import OrthoHash

LABELLED = [i for i in range(COUNT) if LABELS[i].any()]


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum())


def centres_of(step):
    return step.state.codes.numpy(), step.state.ties.numpy()


def majority(centres, ties, labels):
    """The target of an item, bit by bit."""
    total = sum(centre for centre, has in zip(centres, labels, strict=True) if has)
    return np.where(total == 0, ties, np.sign(total))


@pytest.mark.parametrize("quantization", [0.0, 0.3])
def test_csq_is_the_cross_entropy_with_the_centres_bits(quantization):
    method = CSQ(bits=BITS, quantization=quantization)
    step, z = begin(method), outputs_of()
    terms = []
    for i in LABELLED:
        target = (majority(*centres_of(step), LABELS[i]) + 1) / 2
        u = np.tanh(z[i])
        p = (u + 1) / 2
        entropy = -(target * np.log(p) + (1 - target) * np.log(1 - p))
        terms.append(np.mean(entropy + quantization * (abs(u) - 1) ** 2))
    assert loss_of(method, z, LABELS, step)[0] == pytest.approx(np.mean(terms), 1e-12)


def test_csq_keeps_its_gradient_where_the_literal_form_has_none():
    method = CSQ(bits=BITS)
    step = begin(method)
    wrong = -40 * step.state.target(torch.tensor(LABELS[:1], dtype=torch.float64)).numpy()
    _, gradient = loss_of(method, wrong, LABELS[:1], step)
    np.testing.assert_allclose(gradient, 2 * np.sign(wrong) / BITS, rtol=1e-6)


def test_a_target_is_what_most_centres_say_and_ties_have_one_answer():
    centres = Centres(3, BITS, seed=4)
    labels = torch.tensor(LABELS, dtype=torch.float32)
    targets = centres.target(labels).numpy()
    for i in LABELLED:
        wanted = majority(centres.codes.numpy(), centres.ties.numpy(), LABELS[i])
        assert targets[i].tolist() == wanted.tolist()
    assert set(np.unique(targets)) == {-1.0, 1.0}
    assert not torch.equal(centres.codes, Centres(3, BITS, seed=5).codes)


@pytest.mark.parametrize(("scale", "margin"), [(8.0, 0.2), (3.0, 0.0)])
def test_orthohash_is_the_margin_softmax_of_cosines(scale, margin):
    method = OrthoHash(bits=BITS, scale=scale, margin=margin)
    step, z = begin(method), outputs_of()
    terms = []
    for i in LABELLED:
        cosines = np.array([cosine(z[i], centre) for centre in step.state.codes.numpy()])
        logs = log_softmax(scale * (cosines - margin * LABELS[i]))
        terms.append(-np.mean(logs[LABELS[i] > 0]))
    assert loss_of(method, z, LABELS, step)[0] == pytest.approx(np.mean(terms), 1e-9)


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_orthohash_has_no_bias_and_normalises_each_bit(head, multilabel):
    method = OrthoHash(bits=8, epochs=30, batch_size=60, head=head).fit(multilabel)
    linear, norm = method.hash_layer(8)
    assert linear.bias is None
    assert norm.num_features == 8
    share = (method.encode(multilabel).signs() > 0).mean(0)
    assert ((share > 0.1) & (share < 0.9)).all()  # each bit splits the items


@pytest.mark.parametrize("margin", [1.0, 0.4])
def test_dpn_is_the_hinge_against_each_of_an_items_targets(margin):
    method = DPN(bits=BITS, margin=margin)
    step, z = begin(method), outputs_of()
    centres = step.state.codes.numpy()
    terms = [
        np.mean(np.maximum(0, margin - z[i] * centres[LABELS[i] > 0]), axis=1).mean()
        for i in LABELLED
    ]
    assert loss_of(method, z, LABELS, step)[0] == pytest.approx(np.mean(terms), 1e-12)


@pytest.mark.parametrize("penalty", [0.0, 0.7])
def test_greedyhash_classifies_signs_and_passes_their_gradient_on(penalty):
    method = GreedyHash(bits=BITS, penalty=penalty)
    step, z = begin(method), outputs_of()
    z[0, 0] = 0.0  # of sign -1
    weight = step.state.weight.detach().numpy()
    value, wanted = 0.0, np.zeros_like(z)
    for i in LABELLED:
        share = LABELS[i] / LABELS[i].sum()
        logs = log_softmax(weight @ np.where(z[i] > 0, 1.0, -1.0))
        value -= share @ logs / len(LABELLED)
        wanted[i] = weight.T @ (np.exp(logs) - share) / len(LABELLED)
    value += penalty * np.mean(abs(abs(z) - 1) ** 3)
    wanted += penalty * 3 * (abs(z) - 1) ** 2 * np.sign(abs(z) - 1) * np.sign(z) / z.size
    found, gradient = loss_of(method, z, LABELS, step)
    assert found == pytest.approx(value, 1e-9)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-9, atol=1e-12)


def test_the_sign_of_zero_is_minus_one_everywhere():
    values = torch.tensor([-2.0, -0.0, 0.0, 1e-30, 3.0], requires_grad=True)
    assert signs(values).tolist() == [-1, -1, -1, 1, 1]
    passed = straight_through(values)
    assert passed.tolist() == [-1, -1, -1, 1, 1]
    (passed * torch.arange(5.0)).sum().backward()
    assert values.grad.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("beta", "zeta"), [(0.5, 0.125), (2.0, -0.25)])
def test_hyp2_is_proxies_and_pairs_without_a_label_in_common(beta, zeta):
    rows = ["1100", "0011", "1000", "0110", "0000", "0001"]
    labels = np.array([[int(digit) for digit in row] for row in rows])
    method = HyP2(bits=BITS, beta=beta, zeta=zeta)
    step, z = begin(method, labels), outputs_of(len(labels))
    proxies = step.state.directions.detach().numpy()
    near, far, apart = [], [], []
    for i in range(len(labels)):
        for c in range(4):
            value = cosine(z[i], proxies[c])
            near.append(1 - value) if labels[i, c] else far.append(max(0, value - zeta))
        for j in range(len(labels)):
            if labels[i] @ labels[j] == 0 and min(labels[i].sum(), labels[j].sum()) >= 2:
                apart.append(max(0, cosine(z[i], z[j]) - zeta))
    assert len(apart) == 2
    wanted = np.mean(near) + np.mean(far) + beta * np.mean(apart)
    assert loss_of(method, z, labels, step)[0] == pytest.approx(wanted, 1e-9)


@pytest.mark.parametrize(
    ("classes", "bits", "zeta"), [(10, 48, 0.0), (10, 16, 0.0), (80, 48, 0.0), (2, 16, -1.0)]
)
def test_hyp2_takes_zeta_from_codewords_as_far_apart_as_can_be(classes, bits, zeta):
    labels = np.zeros((3, classes), np.uint8)
    assert float(HyP2(bits=bits).loss_state(labels, None).zeta) == zeta
    assert float(HyP2(bits=bits, zeta=0.25).loss_state(labels, None).zeta) == 0.25


@pytest.mark.parametrize("cls", [CSQ, OrthoHash, DPN], ids=lambda cls: cls.name)
@pytest.mark.parametrize(("bits", "classes"), [(48, 10), (12, 30)])
def test_every_class_has_its_own_centre(cls, bits, classes):
    codes = cls(bits=bits).loss_state(np.zeros((3, classes), np.uint8), None).codes
    assert len(codes.unique(dim=0)) == classes
    other = cls(bits=bits, seed=1).loss_state(np.zeros((3, classes), np.uint8), None).codes
    assert not torch.equal(codes, other)


@pytest.mark.parametrize("cls", [CSQ, DPN], ids=lambda cls: cls.name)
def test_items_of_a_class_come_to_its_centre(cls):
    features = np.eye(4)[np.arange(40) % 4] + 0.01 * np.random.default_rng(0).normal(size=(40, 4))
    train = train_from_features(features, np.eye(4)[np.arange(40) % 4])
    method = cls(bits=12, epochs=60, batch_size=20, lr=0.05, input_dropout=0.0).fit(train)
    state = method.loss_state(train.labels, None)
    found = method.encode(train).signs()[:4]
    assert found.tolist() == state.codes.numpy().astype(int).tolist()
