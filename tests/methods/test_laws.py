"""What holds for the loss of every deep method, whatever it computes."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from laws import (
    BITS,
    COUNT,
    LABELS,
    at,
    begin,
    features_of,
    loss_of,
    outputs_of,
    saturated,
    tied,
)

from hashbench.methods.bank import Bank
from hashbench.registries import methods
from hashbench.training.deep import DeepHasher

EVERY = sorted(
    (
        part
        for name, part in methods().parts().items()
        if part.kind == "deep" and methods().entry(name).origin == "hashbench"
    ),
    key=lambda cls: cls.name,
)
#: Losses that draw something at every step.
DRAWS = {"dnnh", "dtsh", "jmlh"}
#: Losses with a gradient that is not their derivative, by intention.
OTHER_GRADIENT = {
    "bihalf",
    "cibhash",
    "dhd",  # holds its teacher fixed: tests/methods/test_dhd.py
    "dnnh",
    "greedyhash",
    "greedyhash-unsupervised",
    "jmlh",
}
#: Losses of sorted outputs, which have no derivative where all are equal.
SORTED = {"hashnet-hswd"}


def each(without=()):
    chosen = [cls for cls in EVERY if cls.name not in without]
    return pytest.mark.parametrize("cls", chosen, ids=lambda cls: cls.name)


@each(without=OTHER_GRADIENT | DRAWS)
@pytest.mark.parametrize("inputs", [outputs_of, saturated, tied], ids=lambda made: made.__name__)
def test_gradients_are_those_of_finite_differences(cls, inputs, monkeypatch):
    method = cls(bits=BITS)
    step = begin(method)
    loss_of(method, outputs_of(seed=8), LABELS, step)  # fills a bank, which then stays as it is
    monkeypatch.setattr(Bank, "refresh", lambda *_: None)
    if inputs is tied and cls.name in SORTED:
        pytest.skip("has no derivative there")
    outputs = inputs()

    def now():  # centres that a loss moves are the same for each evaluation
        return replace(step, state=deepcopy(step.state))

    _, gradient = loss_of(method, outputs, LABELS, now())
    small = 1e-6
    generator = np.random.default_rng(0)
    for _ in range(6):
        way = generator.normal(size=outputs.shape)
        after, before = (
            loss_of(method, outputs + side * small * way, LABELS, now())[0] for side in (1, -1)
        )
        wanted = (after - before) / (2 * small)
        assert float((gradient * way).sum()) == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def run(method, labels, batches, order):
    """Losses and gradients of a short training, by item, with the training set in this order.

    Args:
        method: a method.
        labels: `(n, classes)`.
        batches: which items each batch holds; None is the step between two epochs.
        order: `(n,)` the item at each position of the training set.
    """
    place = np.argsort(order)
    step = begin(method, labels[order], features=features_of()[order])
    values, gradients = [], []
    for number, items in enumerate(batches):
        if items is None:
            with torch.no_grad():
                everyone = torch.tensor(labels[order], dtype=torch.float64)
                method.between_epochs(everyone, step)
            continue
        outputs = outputs_of(COUNT, seed=number)
        value, gradient = loss_of(method, outputs[items], labels[items], at(step, place[items]))
        values.append(value)
        by_item = np.zeros_like(outputs)
        by_item[items] = gradient
        gradients.append(by_item)
    return np.array(values), np.array(gradients)


BATCHES = [np.array([4, 0, 6]), np.array([2, 5, 1, 3]), None, np.array([1, 0, 4, 3])]
PERMUTED = [np.array([6, 4, 0]), np.array([3, 2, 1, 5]), None, np.array([4, 3, 1, 0])]


@each(without=DRAWS | {"cnnh"})  # CNNH's stage 1 draws from the whole training set: own tests
def test_the_order_of_batch_and_training_set_changes_nothing(cls):
    method = cls(bits=BITS)
    plain = run(method, LABELS, BATCHES, np.arange(COUNT))
    for batches, order in ((PERMUTED, np.arange(COUNT)), (BATCHES, np.roll(np.arange(COUNT), 3))):
        found = run(cls(bits=BITS), LABELS, batches, order)
        np.testing.assert_allclose(found[0], plain[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found[1], plain[1], rtol=1e-7, atol=1e-11)


@each()
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e3])
@pytest.mark.parametrize(
    "labels",
    [np.zeros((4, 3)), np.eye(4, 3), np.ones((4, 3)), np.eye(4), np.ones((4, 1)), np.zeros((4, 1))],
    ids=["none", "one or none", "all", "one each", "one class", "no class"],
)
def test_any_labels_have_a_finite_loss_and_gradient(cls, labels, scale):
    method = cls(bits=BITS)
    step = begin(method, labels)
    for outputs in (scale * outputs_of(4), scale * np.sign(outputs_of(4)), scale * np.ones((4, 6))):
        value, gradient = loss_of(method, outputs, labels, step)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


@each()
def test_a_batch_of_one_item_has_a_finite_loss(cls):
    method = cls(bits=BITS)
    value, gradient = loss_of(method, outputs_of(1), LABELS[1:2], at(begin(method), [1]))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


#: Another value of a hyper-parameter, where twice its default would not do.
OTHER = {
    ("dch", "gamma"): 3.0, ("dch-c", "gamma"): 3.0, ("dch-e", "gamma"): 3.0,
    ("dch-q", "gamma"): 3.0, ("hyp2", "zeta"): 0.3,
    ("dnnh", "slice_width"): 7, ("dch-released", "quantization"): 0.5,
    ("adsh", "balanced"): 0.3, ("ssdh", "alpha"): 0.5,
    ("mihash", "bins"): 2, ("cnnh", "sweeps"): 1, ("dsdh", "sweeps"): 1,
    ("dsdh", "classification"): 300.0, ("dsdh", "ridge"): 1e4,
    ("dfh", "separation"): 0.0, ("dfh", "binarity"): 4.0,
}  # fmt: skip
#: What the other settings must be for a hyper-parameter to matter.
BESIDE = {
    ("dsdh", "sweeps"): {"classification": 300.0},
    ("dsdh", "ridge"): {"classification": 300.0},
}
OWN = [
    pytest.param(cls, item, id=f"{cls.name}-{item.name}")
    for cls in EVERY
    for item in fields(cls)
    if item.init and item.name not in {known.name for known in fields(DeepHasher)}
]


@pytest.mark.parametrize(("cls", "item"), OWN)
def test_every_hyper_parameter_changes_what_the_network_learns(cls, item, multilabel):
    beside = BESIDE.get((cls.name, item.name), {})
    settings = {"bits": 8, "epochs": 4, "batch_size": 20, "lr": 0.01, **beside}
    other = OTHER.get((cls.name, item.name))
    if "options" in item.metadata:
        other = next(option for option in item.metadata["options"] if option != item.default)
    elif other is None:
        other = not item.default if item.default is True else 2 * item.default
    one, two = (
        cls(**settings, **chosen).fit(multilabel).state_ for chosen in ({}, {item.name: other})
    )
    assert one.keys() != two.keys() or any(not torch.equal(one[name], two[name]) for name in one)


@each()
def test_every_method_says_what_it_is(cls):
    assert cls.title
    assert str(cls.year) in cls.citation
    assert cls.bibtex.startswith("@")
    assert f"year      = {{{cls.year}}}" in cls.bibtex
    assert cls.bibtex.count("{") == cls.bibtex.count("}")


@each()
def test_the_space_of_a_search_lies_within_the_bounds(cls):
    known = {item.name for item in fields(cls) if item.init}
    for name, place in cls.space.items():
        if name not in known:
            continue  # an ablation without it
        for value in place if isinstance(place, list) else place[:2]:
            cls(**{name: value})


def test_the_second_step_of_a_bank_is_not_its_first():
    """Rows visited are remembered: the same batch meets more partners later."""
    from hashbench.methods.dpsh import DPSH

    method = DPSH(bits=BITS)
    step = begin(method)
    alone, _ = loss_of(method, outputs_of()[:3], LABELS[:3], at(step, [0, 1, 2]))
    loss_of(method, outputs_of()[3:], LABELS[3:], at(step, [3, 4, 5, 6]))
    later, _ = loss_of(method, outputs_of()[:3], LABELS[:3], at(step, [0, 1, 2]))
    assert alone != later
    assert replace(step, rows=torch.arange(2)).state is step.state
