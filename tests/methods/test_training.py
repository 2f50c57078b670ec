"""What training promises, method by method, on toys and on real digits."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_info

from hashbench import runtime
from hashbench.baselines.lsh import LSH
from hashbench.items import train_from_features
from hashbench.methods.cnnh import CNNH
from hashbench.methods.dch import DCH
from hashbench.methods.factorisation import factorise
from hashbench.registries import methods
from hashbench.seeds import derive
from hashbench.training import trainer
from hashbench.training.balance import PairBalance
from hashbench.training.batches import TensorBatches
from hashbench.training.heads import Dropout
from hashbench.training.step import Step

METHODS = sorted(
    (
        part
        for name, part in methods().parts().items()
        if part.kind == "deep" and methods().entry(name).origin == "hashbench"
    ),
    key=lambda cls: cls.name,
)
each_method = pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.name)
#: What they learn with names the classes: a codeword, a proxy or a weight for each.
NAMED = {"csq", "dhd", "dpn", "greedyhash", "hyp2", "jmlh", "mdshc", "orthohash"}

SHORT = {"bits": 8, "epochs": 3, "batch_size": 16}


def mean_average_precision(method, digits):
    """MAP over the whole ranking; items at one distance share one place."""
    _, query, database, query_classes, database_classes = digits
    queries, items = method.encode(query).signs()[::2], method.encode(database).signs()
    agreement = queries.astype(int) @ items.astype(int).T
    found = [
        average_precision_score(database_classes == wanted, row)
        for wanted, row in zip(query_classes[::2], agreement, strict=True)
    ]
    return float(np.mean(found))


@pytest.mark.parametrize(
    ("cls", "head"),
    [*((cls, "linear") for cls in METHODS), (DCH, "mlp")],  # heads know of no method
    ids=lambda value: getattr(value, "name", value),
)
def test_a_seed_settles_every_bit(cls, head, multilabel):
    first, other = (cls(**SHORT, head=head, seed=seed).fit(multilabel) for seed in (3, 4))
    codes = [method.encode(multilabel).relaxed for method in (first, other)]
    assert (codes[0] > 0).tolist() != (codes[1] > 0).tolist()
    # The surroundings' randomness neither matters nor changes.
    torch.manual_seed(99)
    state = torch.get_rng_state()
    again = cls(**SHORT, head=head, seed=3).fit(multilabel)
    np.testing.assert_array_equal(codes[0], again.encode(multilabel).relaxed)
    assert first.history_ == again.history_
    assert torch.equal(state, torch.get_rng_state())


def test_a_seed_settles_the_start_and_the_order_of_batches(multilabel, monkeypatch):
    orders, starts = [], []

    def untrained(network, batches, *_):
        orders.append(torch.cat([batch.rows for batch in batches.epoch(0)]).tolist())
        starts.append(network[-1].weight.tolist())
        return []

    monkeypatch.setattr(trainer, "train", untrained)
    for seed in (3, 3, 4):
        DCH(**SHORT, seed=seed).fit(multilabel)
    assert orders[0] == orders[1] != orders[2]
    assert starts[0] == starts[1] != starts[2]


@each_method
def test_names_of_classes_do_not_matter(cls, multilabel):
    if cls.name in NAMED:
        pytest.skip("gives each class something of its own")
    renamed = replace(multilabel, labels=multilabel.labels[:, [2, 0, 3, 1]])
    codes = [cls(**SHORT).fit(train).encode(train).relaxed for train in (multilabel, renamed)]
    np.testing.assert_array_equal(*codes)


@each_method
def test_an_epoch_leaves_a_line_of_history(cls, multilabel):
    history = cls(**SHORT).fit(multilabel).history_
    assert [line["epoch"] for line in history] == [1, 2, 3]
    assert all(np.isfinite(line["loss"]) for line in history)
    # Half a cosine from the learning rate to 0; a line has the rate its epoch began with.
    recipe = cls(**SHORT).recipe()
    wanted = [recipe.lr * (1 + np.cos(np.pi * epoch / 3)) / 2 for epoch in range(3)]
    assert [line["lr"] for line in history] == pytest.approx(wanted)


@pytest.mark.parametrize("average", [0.6, 0.99], ids=["as asked", "too long for so few steps"])
def test_the_moving_average_of_weights_is_kept(average, multilabel, monkeypatch):
    """a <- decay a + (1 - decay) w after every step, from the first step's weights on."""
    steps = []
    step = torch.optim.AdamW.step

    def watched(self, *args):
        result = step(self, *args)
        steps.append([p.detach().clone() for g in self.param_groups for p in g["params"]])
        return result

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    last = DCH(**SHORT).fit(multilabel).state_
    plain = list(steps)
    steps.clear()
    averaged = DCH(**SHORT, average=average).fit(multilabel).state_
    decay = min(average, 1 - 4 / len(steps))
    assert 0.6 <= decay < 0.99
    wanted = steps[0]
    for weights in steps[1:]:
        wanted = [decay * old + (1 - decay) * new for old, new in zip(wanted, weights, strict=True)]
    for mine, theirs in zip(plain, steps, strict=True):  # training itself is the same
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
    torch.testing.assert_close(averaged["1.weight"], wanted[0])
    torch.testing.assert_close(averaged["1.bias"], wanted[1])
    assert torch.equal(last["1.weight"], plain[-1][0])


def test_statistics_of_normalisation_are_averaged_too(multilabel):
    states = [
        DCH(**SHORT, head="mlp", average=average).fit(multilabel).state_ for average in (0.0, 0.9)
    ]
    for name in ("0.3.running_mean", "0.3.running_var", "0.2.weight"):
        assert not torch.equal(states[0][name], states[1][name])
    assert torch.equal(states[0]["0.0.mean"], states[1]["0.0.mean"])


def test_dropped_values_are_zero_and_the_others_make_up_for_them():
    torch.manual_seed(0)
    layer, ones = Dropout(0.3), torch.ones(200, 500)
    seen = layer(ones)
    dropped = 19661 / 2**16  # 0.3 in 16 bits
    assert seen.unique().tolist() == pytest.approx([0, 1 / (1 - dropped)], rel=1e-7)
    assert float((seen == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert layer.eval()(ones) is ones
    assert Dropout(0.0).train()(ones) is ones


@each_method
def test_divergence_is_an_error_with_advice(cls, multilabel):
    with pytest.raises(FloatingPointError, match=r"diverged.*lower the learning rate \(lr=1e\+38"):
        cls(**SHORT, lr=1e38).fit(multilabel)


@each_method
@pytest.mark.parametrize(("count", "head"), [(1, "mlp"), (2, "linear"), (5, "mlp")])
def test_one_class_and_hardly_any_items(cls, count, head):
    features = np.random.default_rng(0).normal(size=(count, 4))
    train = train_from_features(features, np.ones((count, 1)))
    codes = cls(**SHORT, head=head).fit(train).encode(train)
    assert codes.relaxed.shape == (count, 8)
    assert np.isfinite(codes.relaxed).all()


@each_method
def test_two_items_that_differ(cls):
    train = train_from_features(np.eye(2), np.eye(2))
    relaxed = cls(bits=8, epochs=40, batch_size=2, lr=0.03).fit(train).encode(train).relaxed
    assert ((relaxed[0] > 0) != (relaxed[1] > 0)).any()


@pytest.fixture(scope="module")
def floor(digits):
    return mean_average_precision(LSH(bits=24, seed=1).fit(digits[0]), digits)


@each_method
def test_it_learns_on_real_images(cls, digits, floor):
    """Far above LSH, and above the very network it started from."""
    train = digits[0]
    settings = {"bits": 24, "batch_size": 60, "seed": 1}
    learnt = mean_average_precision(cls(**settings, epochs=18, lr=5e-3).fit(train), digits)
    start = mean_average_precision(cls(**settings, epochs=1, lr=1e-12).fit(train), digits)
    assert learnt > max(start, floor) + (0.15 if cls.supervised else 0.1)


# CNNH: row i of the codes of stage 1 belongs to item i, whatever order batches come in.


def test_cnnh_stage_1_knows_no_batches(multilabel):
    fitted = [CNNH(**{**SHORT, "batch_size": size}).fit(multilabel) for size in (8, 60)]
    wanted = factorise(multilabel.labels, 8, derive(0, "cnnh", "factorisation"), 10).codes
    for method in fitted:
        np.testing.assert_array_equal(method.targets_.numpy(), wanted)


def test_cnnh_loss_finds_each_items_code_in_a_shuffled_loader(multilabel):
    method = CNNH(bits=8)
    method.prepare(multilabel.labels)
    labels = torch.from_numpy(multilabel.labels.astype(np.float32))
    # Outputs that are each item's own code, saturated: no error unless rows are mixed up.
    loader = TensorBatches(30.0 * method.targets_, labels, 16, seed=7)
    rows = []
    for batch in loader.epoch(0):
        step = Step(0, 1, batch.rows, PairBalance(1.0, 1.0), torch.Generator())
        assert float(method.loss(batch.inputs, batch.labels, step)) == 0
        rows += batch.rows.tolist()
    assert sorted(rows) == list(range(60))
    assert rows != sorted(rows)


def test_cnnh_network_reproduces_stage_1(multilabel):
    method = CNNH(bits=8, epochs=150, batch_size=16, lr=0.01, weight_decay=0.0, input_dropout=0.0)
    signs = method.fit(multilabel).encode(multilabel).signs()
    assert np.mean(signs == method.targets_.numpy()) > 0.8  # one half if rows were mixed up


@pytest.mark.parametrize("threads", [None, 2, 3])
def test_a_head_is_trained_and_encodes_with_one_thread_whatever_the_runtime_has(
    threads, multilabel, monkeypatch
):
    seen, loss, relax = set(), DCH.loss, DCH.relax

    def count():
        blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        seen.update([torch.get_num_threads(), *blas])

    monkeypatch.setattr(DCH, "loss", lambda self, *given: (count(), loss(self, *given))[1])
    monkeypatch.setattr(DCH, "relax", lambda self, *given: (count(), relax(self, *given))[1])
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with runtime.use(runtime.Runtime(threads=threads)):
            DCH(bits=8, epochs=1).fit(multilabel).encode(multilabel)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == {1}


def test_dropout_is_the_same_at_every_code_length(multilabel, monkeypatch):
    """What a batch hides is drawn after, and apart from, the first weights of a length."""
    masks, mask = [], Dropout.mask

    def watched(self, values):
        masks.append(mask(self, values).clone())
        return masks[-1].clone()

    monkeypatch.setattr(Dropout, "mask", watched)
    for bits in (8, 24):
        DCH(bits=bits, epochs=2, batch_size=20).fit(multilabel)
    half = len(masks) // 2
    assert half > 1
    assert all(torch.equal(*pair) for pair in zip(masks[:half], masks[half:], strict=True))
    assert not torch.equal(masks[0], masks[1])


def test_what_a_batch_is_made_of_is_standardised_once_and_the_loss_sees_it_as_it_was(multilabel):
    seen = []

    class Watched(DCH):
        name = "watched"

        def loss(self, outputs, labels, step):
            seen.append((outputs.detach(), step.rows, step.features))
            return 0 * super().loss(outputs, labels, step)

    settings = {"bits": 8, "epochs": 1, "batch_size": 20, "weight_decay": 0.0}
    method = Watched(**settings, input_dropout=0.0).fit(multilabel)
    X = torch.from_numpy(multilabel.features())
    outputs = method.trained_network()(X).detach()
    for found, rows, features in seen:
        torch.testing.assert_close(found, outputs[rows])
        assert torch.equal(features, X[rows])
