"""What a method may add to training: state of its loss, a step between epochs, features, views."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from pixel_methods import MODES, make
from torch import nn
from torch.nn import functional

from hashbench import runtime
from hashbench.errors import InputError
from hashbench.runtime import Runtime
from hashbench.training import trainer
from hashbench.training.deep import DeepHasher
from hashbench.training.optimisation import optimiser_of
from hashbench.training.pixels import FrameInputs

EVERY_MODE = ("head", *MODES)
every_mode = pytest.mark.parametrize("tuning", EVERY_MODE)


@dataclass(kw_only=True, eq=False)
class Hooked(DeepHasher):
    """A method that uses every hook, and writes down what it was given."""

    name = "hooked"
    two_views = True
    rate: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        self.log = {"prepare": [], "state": [], "steps": [], "between": []}

    def recipe(self):
        return replace(super().recipe(), loss_rate=self.rate)

    def prepare(self, labels):
        self.log["prepare"].append(labels.copy())

    def loss_state(self, labels, features):
        self.log["state"].append((labels.copy(), features.copy()))
        state = nn.Linear(self.bits, labels.shape[1], bias=False)
        state.register_buffer("bank", torch.zeros(len(labels), self.bits))
        self.log["module"] = state
        return state

    def between_epochs(self, labels, step):
        self.log["between"].append((labels.clone(), step, torch.is_grad_enabled()))
        step.state.bank.copy_(step.state.bank.sign())

    def loss(self, outputs, labels, step):
        self.log["steps"].append((outputs.detach(), labels, step))
        pull = (torch.tanh(outputs) - step.state.bank[step.rows]).square().mean()
        step.state.bank[step.rows] = torch.tanh(outputs.detach())
        apart = (outputs - step.second).square().mean()
        logits = step.state(torch.tanh(outputs))
        return functional.cross_entropy(logits, labels) + 0.3 * pull + 0.1 * apart


def settings(tuning):
    return {"side": None} if tuning == "head" else {}


@pytest.fixture
def items(train):
    """The training set, with features for the mode that needs them."""
    table = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    return train.with_features(lambda: table, "tiny")


@every_mode
def test_the_step_has_the_backbones_features_and_both_views(tuning, items):
    method = make(Hooked, tuning, **settings(tuning)).fit(items)
    outputs, labels, step = method.log["steps"][0]
    assert outputs.shape == step.second.shape == (len(step.rows), 8)
    assert not torch.equal(outputs, step.second)
    assert labels.tolist() == items.labels[step.rows.numpy()].tolist()
    assert not step.features.requires_grad
    assert step.features.shape == (len(step.rows), 8)
    ((_, features),) = method.log["state"]
    assert features.shape == (30, 8)
    if tuning == "head":
        np.testing.assert_array_equal(features, items.features())
        assert torch.equal(step.features, torch.from_numpy(features[step.rows.numpy()]))


@pytest.mark.parametrize("tuning", MODES)
def test_two_views_of_an_item_are_two_augmentations_of_it(tuning, items, monkeypatch):
    seen = []
    backward = trainer.backward

    def watched(backbone, head, batch, *others):
        seen.append(batch)
        return backward(backbone, head, batch, *others)

    monkeypatch.setattr(trainer, "backward", watched)
    method = make(Hooked, tuning, epochs=1).fit(items)
    cut = None if tuning == "full" else method.inputs_.cut
    same = 0
    for batch in seen:
        assert len(batch.inputs) == 2 * len(batch.rows)
        for row, one, two in zip(batch.rows, *batch.inputs.chunk(2), strict=True):
            same += torch.equal(one, two)
            if cut is not None:
                views = torch.tensor(cut.of_views(items, 3)[3 * int(row) : 3 * int(row) + 3])
                assert any(torch.equal(view, one) for view in views)
                assert any(torch.equal(view, two) for view in views)
    assert same <= 3  # of 30 items; two views may be drawn alike


def test_one_view_is_what_it_was_before_there_were_two(items):
    """The draws of the second view change none of the first view's."""
    recipe, plain = make(Hooked, "full").recipe(), nn.Identity()
    inputs = FrameInputs.of(items, recipe, 48)
    labels = torch.from_numpy(items.labels.astype(np.float32))
    single = next(iter(inputs.batches(items, labels, recipe, 3, plain).epoch(0)))
    double = next(iter(inputs.batches(items, labels, recipe, 3, plain, two_views=True).epoch(0)))
    assert torch.equal(single.inputs, double.inputs[: len(single.rows)])


def test_views_of_features_differ_by_dropout_alone(items):
    method = make(Hooked, "head", input_dropout=0.0, **settings("head")).fit(items)
    for outputs, _, step in method.log["steps"]:
        torch.testing.assert_close(outputs, step.second)


@every_mode
def test_the_step_between_epochs_sees_the_whole_training_set(tuning, items):
    method = make(Hooked, tuning, **settings(tuning)).fit(items)
    per_epoch = len(method.log["steps"]) // 3
    assert [step.epoch for _, step, _ in method.log["between"]] == [1, 2]
    assert [step.index for _, step, _ in method.log["between"]] == [per_epoch, 2 * per_epoch]
    assert [step.epoch for _, _, step in method.log["steps"]] == sorted([0, 1, 2] * per_epoch)
    for labels, step, gradients in method.log["between"]:
        assert step.rows.tolist() == list(range(30))
        assert labels.tolist() == items.labels.tolist()
        assert not gradients


@every_mode
@pytest.mark.parametrize("average", [0.0, 0.6])
def test_what_belongs_to_the_loss_trains_and_is_no_part_of_the_result(tuning, average, items):
    method = make(Hooked, tuning, average=average, **settings(tuning)).fit(items)
    torch.manual_seed(0)
    fresh = nn.Linear(8, 3, bias=False)
    module = method.log["module"]
    assert module.weight.shape == fresh.weight.shape
    assert bool(module.bank.any())
    assert not any("bank" in name for name in method.state_)
    assert method.state_.keys() == method._network(method.inputs_).state_dict().keys()
    codes = method.encode(items)
    module.weight.data.zero_()
    del method.log["module"]
    np.testing.assert_array_equal(codes.packed, method.encode(items).packed)


@every_mode
def test_parameters_of_the_loss_have_a_rate_in_units_of_the_heads(tuning, items):
    method = make(Hooked, tuning, rate=5.0, **settings(tuning))
    method.fit(items)
    recipe, state = method.recipe(), nn.Linear(8, 3)
    optimiser = optimiser_of(method._network(method.inputs_), recipe, state)
    rates = {id(p): g["lr"] for g in optimiser.param_groups for p in g["params"]}
    assert rates[id(state.weight)] == pytest.approx(5 * recipe.head_rate * recipe.lr)
    slower = make(Hooked, tuning, rate=1e-9, **settings(tuning)).fit(items)
    again = make(Hooked, tuning, rate=1e-9, epochs=1, **settings(tuning)).fit(items)
    torch.testing.assert_close(slower.log["module"].weight, again.log["module"].weight)
    assert not torch.allclose(slower.log["module"].weight, method.log["module"].weight)


def test_they_are_averaged_with_the_network(items, monkeypatch):
    from hashbench.training import deep

    weights = []
    update = trainer.Average.update

    def watched(self):
        update(self)
        weights.append(self.network[1].weight.detach().clone())

    found = []

    def judge(held, encode):
        found.append(method.log["module"].weight.detach().clone())
        return 0.0

    monkeypatch.setattr(trainer.Average, "update", watched)
    monkeypatch.setattr(deep.selection, "judge", judge)
    method = make(Hooked, "full", select="validation", average=0.6, epochs=4)
    method.fit(items)
    steps = len(weights)
    decay = min(0.6, 1 - 4 / steps)
    wanted = weights[0]
    for index, value in enumerate(weights[1:], 1):
        wanted = decay * wanted + (1 - decay) * value
        if index + 1 == steps // 4:
            torch.testing.assert_close(found[0], wanted)


@pytest.mark.parametrize("tuning", MODES)
@pytest.mark.parametrize("average", [0.0, 0.6])
def test_a_training_that_was_stopped_goes_on_with_the_state_of_its_loss(
    tuning, average, items, tmp_path
):
    class Stop(BaseException):
        pass

    def stop(share, text):
        if text.startswith("epoch 2"):
            raise Stop

    wanted = make(Hooked, tuning, average=average).fit(items)
    with runtime.use(Runtime(checkpoints=tmp_path, progress=stop)), pytest.raises(Stop):
        make(Hooked, tuning, average=average).fit(items)
    with runtime.use(Runtime(checkpoints=tmp_path)):
        found = make(Hooked, tuning, average=average).fit(items)
    assert len(found.log["between"]) == 0  # the two steps between were before the stop
    assert found.history_ == wanted.history_
    for name, tensor in wanted.state_.items():
        assert torch.equal(tensor, found.state_[name]), name
    for name, tensor in wanted.log["module"].state_dict().items():
        assert torch.equal(tensor, found.log["module"].state_dict()[name]), name


class Unsupervised(Hooked):
    name = "unsupervised"
    supervised = False

    def loss(self, outputs, labels, step):
        return super().loss(outputs, labels + 1 / labels.shape[1], step)


@every_mode
def test_a_method_that_is_not_supervised_is_given_zeros(tuning, items):
    method = make(Unsupervised, tuning, **settings(tuning)).fit(items)
    assert items.labels.any()
    ((labels, _),) = method.log["state"]
    for given in (
        labels,
        *method.log["prepare"],
        *(labels for labels, *_ in method.log["between"]),
    ):
        assert given.shape == items.labels.shape
        assert not given.any()
    for _, labels, step in method.log["steps"]:
        assert (labels == 1 / 3).all()
        assert step.balance.similar == 0
    other = make(Unsupervised, tuning, **settings(tuning))
    other.fit(replace(items, labels=np.roll(items.labels, 1, axis=0)))
    for name, tensor in method.state_.items():
        assert torch.equal(tensor, other.state_[name]), name


def test_an_epoch_is_not_chosen_by_labels_that_a_method_does_without():
    with pytest.raises(InputError, match=r"unsupervised learns without labels.*use select=last"):
        make(Unsupervised, "full", select="validation")
