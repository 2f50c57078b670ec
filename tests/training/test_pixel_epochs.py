"""Training from pixels epoch by epoch: steps, going on after a stop, and which epoch is kept."""

import errno
import io
import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from pixel_methods import Plugin, each_mode, make
from tiny_network import pictures
from torch import nn

from hashbench import runtime
from hashbench.backbones.regime import typical_shape
from hashbench.errors import InputError
from hashbench.items import rows_of, source_of
from hashbench.methods.dch import DCH
from hashbench.methods.dnnh import DNNH
from hashbench.methods.hashnet import HashNet
from hashbench.runtime import Runtime
from hashbench.training import checkpoints, recipes, trainer
from hashbench.training.balance import PairBalance
from hashbench.training.batches import Batch
from hashbench.training.checkpoints import NAME, Checkpoint
from hashbench.training.optimisation import optimiser_of, schedule_of
from hashbench.training.selection import hold_out
from hashbench.training.step import Objective, Step

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


@each_mode
def test_a_small_training_set_gets_more_epochs_unless_epochs_are_asked_for(tuning):
    recipe = make(DCH, tuning, epochs=None).recipe()
    assert recipe.epochs_for(1000) == recipe.epochs
    assert 300 <= 7 * recipe.epochs_for(7) < 300 + 7
    assert make(DCH, tuning, epochs=2).recipe().epochs_for(7) == 2


# Accumulation: in parts, the gradient of the whole batch


def network_and_batch(dropout):
    torch.manual_seed(0)
    backbone = [nn.Linear(5, 6), nn.Dropout(dropout)]
    head = [nn.BatchNorm1d(6), nn.Linear(6, 4)]
    network = nn.Sequential(*backbone, *head).double()
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
    value = trainer.backward(network[:2], network[2:], batch, Objective(loss), step, recipe)
    return float(value), [p.grad for p in network.parameters()], torch.get_rng_state(), network[2]


@pytest.mark.parametrize("parts", [2, 4, 50])
def test_accumulation_gives_the_gradient_of_the_undivided_batch(parts):
    value, wanted, _, whole = gradients(0.0, 1)
    divided, found, _, norm = gradients(0.0, parts)
    assert divided == pytest.approx(value, rel=1e-5)
    for one, two in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)
    # The head's batch normalisation has seen the batch, once.
    torch.testing.assert_close(norm.running_var, whole.running_var)


def test_accumulation_repeats_the_dropout_of_each_part():
    value, found, state, _ = gradients(0.5, 3)
    network, batch = network_and_batch(0.5)
    torch.manual_seed(4)
    features = torch.cat([network[:2](part) for part in batch.inputs.tensor_split(3)])
    outputs = network[2:](features).float()
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


RANDOM, AVERAGED = (DNNH, {}), (DCH, {"average": 0.9, "select": "validation"})


@pytest.mark.parametrize(
    ("tuning", "cls", "settings"),
    [
        ("partial", *RANDOM),
        ("full", *RANDOM),
        ("partial", HashNet, {"accumulate": 2}),
        ("partial", DCH, {"select": "validation", "head": "mlp"}),
        ("partial", DCH, {"average": 0.9}),
        ("partial", *AVERAGED),
        ("full", *AVERAGED),
    ],
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
    np.testing.assert_array_equal(whole.encode(train).packed, resumed.encode(train).packed)


def test_the_checkpoint_of_another_recipe_is_not_taken_up(train, tmp_path, monkeypatch):
    with runtime.use(Runtime(checkpoints=tmp_path)):
        make(DCH, "full").fit(train)
        key = ("full", "linear")
        monkeypatch.setitem(
            recipes.RECIPES, key, replace(recipes.RECIPES[key], dropout=0.1, clip=1)
        )
        found = make(DCH, "full").fit(train)
    assert found.history_ == make(DCH, "full").fit(train).history_


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


def test_no_flipped_bit_of_a_checkpoint_is_trained_on(tmp_path):
    weights = torch.arange(500.0)
    kept = Checkpoint(tmp_path, "a")
    kept.save({"network": weights})
    whole = (tmp_path / NAME).read_bytes()
    for place in range(40, len(whole), 61):
        flipped = bytearray(whole)
        flipped[place] ^= 4
        (tmp_path / NAME).write_bytes(flipped)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = kept.load()
        assert found is None or torch.equal(found["network"], weights)


@pytest.mark.parametrize("change", ["optimiser", "history", "network"])
def test_a_checkpoint_that_does_not_fit_is_left_whole(change, train, tmp_path):
    wanted = make(DCH, "full", epochs=3).fit(train)
    with (
        pytest.raises(Stopped),
        runtime.use(Runtime(progress=stop_after(1), checkpoints=tmp_path)),
    ):
        make(DCH, "full", epochs=3).fit(train)
    body = torch.load(tmp_path / NAME, weights_only=True)
    if change == "network":
        name, tensor = body["state"]["network"].popitem()
        body["state"]["network"][name] = torch.cat([tensor, tensor])
    else:
        del body["state"][change]
    torch.save(body, tmp_path / NAME)
    with pytest.warns(UserWarning, match="does not fit this training .* from the beginning"):  # noqa: SIM117
        with runtime.use(Runtime(checkpoints=tmp_path)):
            found = make(DCH, "full", epochs=3).fit(train)
    assert found.history_ == wanted.history_
    for name, tensor in wanted.state_.items():
        assert torch.equal(tensor, found.state_[name]), name


def test_a_full_disk_is_one_sentence_and_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    kept = Checkpoint(tmp_path, "a")
    kept.save({"network": torch.zeros(1000)})
    write_atomically = checkpoints.write_atomically

    class Full(io.BytesIO):
        def write(self, data):
            if self.tell() > 500:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    def filled(path, write):
        write_atomically(path, lambda _stream: write(Full()))

    monkeypatch.setattr(checkpoints, "write_atomically", filled)
    with pytest.raises(InputError, match=r"cannot be written .*: make room there"):
        kept.save({"network": torch.ones(1000)})
    assert kept.load()["network"].sum() == 0
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


# The epoch chosen on what was held out


def test_a_fifth_is_held_out_class_by_class(train):
    rest, held = hold_out(train, 3)
    assert len(held) == 6
    assert sorted([*rows_of(rest), *rows_of(held)]) == rows_of(train).tolist()
    assert held.labels.sum(0).tolist() == [2, 2, 2]
    np.testing.assert_array_equal(held.labels, train.labels[rows_of(held)])
    assert rows_of(hold_out(train, 3)[1]).tolist() == rows_of(held).tolist()
    assert rows_of(hold_out(train, 4)[1]).tolist() != rows_of(held).tolist()
    with pytest.raises(InputError, match="at least 20 items"):
        hold_out(train.subset(np.arange(19)), 3)


@pytest.mark.parametrize("average", [0.0, 0.9])
@each_mode
def test_the_best_epoch_on_held_out_items_is_kept(tuning, average, train, monkeypatch):
    from hashbench.training import deep

    states, values = [], iter([0.3, 0.9, 0.5])
    judged = []

    def judge(held, encode):
        judged.append(rows_of(held).tolist())
        encode(held)
        return next(values)

    save = trainer._Run.finish

    def watched(self, line, how):
        save(self, line, how)
        kept = self.average.model.module if average else self.network
        states.append({k: v.clone() for k, v in kept.state_dict().items()})

    monkeypatch.setattr(deep.selection, "judge", judge)
    monkeypatch.setattr(trainer._Run, "finish", watched)
    method = make(DCH, tuning, select="validation", average=average).fit(train)
    assert [line["validation"] for line in method.history_] == [0.3, 0.9, 0.5]
    for name, tensor in method.state_.items():
        assert torch.equal(tensor, states[1][name])
    assert judged == [rows_of(hold_out(train, 1)[1]).tolist()] * 3


def test_choosing_an_epoch_reads_training_images_and_nothing_else(split):
    source = source_of(split.train)
    typical_shape(source)  # of a sample of the whole data set, sizes alone are asked
    sampled = set(source.seen)
    make(DCH, "full", select="validation").fit(split.train)
    assert source.seen - sampled <= set(rows_of(split.train).tolist()) <= source.seen


@each_mode
def test_queries_and_database_change_nothing_that_is_learnt(tuning, split):
    wanted = make(DCH, tuning, select="validation").fit(split.train)
    images, _ = pictures(60, seed=8)
    source = source_of(split.train)
    poisoned = type(source)(np.concatenate([source.pixels[:30], images[30:]]))
    found = make(DCH, tuning, select="validation").fit(replace(split.train, _source=poisoned))
    assert found.history_ == wanted.history_
