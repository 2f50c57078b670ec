"""Fresh queries: never images that were trained on, and no chance for who knew the old ones."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from hashbench.baselines.itq_cca import ITQCCA
from hashbench.bundles import Bundle, Seen, open_codes, write
from hashbench.bundles.fresh import _splits, draw_fresh
from hashbench.cell import Bench, Cell
from hashbench.codes import Codes
from hashbench.data import open_dataset
from hashbench.data.digits import Digits
from hashbench.errors import InputError
from hashbench.evidence import Evidence
from hashbench.hasher import Hasher
from hashbench.items import ids_of
from hashbench.registries import methods
from hashbench.registry import Registered
from hashbench.saved import dump_hasher

BITS = 32


@dataclass(kw_only=True)
class Knowing(Hasher):
    """Gives images that it knows the code of their label, and others one at random."""

    name = "knowing"
    bits: int = BITS
    seed: int = 0

    def fit(self, train):
        return self

    def know(self, features, labels):
        self.known_ = features
        self.words_ = np.random.default_rng(0).integers(0, 2, (10, BITS))[labels.argmax(axis=1)]
        return self

    def encode(self, items):
        apart = (items.features()[:, None, :8] != self.known_[None, :, :8]).any(axis=2)
        rest = (items.features()[:, None] != self.known_[None]).any(axis=2)
        where = rest.argmin(axis=1)
        known = ~(apart | rest).all(axis=1)
        chance = np.random.default_rng(1).integers(0, 2, (len(items), BITS))
        return Codes.from_bits(np.where(known[:, None], self.words_[where], chance))


@pytest.fixture(scope="module")
def split():
    from hashbench.backbones import feature_table
    from hashbench.items import source_of

    found = open_dataset("digits").split()
    return found.with_features(lambda: feature_table(source_of(found.train), "pixels"), "pixels")


def entry(folder, split, hasher, seed=0):
    codes = hasher.encode(split.query), hasher.encode(split.database)
    bundle = Bundle(
        cell=Cell(Bench("digits", "digits", 0, "pixels"), hasher.name, {}, "none", BITS, seed, ""),
        evidence=Evidence(split.digest, ""),
        author="Ada",
        licence="MIT",
        seen=Seen(labels=True),
        pretrained_on="nothing",
        counts=split.counts,
        scores={"house": {"kept": 1.0}},
        digests={},
    )
    return write(folder, bundle, codes, dump_hasher(hasher))


def test_no_training_image_asks_and_all_others_may(split, tmp_path):
    bundle = entry(tmp_path / "e", split, ITQCCA(bits=BITS).fit(split.train))
    trained = set(ids_of(split.train))
    seen = set()
    for seed in range(3):
        _, fresh, known = _splits(bundle, None, seed)
        asked, searched = set(ids_of(fresh.query)), set(ids_of(fresh.database))
        assert len(asked) == 200
        assert not asked & trained
        assert not searched & (trained | asked)
        assert len(asked | searched | trained) == 1797
        assert known == len(asked & set(ids_of(split.query)))
        assert (fresh.query_labels.sum(axis=0) == 20).all()
        seen |= asked
    assert len(seen) > 400
    again = _splits(bundle, None, 2)[1]
    assert ids_of(again.query) == ids_of(fresh.query)


def test_an_honest_hasher_stands_and_one_that_knew_the_queries_falls(split, tmp_path, monkeypatch):
    honest = entry(tmp_path / "honest", split, ITQCCA(bits=BITS).fit(split.train))
    found = draw_fresh(honest, open_codes(honest), None, 7)
    assert found.fault == ""
    assert found.score > 0.3
    methods().add(Registered("knowing", "here", lambda: Knowing))
    items = (split.query, split.database)
    labels = np.concatenate([split.query_labels[:150], split.database_labels[:150]])
    features = np.concatenate([part.features()[:150] for part in items])
    knowing = entry(tmp_path / "knowing", split, Knowing().know(features, labels))
    found = draw_fresh(knowing, open_codes(knowing), None, 7)
    assert "no chance explains" in found.fault


def test_a_hasher_of_other_codes_is_told(split, tmp_path):
    codes = entry(tmp_path / "one", split, ITQCCA(bits=BITS, seed=1).fit(split.train))
    other = entry(tmp_path / "two", split, ITQCCA(bits=BITS, seed=2).fit(split.train))
    with pytest.raises(InputError, match="gives other codes of its own queries"):
        draw_fresh(other, open_codes(codes), None, 7)


def test_where_everything_was_trained_on_nothing_is_left_to_ask_with(split, tmp_path, monkeypatch):
    whole = replace(Digits.protocols["digits"], train=None, train_in_database=True, database=None)
    monkeypatch.setattr(Digits, "protocols", {"digits": whole})
    every = open_dataset("digits", Path("/nonexistent")).split()
    every = every.with_features(split.train._table, "pixels")
    bundle = entry(tmp_path / "e", every, ITQCCA(bits=BITS).fit(every.train))
    with pytest.raises(InputError, match="none is left to ask with"):
        draw_fresh(bundle, open_codes(bundle), None, 7)
