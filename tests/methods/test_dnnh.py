"""DNNH: its triplets by hand, its threshold, its layers."""

import numpy as np
import pytest
import torch
from loss_values import BITS, LABELS, gradient_of, outputs_of, value_of

from hashbench.methods.dnnh import DNNH, piecewise


def dnnh_by_hand(method, outputs, drawn, labels=LABELS):
    soft = 1 / (1 + np.exp(-outputs))
    low, high = 0.5 - method.epsilon, 0.5 + method.epsilon
    codes = np.where(soft < low, 0.0, np.where(soft > high, 1.0, soft))
    similar = labels @ labels.T > 0
    losses = []
    for i in range(len(labels)):
        for j in range(len(labels)):
            k = drawn[i, j]
            if i != j and similar[i, j] and any(not similar[i, m] for m in range(len(labels))):
                near = np.sum((codes[i] - codes[j]) ** 2)
                far = np.sum((codes[i] - codes[k]) ** 2)
                losses.append(max(0.0, method.margin * method.bits + near - far))
    return np.mean(losses)


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.5])
def test_dnnh_is_the_hinge_of_each_drawn_triplet(drawn, epsilon):
    labels = LABELS[[0, 1, 2, 3, 4, 6]]
    z = outputs_of(len(labels))
    method = DNNH(bits=BITS, margin=0.5, epsilon=epsilon)
    value = value_of(method, z, labels)
    assert value == pytest.approx(dnnh_by_hand(method, z, drawn[0].numpy(), labels), 1e-12)
    similar = labels @ labels.T > 0
    for i in range(len(labels) - 1):
        assert not similar[i, drawn[0][i].numpy()].any()
    assert len(drawn[0].unique()) > 2  # not the same negative for all


def test_dnnh_passes_over_anchors_without_a_negative(drawn):
    labels = np.array([[1, 1], [1, 0], [1, 0], [0, 1]])  # item 0 is like every other
    z = outputs_of(len(labels))
    method = DNNH(bits=BITS, margin=0.5)
    value = value_of(method, z, labels)
    assert value == pytest.approx(dnnh_by_hand(method, z, drawn[0].numpy(), labels), 1e-12)


@pytest.mark.parametrize("labels", [np.ones((3, 1)), np.eye(3), np.zeros((3, 2))])
def test_dnnh_without_any_triplet_is_zero_and_harmless(labels):
    loss, gradient = gradient_of(DNNH(bits=BITS), outputs_of(3), labels)
    assert loss == 0
    assert bool((gradient == 0).all())


def test_dnnh_passes_gradients_straight_through_the_threshold():
    z = np.array([[3.0, -3.0], [2.0, 3.0], [-3.0, 2.0]])  # all outside the middle piece
    labels = np.array([[1, 0], [1, 0], [0, 1]])
    loss, gradient = gradient_of(DNNH(bits=2, margin=1.0, epsilon=0.1), z, labels)
    # F = (1, 0), (1, 1), (0, 1): hinges 2 + 1 - 2 = 1 and 2 + 1 - 1 = 2.
    assert loss == pytest.approx(1.5)
    F = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    by_code = np.zeros((3, 2))
    for anchor, positive, negative in ((0, 1, 2), (1, 0, 2)):
        by_code[anchor] += F[negative] - F[positive]
        by_code[positive] += F[positive] - F[anchor]
        by_code[negative] += F[anchor] - F[negative]
    soft = 1 / (1 + np.exp(-z))  # 2 of the squares over a mean of 2 triplets
    np.testing.assert_allclose(gradient, by_code * soft * (1 - soft), rtol=1e-5)


def test_dnnh_encodes_a_bit_as_F_above_one_half():
    z = torch.tensor([[-9.0, -0.3, -1e-3, 0.0, 1e-3, 0.3, 9.0]])
    F = piecewise(torch.sigmoid(z), 0.1)
    assert F[0, 0] == 0
    assert F[0, -1] == 1
    torch.testing.assert_close(F[0, 2:5], torch.sigmoid(z)[0, 2:5])
    assert ((DNNH(epsilon=0.1).relax(z) > 0) == (F > 0.5)).all()
    assert ((F > 0.5) == (z > 0)).all()


def test_each_bit_is_encoded_from_a_slice_of_its_own():
    torch.manual_seed(0)
    layer = DNNH(bits=3, slice_width=4).hash_layer(5)
    features = torch.randn(2, 5)
    before = layer(features)
    with torch.no_grad():
        layer.divide.weight[4:8] += 1
        layer.divide.bias[4:8] += 10
    after = layer(features)
    assert (before[:, [0, 2]] == after[:, [0, 2]]).all()
    assert (before[:, 1] != after[:, 1]).all()


def test_dnnh_has_a_hidden_layer_only_where_others_have_one():
    for settings, units in [
        ({}, None),
        ({"head": "mlp"}, 50),
        ({"slice_width": 7}, 7),
        ({"head": "mlp", "slice_width": 0}, None),
    ]:
        layer = DNNH(bits=3, **settings).hash_layer(5)
        assert sum(item.numel() for item in layer.parameters()) == (
            3 * (5 + 1) if units is None else 3 * units * (5 + 1) + 3 * (units + 1)
        )
