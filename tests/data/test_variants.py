"""Unseen classes, and the names and versions of protocols."""

from dataclasses import replace

import numpy as np
import pytest

from hashbench.data import open_dataset
from hashbench.data.protocols import Protocol
from hashbench.data.variants import VARIANTS, Variant
from hashbench.errors import InputError
from hashbench.items import ids_of
from hashbench.registries import datasets


def test_a_quarter_of_the_classes_is_never_trained_on():
    base = open_dataset("digits").split()
    split = open_dataset("digits").split("digits-unseen")
    (note,) = split.notes
    unseen = [int(name) for name in note.removeprefix("Unseen in training: ")[:-1].split(", ")]
    assert len(unseen) == 3
    seen = [label for label in range(10) if label not in unseen]
    assert len(split.train) == 350
    assert split.train.labels.shape == (350, 7)
    assert set(ids_of(split.train)) < set(ids_of(base.train))
    kept = dict(zip(ids_of(base.train), base.train.labels, strict=True))
    for name, label in zip(ids_of(split.train), split.train.labels, strict=True):
        assert kept[name].argmax() == seen[label.argmax()]
    assert ids_of(split.query) == ids_of(base.query)
    assert ids_of(split.database) == ids_of(base.database)
    assert split.digest != base.digest


def test_views_are_of_the_classes_their_names_say():
    split = open_dataset("digits").split("digits-unseen", seed=5)
    names = split.notes[0].removeprefix("Unseen in training: ")[:-1].split(", ")
    unseen = {split.classes.index(name) for name in names}
    kinds = {"unseen": unseen, "seen": set(range(10)) - unseen, "all": set(range(10))}
    assert list(split.views) == ["seen@seen", "seen@all", "unseen@unseen", "unseen@all"]
    for name, (query, database) in split.views.items():
        asked, among = name.split("@")
        assert set(split.query_labels[query].argmax(axis=1)) == kinds[asked]
        assert set(split.database_labels[database].argmax(axis=1)) == kinds[among]
    sizes = [len(split.views[name][0]) for name in ("seen@all", "unseen@all")]
    assert sizes == [140, 60]
    assert [len(split.views[name][1]) for name in ("seen@all", "unseen@all")] == [1097, 1097]


def test_the_seed_draws_the_classes():
    notes = {open_dataset("digits").split("digits-unseen", seed).notes for seed in range(6)}
    assert len(notes) > 1
    again = [open_dataset("digits").split("digits-unseen", 2).digest for _ in range(2)]
    assert again[0] == again[1]


def test_images_of_several_classes_have_no_unseen_ones(tmp_path):
    lines = {"query": "q.png 1 1 0\n", "train": "t.png 1 0 0\n", "database": "d.png 0 1 0\n"}
    for part, line in lines.items():
        (tmp_path / f"{part}.txt").write_text(line)
        (tmp_path / f"{part[0]}.png").write_text(part)
    with pytest.raises(InputError, match="images of one class each"):
        open_dataset(f"lists:{tmp_path}").split("lists-unseen")


def test_a_variant_of_a_wrong_name_is_answered_with_near_ones():
    with pytest.raises(InputError, match="did you mean digits-unseen"):
        open_dataset("digits").split("digits-unsen")


def test_a_changed_protocol_or_variant_has_another_id(monkeypatch):
    digits = datasets().get("digits")
    second = replace(digits.protocols["digits"], version=2)
    monkeypatch.setattr(digits, "protocols", {"digits": second})
    dataset = open_dataset("digits")
    assert dataset.protocol("digits").id == "digits.2"
    assert dataset.protocol("digits.2") == dataset.protocol("digits")
    assert dataset.protocol("digits-unseen").id == "digits.2-unseen"
    unseen = VARIANTS["unseen"]
    changed = {"unseen": Variant(unseen.apply, unseen.summary, version=3)}
    monkeypatch.setattr("hashbench.data.variants.VARIANTS", changed)
    assert dataset.protocol("digits-unseen").id == "digits.2-unseen.3"
    for name in ("digits.2-unseen.3", "digits-unseen.3", "digits-unseen"):
        assert dataset.protocol(name) == dataset.protocol("digits-unseen")


#: Queries, training images, database; how they are drawn. A built-in protocol that changes must
#: come with another version: then write here what the new id stands for.
KNOWN = {
    "cifar10": "1000 5000 54000 balanced d3c8e3db",
    "cifar10-1": "1000 5000 59000 train_in_database balanced 351097e4",
    "cifar10-2": "10000 None 50000 train_in_database balanced 22c8cede",
    "cifar100": "10000 10000 50000 train_in_database balanced 0628f641",
    "cifar100-2": "10000 None 50000 train_in_database balanced 8ca5bdf5",
    "coco": "5000 10000 117218 train_in_database 0b24f1d6",
    "digits": "200 500 1097 balanced",
    "imagenet100": "5000 13000 None train_in_database balanced",
    "imagenet100-10k": "5000 10000 None train_in_database balanced",
    "mirflickr25k": "1000 4000 20000 unlabelled 9ead8050",
    "nuswide21": "2100 10500 193734 train_in_database balanced",
    "nuswide81": "5000 10000 None train_in_database",
    "nuswide81-223k": "5000 10000 218496 train_in_database unlabelled",
    "voc2007": "4952 None 5011 train_in_database",
    "voc2007-easy": "4952 None 5011 train_in_database unlabelled",
    "voc2012": "1000 4000 6540 c6549477",
}


def told(protocol: Protocol) -> str:
    """Everything of a protocol that a split depends on."""
    words = [str(getattr(protocol, name)) for name in ("queries", "train", "database")]
    for name in ("train_in_database", "balanced", "unlabelled"):
        words += [name] * getattr(protocol, name)
    return " ".join([*words, *(pin[:8] for pin in protocol.pins.values())])


def test_built_in_protocols_are_what_their_ids_stand_for():
    found = {
        protocol.id: told(protocol)
        for cls in datasets().parts().values()
        for protocol in cls.protocols.values()
    }
    assert found == KNOWN


def test_positions_of_views_are_part_of_the_digest():
    split = open_dataset("digits").split("digits-unseen")
    (query, database) = split.views["seen@seen"]
    other = {**split.views, "seen@seen": (query[1:], database)}
    assert replace(split, views=other).digest != split.digest
    assert replace(split, views={}).digest != split.digest
    assert np.array_equal(replace(split, views=other).views["seen@seen"][0], query[1:])
