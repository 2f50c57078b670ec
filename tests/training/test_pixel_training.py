"""Training modes "partial" and "full": what trains, what stays, and what is encoded."""

import json
import pickle
import warnings
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from pixel_methods import MODES, Plugin, each_mode, make
from tiny_network import tiny_backbone
from torch import nn

from hashbench.backbones import catalogue
from hashbench.backbones.network import Trunk
from hashbench.errors import InputError
from hashbench.items import Items, TrainItems, rows_of, source_of, train_from_features
from hashbench.methods.dch import DCH
from hashbench.methods.hashnet import HashNet
from hashbench.registries import methods
from hashbench.training.balance import PairBalance
from hashbench.training.checkpoints import NAME
from hashbench.training.optimisation import parameter_groups
from hashbench.training.pixels import DrawnBatches

DEEP = sorted(name for name, cls in methods().parts().items() if cls.kind == "deep")


def hits(method, split):
    """The share of a query's nearest database items that are of its class."""
    rows = np.concatenate([rows_of(split.query), rows_of(split.database)])
    codes = method.encode(Items(source_of(split.query), rows)).signs().astype(int)
    query, database = np.split(codes, [len(split.query)])
    similar = split.query_labels @ split.database_labels.T
    nearest = (query @ database.T).argmax(1)
    return similar[np.arange(len(query)), nearest].mean()


#: Methods that are trained in full too: with two views, with a memory of all items, and of others.
IN_FULL = ("adsh", "cibhash", "dch", "plugin")


@pytest.mark.parametrize(
    ("name", "tuning"),
    [*((name, "partial") for name in (*DEEP, "plugin")), *((name, "full") for name in IN_FULL)],
)
def test_every_deep_method_trains_from_pixels(name, tuning, split):
    cls = Plugin if name == "plugin" else methods().get(name)
    # Histograms of seven distances say little: MIHash sees all 30 images at once. A sampled code
    # is a noisy teacher: JMLH takes more epochs. Others are not done after 12.
    longer = {
        "mihash": {"epochs": 36, "batch_size": 30},
        "jmlh": {"epochs": 48},
        "dsh": {"epochs": 24},
        "dtsh": {"epochs": 24},
        "greedyhash": {"epochs": 20},
    }
    other = longer.get(name, {})
    method = make(cls, tuning, **{"epochs": 12, "lr": 2e-3, **other}).fit(split.train)
    # A third by chance; without labels, a tiny untrained network tells no more than colours do, and
    # MIHash may settle with two classes in one place: which way it goes is a matter of rounding.
    assert hits(method, split) > (0.8 if cls.supervised and name != "mihash" else 0.5)
    assert [line["epoch"] for line in method.history_] == list(range(1, method.epochs + 1))


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


def test_unfreeze_is_half_of_the_stages_unless_set(train):
    assert make(DCH, "partial", unfreeze=None).fit(train).inputs_.late == 2
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


# Encoding


@each_mode
def test_codes_do_not_depend_on_the_items_beside(tuning, split):
    method = make(DCH, tuning, epochs=8, lr=3e-3).fit(split.train)
    whole = method.encode(split.database).relaxed
    shuffled = np.random.default_rng(0).permutation(20)
    again = method.encode(split.database.subset(shuffled)).relaxed
    np.testing.assert_allclose(again, whole[shuffled], atol=1e-4)
    alone = [method.encode(part).relaxed for part in split.database.batches(7)]
    np.testing.assert_allclose(np.concatenate(alone), whole, atol=1e-4)
    assert len(method.encode(split.database.subset([]))) == 0


@each_mode
def test_a_pickled_copy_gives_the_same_codes(tuning, split):
    method = make(DCH, tuning).fit(split.train)
    copy = pickle.loads(pickle.dumps(method))
    wanted = method.encode(split.query).relaxed
    np.testing.assert_array_equal(copy.encode(split.query).relaxed, wanted)


@each_mode
def test_the_fast_engine_gives_the_codes_of_the_network_that_was_trained(tuning, split):
    method = make(DCH, tuning, epochs=8, lr=3e-3).fit(split.train)
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
    source_of(split.train).seen.clear()
    method.encode(split.database)
    assert not source_of(split.train).seen - {0}


def test_large_images_are_trained_at_the_backbones_own_side(split):
    generator = np.random.default_rng(0)
    large = type(source_of(split.train))(
        generator.integers(0, 256, (24, 70, 90, 3), dtype=np.uint8)
    )
    labels = np.eye(2, dtype=np.uint8)[np.arange(24) % 2]
    train = TrainItems(large, np.arange(24), backbone="tiny", labels=labels)
    for tuning in MODES:
        method = make(DCH, tuning, side=None).fit(train)
        assert method.inputs_.side == 32
        assert method.encode(train).relaxed.shape == (24, 8)


# What cannot be trained from pixels


def one_stage():
    build = tiny_backbone().build
    return replace(
        tiny_backbone(),
        name="single",
        build=lambda side: Trunk(nn.Sequential(build(side).stages)).eval(),
    )


class Picky(nn.Module):
    """Takes images of one side, as transformers do."""

    def forward(self, pixels):
        assert pixels.shape[-1] == 32, "32 px alone"
        return pixels


def picky():
    build = tiny_backbone().build
    return replace(
        tiny_backbone(),
        name="picky",
        build=lambda side: Trunk(nn.Sequential(Picky(), *build(side).stages)).eval(),
    )


@each_mode
@pytest.mark.parametrize("backbone", ["", "pixels", "tiny:multi"])
def test_without_a_network_there_is_one_sentence(tuning, backbone, train):
    with pytest.raises(InputError, match="choose one with --backbone"):
        make(DCH, tuning).fit(replace(train, backbone=backbone))


def test_a_network_of_one_stage_is_trained_in_full(train, monkeypatch):
    monkeypatch.setitem(catalogue.NETWORKS, "single", one_stage)
    items = replace(train, backbone="single")
    assert make(DCH, "full").fit(items).encode(items).bits == 8
    with pytest.raises(InputError, match=r"single is a single stage .*: use --train full"):
        make(DCH, "partial", unfreeze=None).fit(items)


@each_mode
def test_a_side_the_network_cannot_see_is_one_sentence(tuning, train, monkeypatch):
    monkeypatch.setitem(catalogue.NETWORKS, "picky", picky)
    items = replace(train, backbone="picky")
    make(DCH, tuning, side=32).fit(items)
    with pytest.raises(
        InputError, match=r"picky .* 48 px a side \(32 px alone\): set another side"
    ):
        make(DCH, tuning).fit(items)


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


# Where it runs


@pytest.mark.parametrize("tuning", ["head", *MODES])
def test_whoever_takes_outputs_batch_by_batch_keeps_its_own_mode(tuning, split):
    method = DCH(bits=8, epochs=1).fit(split.train) if tuning == "head" else None
    method = method or make(DCH, tuning).fit(split.train)
    network = method._network(method.inputs_).eval()
    for _ in method.inputs_.run(network, split.query, torch.device("cpu")):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()


def test_pairs_are_counted_on_the_cpu_in_float64():
    labels = torch.eye(3)[[0, 0, 1, 2]]
    elsewhere = Mock(spec=["cpu", "__len__"], cpu=lambda: labels, __len__=lambda _: 4)
    assert PairBalance.of(elsewhere) == PairBalance.of(labels) == PairBalance(6.0, 1.2)


def test_only_pinned_memory_is_copied_without_waiting(monkeypatch):
    to, waited = torch.Tensor.to, []

    def watched(self, *args, **settings):
        waited.append(not settings.get("non_blocking", False))
        return to(self, *args, **settings)

    monkeypatch.setattr(torch.Tensor, "to", watched)
    labels = torch.zeros(6, 2, device="meta")  # a device that is neither CPU nor CUDA
    batches = DrawnBatches(lambda rows, *_: torch.zeros(len(rows), 3), labels, 4, 0)
    assert [batch.inputs.shape for batch in batches.epoch(0)] == [(3, 3), (3, 3)]
    assert waited
    assert all(waited)


# In a run


def test_head_cells_do_not_carry_what_only_counts_from_pixels():
    from hashbench.runner.plan import resolve

    params = resolve("dch", DCH, {}, "head")
    assert not params.keys() & {"unfreeze", "views", "side", "optimizer", "select", "accumulate"}
    params = resolve("dch", DCH, {"": {"unfreeze": 2}}, "partial")
    assert params["unfreeze"] == 2
    assert json.dumps(params)
    for tuning in ("head", "full"):
        with pytest.raises(InputError, match=rf"dch\.views has no effect with --train {tuning}"):
            resolve("dch", DCH, {"": {"views": 2}}, tuning)


@each_mode
def test_a_cell_from_pixels_needs_no_features_and_leaves_no_checkpoint(tuning, tmp_path, cache):
    from hashbench.runner.claim import attempt
    from hashbench.runner.plan import Request, plan
    from hashbench.runner.prepare import gather
    from hashbench.runner.settings import Settings
    from hashbench.runner.train import checkpoints, train
    from hashbench.store import Store

    request = Request(
        methods=("dch",),
        bits=(8,),
        backbone="tiny",
        mode=tuning,
        settings={"dch": {"epochs": 1, "side": 32, "batch_size": 256}},
    )
    settings = Settings(tmp_path / "store", tmp_path, device="cpu", threads=1)
    store = Store(settings.store, create=True)
    (task,), _ = gather(plan(request, tmp_path), settings)
    trained = train(task, settings)
    kept = checkpoints(settings.store, task.key)
    assert (kept / NAME).exists()
    record = attempt(task, settings, lambda *_: None)
    assert record.ok
    assert record.files["codes"] == trained.save(store, keep_hasher=False).files["codes"]
    assert not kept.exists()
    assert not (cache / "features").exists()


@pytest.mark.parametrize("broken", [{"unfreeze": 9}, {"epochs": 4}])
def test_a_cell_that_cannot_be_prepared_leaves_the_others(broken, split, tmp_path, monkeypatch):
    from hashbench.runner import prepare as prepares
    from hashbench.runner.claim import pending
    from hashbench.runner.plan import Request, plan
    from hashbench.runner.settings import Settings
    from hashbench.store import Store

    def failing(self, train):
        if self.epochs == 4:
            raise RuntimeError("a stranger's method")
        return precompute(self, train)

    precompute = DCH.precompute
    monkeypatch.setattr(DCH, "precompute", failing)
    monkeypatch.setattr(prepares, "bound_split", lambda *_: split)
    request = Request(
        methods=("dch", "hashnet"),
        bits=(8,),
        backbone="tiny",
        mode="partial",
        settings={"": {"side": 48, "views": 2}, "dch": broken},
    )
    settings = Settings(tmp_path / "store", tmp_path, device="cpu", threads=1)
    tasks, _ = prepares.gather(plan(request, tmp_path), settings)
    tasks, _ = pending(tasks, Store(settings.store, create=True), settings)
    ready, _ = prepares.prepare(tasks, settings, Mock())
    methods = [task.cell.method for task in ready]
    # What is no sentence for the user is left to the cell, which keeps its log.
    assert methods == (["hashnet"] if "unfreeze" in broken else ["dch", "hashnet"])
