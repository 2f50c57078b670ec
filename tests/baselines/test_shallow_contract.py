"""What every shallow method keeps: hashbench's contract and scikit-learn's."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hashbench.baselines.agh import AGH
from hashbench.baselines.base import BATCH, ShallowHasher
from hashbench.baselines.bre import BRE
from hashbench.baselines.class_codes import ClassCodes
from hashbench.baselines.itq import ITQ
from hashbench.baselines.itq_cca import ITQCCA
from hashbench.baselines.ksh import KSH
from hashbench.baselines.lsh import LSH
from hashbench.baselines.pcah import PCAH
from hashbench.baselines.sdh import SDH
from hashbench.baselines.sh import SH
from hashbench.baselines.sign import Sign
from hashbench.errors import InputError
from hashbench.hasher import Hasher, hyperparameters
from hashbench.items import TrainItems, items_from_features, train_from_features
from hashbench.runner.plan import build
from hashbench.targets import multi_hot

SUPERVISED = [ClassCodes, ITQCCA, SDH, KSH, BRE]
UNSUPERVISED = [LSH, Sign, PCAH, ITQ, SH, AGH]
ALL = [*UNSUPERVISED, *SUPERVISED]
every = pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.name)
supervised = pytest.mark.parametrize("cls", SUPERVISED, ids=lambda cls: cls.name)
unsupervised = pytest.mark.parametrize("cls", UNSUPERVISED, ids=lambda cls: cls.name)


#: The slowest by far are as good at these with fewer anchors and steps.
SMALL = {KSH: {"anchors": 100, "iterations": 30}, BRE: {"passes": 15}}


def make(cls, **params):
    return cls(**{**SMALL.get(cls, {}), **params})


# No expected failures: every check of scikit-learn applies and passes.
@parametrize_with_checks([make(cls, bits=8) for cls in ALL])
def test_scikit_learn(estimator, check):
    check(estimator)


@every
def test_is_a_hasher_with_defaults_for_everything(cls):
    assert issubclass(cls, Hasher)
    assert cls.kind == "shallow"
    assert cls.summary
    assert cls.citation
    assert None not in hyperparameters(cls).values()
    assert (cls().bits, cls().seed) == (16, 0)


@every
def test_items_and_arrays_give_the_same_codes(cls, digits):
    ids = digits.Y[:600].argmax(axis=1)
    codes = make(cls, bits=12).fit(digits.train).encode(digits.query)
    by_ids = make(cls, bits=12).fit(digits.train.features(), ids)
    by_labels = make(cls, bits=12).fit(digits.train.features(), digits.Y[:600])
    for hasher in (by_ids, by_labels):
        np.testing.assert_array_equal(hasher.transform(digits.query.features()), codes.unpack())


@every
def test_relaxed_outputs_are_the_decision_function(cls, digits):
    hasher = make(cls, bits=12).fit(digits.train)
    codes = hasher.encode(digits.query)
    outputs = hasher.decision_function(digits.query.features())
    np.testing.assert_allclose(codes.relaxed, outputs, rtol=1e-5)
    np.testing.assert_array_equal(codes.unpack(), outputs > 0)


@every
def test_batches_give_what_all_at_once_gives(cls, digits, monkeypatch):
    hasher = make(cls, bits=16).fit(digits.train)
    whole = hasher.encode(digits.database)
    monkeypatch.setattr("hashbench.baselines.base.BATCH", 100)
    np.testing.assert_array_equal(hasher.encode(digits.database).packed, whole.packed)
    assert len(digits.database) < BATCH
    assert len(hasher.encode(digits.database.subset([]))) == 0


@every
def test_the_order_of_training_items_changes_nothing(cls, digits):
    order = np.random.default_rng(1).permutation(600)
    one = make(cls, bits=16).fit(digits.train)
    other = make(cls, bits=16).fit(digits.train.subset(order))
    np.testing.assert_array_equal(
        one.decision_function(digits.query.features()),
        other.decision_function(digits.query.features()),
    )


class Drawn:
    """What a generator gave, in order."""

    def __init__(self, generator, log):
        self._generator, self._log = generator, log

    def __getattr__(self, name):
        def drawn(*arguments, **options):
            result = getattr(self._generator, name)(*arguments, **options)
            self._log.append((name, np.array(result)))
            return result

        return drawn


@every
def test_features_moved_by_one_ulp_ask_for_the_same_draws_and_give_nearly_the_same_codes(
    cls, digits, agreement, monkeypatch
):
    logs = []
    original = ShallowHasher._generator
    monkeypatch.setattr(
        ShallowHasher, "_generator", lambda self, purpose: Drawn(original(self, purpose), logs[-1])
    )
    up = np.random.default_rng(0).random((600, 64)) < 0.5
    X = digits.train.features()
    moved = np.where(up, np.nextafter(X, np.float32(np.inf)), np.nextafter(X, np.float32(-np.inf)))
    moved = np.where(X == 0, X, moved)  # what is 0 here, behind a ReLU, is 0 on every machine
    codes = []
    for features in (X, moved):
        logs.append([])
        hasher = make(cls, bits=32).fit(train_from_features(features, digits.Y[:600]))
        codes.append(hasher.encode(digits.query))
    one, two = logs
    assert [name for name, _ in one] == [name for name, _ in two]
    for (_, drawn), (_, again) in zip(one, two, strict=True):
        np.testing.assert_array_equal(drawn, again)
    assert agreement(*codes) > 0.99


# Codewords go to classes by their order.
@pytest.mark.parametrize("cls", SUPERVISED[1:], ids=lambda cls: cls.name)
def test_renaming_the_classes_changes_nothing(cls, digits, agreement):
    renamed = digits.Y[:600][:, np.random.default_rng(1).permutation(10)]
    one = make(cls, bits=16).fit(digits.train).encode(digits.query)
    other = (
        make(cls, bits=16).fit(train_from_features(digits.X[:600], renamed)).encode(digits.query)
    )
    # Sums over classes round differently; no more than that may differ.
    assert agreement(one, other) > 0.999


@pytest.mark.parametrize(
    "cls", [cls for cls in ALL if cls not in (PCAH, SH)], ids=lambda cls: cls.name
)
def test_another_seed_gives_other_codes_and_the_same_seed_the_same(cls, digits, agreement):
    codes, again, other = (
        make(cls, bits=16, seed=seed).fit(digits.train).encode(digits.query) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(codes.packed, again.packed)
    assert agreement(codes, other) < 0.99


@supervised
def test_beats_random_hyperplanes_by_a_clear_margin(cls, digits):
    for bits in (16, 48):
        learnt = digits.mean_average_precision(make(cls, bits=bits).fit(digits.train))
        random = digits.mean_average_precision(LSH(bits=bits).fit(digits.train))
        assert learnt > random + 0.2


@pytest.mark.parametrize(
    ("start", "steps", "margin"),
    [
        (SDH(bits=16, iterations=0), {}, 0.2),
        (BRE(bits=16, passes=0), {"passes": 60}, 0.15),
        (KSH(bits=16, anchors=100, iterations=0), {}, 0.01),
        (ITQ(bits=16, iterations=0), {}, 0.02),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_beats_its_own_start(start, steps, margin, digits):
    begun = digits.mean_average_precision(clone(start).fit(digits.train))
    learnt = digits.mean_average_precision(make(type(start), bits=16, **steps).fit(digits.train))
    assert learnt > begun + margin


@unsupervised
def test_an_unsupervised_method_is_never_shown_a_label(cls, digits, monkeypatch):
    seen = []
    learn = cls._learn
    monkeypatch.setattr(
        cls, "_learn", lambda self, X, labels: (seen.append(labels.size), learn(self, X, labels))
    )
    assert not cls.supervised
    one = make(cls, bits=8).fit(digits.train)
    other = make(cls, bits=8).fit(digits.train.with_labels(np.roll(digits.train.labels, 7, axis=0)))
    alone = make(cls, bits=8).fit(digits.train.features())
    assert seen == [0, 0, 0]
    for hasher in (other, alone):
        np.testing.assert_array_equal(
            one.transform(digits.query.features()), hasher.transform(digits.query.features())
        )


@pytest.mark.parametrize(("cls", "margin"), [(ITQ, 0.15), (AGH, 0.15)], ids=["itq", "agh"])
def test_learns_without_labels_what_random_hyperplanes_do_not_find(cls, margin, digits):
    for bits in (16, 48):
        learnt = digits.mean_average_precision(make(cls, bits=bits).fit(digits.train))
        random = digits.mean_average_precision(LSH(bits=bits).fit(digits.train))
        assert learnt > random + margin


@supervised
def test_learns_overlapping_labels(cls, multilabel, similarity):
    similar = similarity(multilabel.labels) > 0
    signs = make(cls, bits=16).fit(multilabel).encode(multilabel).signs().astype(int)
    distance = (16 - signs @ signs.T) / 2
    others = ~np.eye(len(signs), dtype=bool)
    assert distance[similar & others].mean() < distance[~similar & others].mean() - 0.5


@every
@pytest.mark.parametrize("case", ["one class", "fewer items than bits", "constant feature"])
def test_degenerate_training_sets_still_give_codes(cls, case):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(30, 6))
    Y = np.eye(2, dtype=np.uint8)[np.arange(30) % 2]
    if case == "one class":
        Y = np.ones((30, 1), np.uint8)
    elif case == "fewer items than bits":
        X, Y = X[:4], Y[:4]
    else:
        X[:, 2] = 7.0
    train = train_from_features(X, Y)
    codes = make(cls, bits=24).fit(train).encode(items_from_features(generator.normal(size=(9, 6))))
    assert (len(codes), codes.bits) == (9, 24)
    assert np.isfinite(codes.relaxed).all()


@every
def test_one_class_learnt_in_batches_or_at_once_is_the_same(cls):
    X = np.random.default_rng(0).normal(size=(30, 6))
    hasher = make(cls, bits=8).fit(train_from_features(X, np.ones((30, 1))))
    single = np.concatenate([hasher.transform(row[None]) for row in X])
    np.testing.assert_array_equal(single, hasher.transform(X))


@every
def test_encoding_reads_no_labels(cls, digits):
    class Sealed(TrainItems):
        def __getattribute__(self, name):
            if name == "labels":
                raise AssertionError("labels were read while encoding")
            return super().__getattribute__(name)

    train = digits.train
    sealed = object.__new__(Sealed)
    for field in ("_source", "_rows", "_table", "backbone"):
        object.__setattr__(sealed, field, getattr(train, field))
    hasher = make(cls, bits=8).fit(train)
    assert len(hasher.encode(sealed.without_labels())) == 600


@pytest.mark.parametrize(
    "cls", [cls for cls in ALL if cls not in (SH, ClassCodes)], ids=lambda cls: cls.name
)
def test_a_zero_output_is_bit_zero_and_counted(cls, digits):
    hasher = make(cls, bits=8).fit(digits.train)
    hasher.projection_ = np.zeros_like(hasher.projection_)
    codes = hasher.encode(digits.query)
    assert not codes.packed.any()
    assert codes.zeros == 200 * 8


@supervised
def test_works_in_a_pipeline(cls, digits):
    y = digits.Y.argmax(axis=1)
    model = make_pipeline(
        MinMaxScaler(), make(cls, bits=24), KNeighborsClassifier(5, metric="hamming")
    ).fit(digits.X[:600], y[:600])
    assert model.score(digits.X[600:800], y[600:800]) > 0.75


@pytest.mark.parametrize("bits", [0, -3, 2.5, "16"])
def test_bits_that_are_no_length_are_refused(bits, digits):
    with pytest.raises(InputError, match="bits must be a whole number of at least 1"):
        ITQCCA(bits=bits).fit(digits.train)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"anchors": -5}, r"ksh\.anchors must be a whole number of at least 1, not -5"),
        ({"anchors": 2.5}, r"ksh\.anchors must be a whole number"),
        ({"width": 0.0}, r"ksh\.width must be a number above 0, not 0\.0"),
        ({"iterations": -3}, r"ksh\.iterations must be a whole number of at least 0, not -3"),
        ({"tolerance": float("nan")}, r"ksh\.tolerance must be a number of at least 0, not nan"),
    ],
)
def test_hyper_parameters_outside_their_bounds_are_refused_by_fit_and_by_the_runner(
    params, message, digits
):
    hasher = clone(KSH()).set_params(**params)  # scikit-learn sets before it fits
    with pytest.raises(InputError, match=message):
        hasher.fit(digits.train)
    with pytest.raises(InputError, match=message):
        build("ksh", KSH, 16, 0, params)


def test_class_ids_become_multi_hot():
    np.testing.assert_array_equal(multi_hot(np.array(["b", "a", "b"])), [[0, 1], [1, 0], [0, 1]])
    with pytest.raises(InputError, match="only 0 and 1"):
        multi_hot(np.array([[0, 2], [1, 0]]))
    with pytest.raises(InputError, match="only -1 and 1"):
        multi_hot(np.array([[0, -1], [1, 0]]))
    np.testing.assert_array_equal(multi_hot(np.array([[-1.0, 1], [1, 1]])), [[0, 1], [1, 1]])
    words = ["\u00e9 ", "e\u0301", "f"]  # one class, its accent in one and apart
    for given in (words, np.array(words, dtype=object), [word.encode() for word in words]):
        np.testing.assert_array_equal(multi_hot(given), [[0, 1], [0, 1], [1, 0]])
    for odd in ("0 1 0", "nan", "", "[1]"):
        with pytest.raises(InputError, match="no name of a class"):
            multi_hot(np.array(["cat", odd]))
