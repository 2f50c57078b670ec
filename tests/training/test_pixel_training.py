"""Tuning modes "partial" and "full": what trains, what stays, and what a run comes back to."""

import json
import pickle
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from tiny_network import pictures, tiny_backbone
from torch import nn

from hashbench import runtime
from hashbench.errors import InputError
from hashbench.items import Items, TrainItems, train_from_features
from hashbench.methods import trainer
from hashbench.methods.base import DeepHasher
from hashbench.methods.checkpoints import NAME
from hashbench.methods.dch import DCH
from hashbench.methods.dnnh import DNNH
from hashbench.methods.hashnet import HashNet
from hashbench.methods.optimisation import optimiser_of, parameter_groups, schedule_of
from hashbench.methods.pairs import PairBalance
from hashbench.methods.selection import hold_out
from hashbench.methods.trainer import Batch, Step
from hashbench.registry import methods
from hashbench.runtime import Runtime

MODES = ("partial", "full")
each_mode = pytest.mark.parametrize("tuning", MODES)

SHORT = {"bits": 8, "seed": 1, "epochs": 3, "batch_size": 8, "side": 48}
DEEP = sorted(name for name, cls in methods().classes().items() if cls.kind == "deep")


def make(cls, tuning, **settings):
    own = {"views": 3, "unfreeze": 2} if tuning == "partial" else {}
    return cls(**{**SHORT, **own, "tuning": tuning, **settings})


@dataclass(kw_only=True, eq=False)
class Plugin(DeepHasher):
    """A method that is its loss alone."""

    name = "plugin"

    def loss(self, outputs, labels, step):
        similar = labels @ labels.T
        return (torch.tanh(outputs) @ torch.tanh(outputs).T / self.bits - similar).square().mean()


def bits(method, items):
    return method.encode(items).unpack()


def hits(method, split):
    """The share of a query's nearest database items that are of its class."""
    query, database = (
        method.encode(part).signs().astype(int) for part in (split.query, split.database)
    )
    similar = split.query_labels @ split.database_labels.T
    nearest = (query @ database.T).argmax(1)
    return similar[np.arange(len(query)), nearest].mean()


@each_mode
@pytest.mark.parametrize("name", [*DEEP, "plugin"])
def test_every_deep_method_trains_from_pixels(name, tuning, split):
    cls = Plugin if name == "plugin" else methods().get(name)
    method = make(cls, tuning, epochs=20, lr=1e-3).fit(split.train)
    assert hits(method, split) > 0.8  # a third by chance
    assert [line["epoch"] for line in method.history_] == list(range(1, 21))


@each_mode
def test_a_seed_settles_every_bit(tuning, train):
    first, again, other = (make(HashNet, tuning, seed=seed).fit(train) for seed in (1, 1, 2))
    for name, tensor in first.state_.items():
        assert torch.equal(tensor, again.state_[name]), name
    assert first.history_ == again.history_ != other.history_
    torch.manual_seed(77)
    before = torch.get_rng_state()
    make(HashNet, tuning).fit(train).encode(train)
    assert torch.equal(before, torch.get_rng_state())


def tensors_of_the_backbone(method):
    """Its tensors after training and before, by name."""
    pretrained = method._network(method.inputs_)[:1].state_dict()
    trained = {name: value for name, value in method.state_.items() if name.startswith("0.")}
    assert trained.keys() == pretrained.keys()
    return trained, pretrained


def statistics(name):
    return name.endswith(("running_mean", "running_var", "num_batches_tracked"))


def test_partial_trains_the_late_stages_alone(train):
    method = make(DCH, "partial").fit(train)
    stages = tiny_backbone().build(48).stages
    trained, pretrained = tensors_of_the_backbone(method)
    assert len(trained) == len(stages[-2:].state_dict())
    for name, value in trained.items():
        assert torch.equal(value, pretrained[name]) == statistics(name), name
    # Nothing but activations of the early stages went in, and those are as they were.
    early = method.inputs_.cut.early.stages[0].stages
    for name, value in stages[:-2].state_dict().items():
        assert torch.equal(early.state_dict()[name], value)


def test_full_trains_everything_but_the_statistics_of_batch_normalisation(train):
    method = make(DCH, "full").fit(train)
    stages = tiny_backbone().build(48).stages
    trained, pretrained = tensors_of_the_backbone(method)
    pixels = {"0.0.mean", "0.0.std"}
    assert len(trained) == len(stages.state_dict()) + len(pixels)
    for name, value in trained.items():
        assert torch.equal(value, pretrained[name]) == (statistics(name) or name in pixels), name


def test_unfreeze_is_a_third_of_the_stages_unless_set(train):
    assert make(DCH, "partial", unfreeze=None).fit(train).inputs_.late == 1
    assert make(DCH, "partial", unfreeze=3).fit(train).inputs_.late == 3
    with pytest.raises(InputError, match="tiny has 4 stages and 4 of them cannot"):
        make(DCH, "partial", unfreeze=4).fit(train)


@each_mode
def test_the_head_trains_at_ten_times_the_rate_and_only_matrices_decay(tuning, train):
    method = make(DCH, tuning).fit(train)
    network, recipe = method._network(method.inputs_), method.recipe()
    rates = {}
    for group in parameter_groups(network, recipe):
        for parameter in group["params"]:
            rates[id(parameter)] = group["lr"], group["weight_decay"]
    for name, parameter in network.named_parameters():
        lr, decay = rates.pop(id(parameter))
        assert lr == pytest.approx(recipe.lr * (1 if name.startswith("0.") else 10))
        assert decay == (recipe.weight_decay if parameter.ndim > 1 else 0)
    assert not rates
    assert recipe.lr == 3e-4
    assert method.history_[0]["lr"] <= recipe.lr


# Schedules and optimisers


def rates(recipe, warmup, total):
    network = nn.Sequential(nn.Linear(2, 2), nn.Identity(), nn.Linear(2, 2))
    optimiser = optimiser_of(network, recipe)
    schedule = schedule_of(optimiser, recipe, warmup, total)
    found = []
    for _ in range(total):
        found.append([group["lr"] for group in optimiser.param_groups])
        optimiser.step()
        schedule.step()
    return np.array(found), optimiser


def test_the_rate_rises_for_an_epoch_and_falls_along_a_cosine():
    recipe = make(DCH, "full", lr=1.0).recipe()
    found, _ = rates(recipe, 4, 12)
    wanted = [0.25, 0.5, 0.75, 1.0] + [(1 + np.cos(np.pi * step / 8)) / 2 for step in range(8)]
    np.testing.assert_allclose(found[:, 0], wanted)
    np.testing.assert_allclose(found[:, -1], 10 * np.array(wanted))


def test_the_step_schedule_and_sgd():
    recipe = make(DCH, "full", optimizer="sgd", schedule="step").recipe()
    assert recipe.lr == pytest.approx(3e-3)  # ten times AdamW's, unless it is set
    assert make(DCH, "full", optimizer="sgd", lr=0.5).recipe().lr == 0.5
    found, optimiser = rates(recipe, 0, 9)
    np.testing.assert_allclose(found[:, 0], 3e-3 * np.repeat([1, 0.1, 0.01], 3))
    assert isinstance(optimiser, torch.optim.SGD)


# Accumulation: in parts, the gradient of the whole batch


def network_and_batch(dropout):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 6), nn.Dropout(dropout), nn.Linear(6, 4)).double()
    labels = torch.eye(3)[torch.arange(9) % 3]
    return network.train(), Batch(torch.randn(9, 5).double(), labels, torch.arange(9))


def gradients(dropout, parts):
    network, batch = network_and_batch(dropout)
    recipe = replace(make(DCH, "full").recipe(), accumulate=parts)
    method = DCH(bits=4)
    step = Step(0, 1, batch.rows, PairBalance(2.0, 1.5), torch.Generator())

    def loss(outputs, labels, step):
        return method.loss(outputs, labels.to(outputs), step)

    torch.manual_seed(4)
    value = trainer.backward(network, batch, loss, step, recipe)
    return float(value), [p.grad for p in network.parameters()], torch.get_rng_state()


@pytest.mark.parametrize("parts", [2, 4, 50])
def test_accumulation_gives_the_gradient_of_the_undivided_batch(parts):
    value, wanted, _ = gradients(0.0, 1)
    divided, found, _ = gradients(0.0, parts)
    assert divided == pytest.approx(value, rel=1e-5)
    for one, two in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_accumulation_repeats_the_dropout_of_each_part():
    value, found, state = gradients(0.5, 3)
    network, batch = network_and_batch(0.5)
    torch.manual_seed(4)
    outputs = torch.cat([network(part) for part in batch.inputs.tensor_split(3)]).float()
    step = Step(0, 1, batch.rows, PairBalance(2.0, 1.5), torch.Generator())
    wanted = DCH(bits=4).loss(outputs, batch.labels, step)
    wanted.backward()
    assert value == pytest.approx(float(wanted.detach()), rel=1e-5)
    for parameter, gradient in zip(network.parameters(), found, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)
    assert torch.equal(state, torch.get_rng_state())


@each_mode
def test_a_gradient_is_clipped(tuning, train, monkeypatch):
    norms = []
    step = torch.optim.AdamW.step

    def watched(self, *args):
        norms.append(
            torch.cat([p.grad.flatten() for g in self.param_groups for p in g["params"]]).norm()
        )
        return step(self, *args)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    make(Plugin, tuning).fit(train)
    assert norms
    assert max(norms) <= 5.001

    class Steep(Plugin):
        def loss(self, outputs, labels, step):
            return 1e4 * super().loss(outputs, labels, step)

    norms.clear()
    make(Steep, tuning).fit(train)
    assert all(norm == pytest.approx(5, rel=1e-3) for norm in norms)


# Stopped and gone on


class Stopped(Exception):  # noqa: N818
    pass


def stop_after(epochs):
    def progress(share, note):
        if note.startswith(f"epoch {epochs}/"):
            raise Stopped

    return progress


@each_mode
@pytest.mark.parametrize(
    ("cls", "settings"),
    [(DNNH, {}), (HashNet, {"accumulate": 2}), (DCH, {"select": "validation", "head": "mlp"})],
    ids=["own randomness", "accumulated", "validation"],
)
def test_a_stopped_training_goes_on_to_the_same_bits(cls, settings, tuning, train, tmp_path):
    settings = {**settings, "epochs": 4}
    whole = make(cls, tuning, **settings).fit(train)
    epochs = []
    for stop in (1, 3):
        with (
            pytest.raises(Stopped),
            runtime.use(Runtime(progress=stop_after(stop), checkpoints=tmp_path)),
        ):
            make(cls, tuning, **settings).fit(train)

    def note(share, text):
        epochs.append(text) if text.startswith("epoch") else None

    with runtime.use(Runtime(progress=note, checkpoints=tmp_path)):
        resumed = make(cls, tuning, **settings).fit(train)
    assert len(epochs) == 1  # the others were not run again
    assert resumed.history_ == whole.history_
    assert resumed.state_.keys() == whole.state_.keys()
    for name, tensor in whole.state_.items():
        assert torch.equal(tensor, resumed.state_[name]), name
    np.testing.assert_array_equal(bits(whole, train), bits(resumed, train))


def test_the_checkpoint_of_another_training_is_not_taken_up(train, tmp_path):
    with runtime.use(Runtime(checkpoints=tmp_path)):
        make(DCH, "full").fit(train)
        for change, items in [({"seed": 9}, train), ({}, train.subset(np.arange(20)))]:
            with runtime.use(Runtime()):
                wanted = make(DCH, "full", **change).fit(items)
            found = make(DCH, "full", **change).fit(items)
            assert found.history_ == wanted.history_
            for name, tensor in wanted.state_.items():
                assert torch.equal(tensor, found.state_[name]), name


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('executed')",)


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04 cut off", pickle.dumps(Bomb(), 2)])
def test_a_damaged_checkpoint_starts_over_and_executes_nothing(body, train, tmp_path):
    wanted = make(DCH, "full").fit(train)
    (tmp_path / NAME).write_bytes(body)
    with pytest.warns(UserWarning, match="checkpoint .* is damaged"):  # noqa: SIM117
        with runtime.use(Runtime(checkpoints=tmp_path)):
            found = make(DCH, "full").fit(train)
    assert found.history_ == wanted.history_
    with warnings.catch_warnings(), runtime.use(Runtime(checkpoints=tmp_path)):
        warnings.simplefilter("error")  # it was replaced by a whole one
        assert make(DCH, "full").fit(train).history_ == wanted.history_


# The epoch chosen on what was held out


def test_a_fifth_is_held_out_class_by_class(train):
    rest, held = hold_out(train, 3)
    assert len(held) == 6
    assert sorted([*rest.rows, *held.rows]) == train.rows.tolist()
    assert held.labels.sum(0).tolist() == [2, 2, 2]
    np.testing.assert_array_equal(held.labels, train.labels[held.rows])
    assert hold_out(train, 3)[1].rows.tolist() == held.rows.tolist()
    assert hold_out(train, 4)[1].rows.tolist() != held.rows.tolist()
    with pytest.raises(InputError, match="at least 20 items"):
        hold_out(train.subset(np.arange(19)), 3)


@each_mode
def test_the_best_epoch_on_held_out_items_is_kept(tuning, train, monkeypatch):
    from hashbench.methods import base

    states, values = [], iter([0.3, 0.9, 0.5])
    judged = []

    def judge(held, encode):
        judged.append(held.rows.tolist())
        encode(held)
        return next(values)

    save = trainer._Run.finish

    def watched(self, line, how):
        save(self, line, how)
        states.append({k: v.clone() for k, v in self.parts["network"].state_dict().items()})

    monkeypatch.setattr(base.selection, "judge", judge)
    monkeypatch.setattr(trainer._Run, "finish", watched)
    method = make(DCH, tuning, select="validation").fit(train)
    assert [line["validation"] for line in method.history_] == [0.3, 0.9, 0.5]
    for name, tensor in method.state_.items():
        assert torch.equal(tensor, states[1][name])
    assert judged == [hold_out(train, 1)[1].rows.tolist()] * 3


def test_choosing_an_epoch_reads_training_images_and_nothing_else(split):
    make(DCH, "full", select="validation").fit(split.train)
    assert split.train.source.seen == set(split.train.rows.tolist())


@each_mode
def test_queries_and_database_change_nothing_that_is_learnt(tuning, split):
    wanted = make(DCH, tuning, select="validation").fit(split.train)
    images, _ = pictures(60, seed=8)
    source = split.train.source
    poisoned = type(source)(np.concatenate([source.pixels[:30], images[30:]]))
    found = make(DCH, tuning, select="validation").fit(replace(split.train, source=poisoned))
    assert found.history_ == wanted.history_


# Encoding


@each_mode
def test_codes_do_not_depend_on_the_items_beside(tuning, split):
    method = make(DCH, tuning, epochs=8, lr=3e-3).fit(split.train)
    whole = method.encode(split.database).relaxed
    shuffled = np.random.default_rng(0).permutation(20)
    again = method.encode(split.database.subset(shuffled)).relaxed
    np.testing.assert_allclose(again, whole[shuffled], atol=1e-4)
    alone = [method.encode(part).relaxed for part in split.database.batches(3)]
    np.testing.assert_allclose(np.concatenate(alone), whole, atol=1e-4)
    assert len(method.encode(split.database.subset([]))) == 0


@each_mode
def test_a_pickled_copy_gives_the_same_codes(tuning, split):
    method = make(DCH, tuning).fit(split.train)
    copy = pickle.loads(pickle.dumps(method))
    wanted = method.encode(split.query).relaxed
    np.testing.assert_array_equal(copy.encode(split.query).relaxed, wanted)


def test_the_fast_engine_gives_the_codes_of_the_network_that_was_trained(split):
    method = make(DCH, "full", epochs=8, lr=3e-3).fit(split.train)
    network = method._network(method.inputs_)
    network.load_state_dict(method.state_)
    network.eval()
    slow = method._encoder(network, method.inputs_, torch.device("cpu"))(split.database)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # an engine that fails says so and is replaced
        fast = method.encode(split.database)
    np.testing.assert_allclose(fast.relaxed, slow.relaxed, atol=1e-4)


def test_partial_encodes_without_decoding_again(split):
    method = make(DCH, "partial").fit(split.train)
    split.train.source.seen.clear()
    method.encode(split.database)
    assert not split.train.source.seen - {0}


def test_large_images_are_trained_at_the_backbones_own_side(split):
    generator = np.random.default_rng(0)
    large = type(split.train.source)(generator.integers(0, 256, (24, 70, 90, 3), dtype=np.uint8))
    labels = np.eye(2, dtype=np.uint8)[np.arange(24) % 2]
    train = TrainItems(large, np.arange(24), backbone="tiny", labels=labels)
    for tuning in MODES:
        method = make(DCH, tuning, side=None).fit(train)
        assert method.inputs_.side == 32
        assert method.encode(train).relaxed.shape == (24, 8)


# What cannot be trained from pixels


@each_mode
@pytest.mark.parametrize("backbone", ["", "pixels", "tiny:multi"])
def test_without_a_network_there_is_one_sentence(tuning, backbone, train):
    with pytest.raises(InputError, match="choose one with --backbone"):
        make(DCH, tuning).fit(replace(train, backbone=backbone))


@each_mode
def test_features_alone_are_not_enough(tuning):
    train = train_from_features(np.eye(4), np.eye(4))
    with pytest.raises(InputError, match="choose one with --backbone"):
        make(DCH, tuning).fit(train)


def test_items_say_which_backbone_is_theirs(split):
    assert isinstance(split.query, Items)
    assert {part.backbone for part in (split.train, split.query, split.database)} == {"tiny"}
    assert split.train.subset([0, 1]).backbone == "tiny"
    assert split.train.without_labels().backbone == "tiny"


# In a run


def test_head_cells_do_not_carry_what_only_counts_from_pixels():
    from hashbench.runner.plan import resolve

    params = resolve("dch", DCH, {}, "head")
    assert not params.keys() & {"unfreeze", "views", "side", "optimizer", "select", "accumulate"}
    params = resolve("dch", DCH, {"": {"unfreeze": 2}}, "partial")
    assert params["unfreeze"] == 2
    assert json.dumps(params)
    for tuning in ("head", "full"):
        with pytest.raises(InputError, match=rf"dch\.views has no effect with --tuning {tuning}"):
            resolve("dch", DCH, {"": {"views": 2}}, tuning)


@each_mode
def test_a_cell_from_pixels_needs_no_features_and_leaves_no_checkpoint(tuning, tmp_path, cache):
    from hashbench.results.store import Store
    from hashbench.runner.plan import Request, plan
    from hashbench.runner.work import Settings, checkpoints, compute

    request = Request(
        methods=("dch",),
        bits=(8,),
        backbone="tiny",
        tuning=tuning,
        settings={"dch": {"epochs": 1, "side": 32, "batch_size": 256}},
    )
    (cell,) = plan(request, tmp_path)
    settings = Settings(tmp_path / "store", tmp_path, device="cpu", threads=1)
    store = Store(settings.store, create=True)
    outcome = compute(cell, settings)
    assert outcome.record.status == "ok"
    kept = checkpoints(settings.store, cell.key)
    assert (kept / NAME).exists()
    outcome.save(store, keep_relaxed=False)
    assert not kept.exists()
    assert not (cache / "features").exists()
