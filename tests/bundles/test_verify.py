"""Entries are verified by drawing their split and scoring them again; whatever is false is told."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hashbench.bundles import open_codes, read, write
from hashbench.bundles.splits import Splits, write_split
from hashbench.bundles.verify import Verifier
from hashbench.codes import Codes
from hashbench.data import Split, open_dataset
from hashbench.data.named import NamedSource
from hashbench.items import Items, TrainItems

NOWHERE = Path("/nonexistent")


def verdict(folder, *others, **options):
    verifier = Verifier(Splits(NOWHERE, **options))
    return [verifier.verify(one) for one in (*others, folder)][-1]


def test_a_stranger_without_hashbench_writes_an_entry_that_verifies(put, tmp_path):
    found = verdict(put(tmp_path / "e"))
    assert (found.problems, found.suspicions, found.unverified) == ((), (), "")
    assert found.ok
    assert found.claims == 2
    assert not found.given


def test_a_strangers_cifar10_is_the_pinned_split(stranger):
    rng = np.random.default_rng(0)
    train, test = (rng.permutation(np.repeat(np.arange(10), n)) for n in (5000, 1000))
    order, ids, label, classes = stranger.cifar10(train, test)
    assert (np.concatenate([train, test])[order] == label).all()
    parts = stranger.draw(label, 1000, 5000)
    digest = stranger.split_digest(parts, ids, label, classes)
    assert digest == open_dataset("cifar10", NOWHERE).protocol().pins[0]
    assert digest == stranger.entry["bench"]["split_sha256"]


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        ({"house": {"empty@h2": 0.9}}, "empty@h2: claimed 0.9, recomputed 0."),
        ({"house": {"r@1000": 1.0}}, "r@1000: claimed 1, recomputed 0."),
        ({"house": {"p@1000": 0.99}}, "above the 0.1097 that the labels allow"),
        ({"house": {"map@h3": 0.5}}, "does not define the claimed map@h3"),
        ({"house": {"map@h2": None}}, "claimed undefined"),
        ({"mine": {"map@h2": 0.5}}, "unknown convention 'mine'"),
        ({"house(radius=99999999)": {"map": 0.5}}, "reaches further than any code"),
        ({f"house(cutoff={10**30},counting=hits)": {"map": 0.5}}, "reaches further than any code"),
        ({"deephash-rerank": {"map@5000": 0.5}}, "ranks by real-valued outputs"),
        ({"house(order=numpy)": {"map": 0.5}}, "as the machine at hand sorts them"),
        ({"house": {}}, "it claims no score"),
    ],
)
def test_a_claim_that_the_codes_do_not_bear_out_is_told(put, tmp_path, digits, scores, says):
    body = {**digits.entry, "scores": scores}
    folder = put(tmp_path / "e")
    entry = json.loads((folder / "entry.json").read_text())
    (folder / "entry.json").write_text(json.dumps({**entry, "scores": body["scores"]}))
    found = verdict(folder)
    assert not found.ok
    assert says in "; ".join(found.problems)


def test_other_codes_another_split_and_other_counts_are_told(put, tmp_path, digits):
    swapped = put(tmp_path / "swapped")
    other = put(tmp_path / "other", 1 - digits.bits)
    (swapped / "query.npy.xz").write_bytes((other / "query.npy.xz").read_bytes())
    assert "does not fit the digest" in verdict(swapped).problems[0]
    seed = put(tmp_path / "seed", bench={"split_seed": 1})
    assert "the split drawn here has the digest" in verdict(seed).problems[0]
    counts = put(
        tmp_path / "counts", bench={"counts": {"query": 200, "train": 9, "database": 1097}}
    )
    assert "says 9 train images" in verdict(counts).problems[0]


def test_without_labels_nothing_is_verified_and_the_boards_own_split_is_enough(put, tmp_path):
    folder = put(tmp_path / "e", bench={"dataset": "lists:theirs"})
    assert "lists:theirs" not in verdict(folder).problems
    assert not verdict(folder).ok
    assert verdict(folder).unverified
    path = write_split(tmp_path, open_dataset("digits").split())
    assert path.name.startswith(read(folder).evidence.split)
    found = verdict(folder, boards=[tmp_path])
    assert found.ok, found
    assert found.given
    path.write_bytes(path.read_bytes()[:-9])
    assert not verdict(folder, boards=[tmp_path]).ok


def test_a_file_of_a_split_stands_in_for_none_that_is_drawn_or_pinned(put, tmp_path):
    easy = split_of(np.eye(9, dtype=np.uint8)[np.arange(1600) % 9])
    write_split(tmp_path, easy)
    mine = {"split_sha256": easy.digest, "counts": easy.counts}
    for dataset, says in (("digits", "drawn here"), ("cifar10", "pinned"), ("coco", "pinned")):
        folder = put(tmp_path / dataset, bench={"dataset": dataset, "protocol": dataset, **mine})
        forged = Codes.from_bits(np.zeros((1400, 24), int))
        write(folder, read(folder), (forged.subset(np.arange(100)), forged))
        found = verdict(folder, boards=[tmp_path])
        assert says in found.problems[0]
        assert found.scores is None


def test_a_file_of_a_split_with_queries_in_the_database_is_told(put, tmp_path):
    split = open_dataset("digits").split()
    split = replace(split, query=split.database.subset(np.arange(200)))
    write_split(tmp_path, split)
    bench = {"dataset": "lists:theirs", "split_sha256": split.digest}
    found = verdict(put(tmp_path / "e", bench=bench), boards=[tmp_path])
    assert "200 queries are in the database" in found.problems[0]


def test_a_split_under_another_digest_is_refused(put, tmp_path):
    folder = put(tmp_path / "e", bench={"dataset": "lists:theirs"})
    path = write_split(tmp_path, open_dataset("digits").split(seed=1))
    path.rename(path.with_name(f"{read(folder).evidence.split}.json.xz"))
    assert "does not hold the split of its name" in verdict(folder, boards=[tmp_path]).unverified


def test_a_damaged_hasher_and_marks_beyond_the_last_bit_are_told(put, tmp_path, digits):
    folder = put(tmp_path / "e")
    bundle, codes = read(folder), open_codes(read(folder))
    write(folder, bundle, codes, b"a hasher")
    assert verdict(folder).ok
    (folder / "hasher.safetensors").write_bytes(b"b hasher")
    assert verdict(folder).problems == (
        "hasher.safetensors does not fit its digest: fetch it again",
    )
    odd = put(tmp_path / "odd", digits.bits[:, :20])
    zeros = [replace(side, at_zero=np.zeros_like(side.packed)) for side in open_codes(read(odd))]
    zeros[0].at_zero[3, 2] = 1 << 5
    write(odd, read(odd), tuple(zeros))
    assert "beyond the last of a code" in verdict(odd).problems[0]


def test_codes_of_another_method_are_found_with_bits_in_any_order_and_sign(put, tmp_path, digits):
    first = put(tmp_path / "first")
    order = np.random.default_rng(1).permutation(24)
    turned = digits.bits[:, order] ^ (np.arange(24) % 2).astype(np.uint8)
    copy = put(tmp_path / "copy", turned, method={"name": "mine"})
    assert verdict(copy).ok
    assert "codes are those of first" in verdict(copy, first).suspicions[0]
    turned[digits.parts["database"][[5, 9]]] ^= 1
    touched = put(tmp_path / "touched", turned, method={"name": "mine"})
    assert "sign of bits, and a few items" in verdict(touched, first).suspicions[0]
    seed = put(tmp_path / "seed", method={"name": "projections"}, training={"seed": 1})
    assert verdict(seed, first).ok  # a method need not depend on its seed
    taken = put(tmp_path / "taken", entry={"author": "Bob"}, training={"seed": 1})
    assert "codes are those of first" in verdict(taken, first).suspicions[0]


def label_bits(digits, flips, length=64):
    """Codes made of labels, with `flips` bits of each code wrong."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2, (10, length), dtype=np.uint8)
    bits = words[digits.label]
    for row in bits:
        row[rng.choice(length, flips, replace=False)] ^= 1
    return bits


def verdict_on_kept(folder):
    """The verdict on an entry whose only score is of no metric here, so that none is recomputed."""
    body = json.loads((folder / "entry.json").read_text())
    body["scores"] = {"house": {"kept": 1.0}}
    (folder / "entry.json").write_text(json.dumps(body))
    return verdict(folder)


@pytest.mark.parametrize(
    ("flips", "says"),
    [(0, "a function of the labels alone"), (3, "tell the labels without an error"), (47, None)],
)
def test_codes_made_of_labels_are_suspected(put, tmp_path, digits, flips, says):
    folder = put(tmp_path / "e", label_bits(digits, flips, 100))
    found = verdict_on_kept(folder)
    assert not found.problems
    if says is None:
        assert found.ok
    else:
        assert says in found.suspicions[0]


@pytest.mark.parametrize(
    ("side", "flips", "says"),
    [("database", 3, "without an error"), ("database", 30, None), ("query", 0, "function of")],
)
def test_one_side_made_of_labels_is_suspected_beside_an_honest_other(
    put, tmp_path, digits, side, flips, says
):
    bits = np.random.default_rng(0).integers(0, 2, (len(digits.label), 64), dtype=np.uint8)
    rows = digits.parts[side]
    bits[rows] = label_bits(digits, flips)[rows]
    if flips:
        bits[rows[0]] ^= 1  # one error in a thousand
    folder = put(tmp_path / "e", bits)
    found = verdict_on_kept(folder)
    assert not found.problems
    if says is None:
        assert found.ok
    else:
        assert says.replace("without an error", "with 1 errors") in found.suspicions[0]


def test_bits_that_are_labels_are_suspected_among_many_kinds_of_labels():
    from hashbench.bundles.suspicion import label_codes
    from hashbench.codes import Codes

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (1600, 9), dtype=np.uint8)  # some 500 kinds, three of each
    labels[:, 0] |= ~labels.any(axis=1)
    split = split_of(labels)
    honest = rng.integers(0, 2, (1600, 24), dtype=np.uint8)
    holding = honest.copy()
    holding[:, 5:8] = labels[:, 2:5]
    long = np.tile(holding, 6)
    says = " of its bits are functions of the labels"
    for bits, told in ((honest, ""), (holding, f"3{says}"), (long, f"18{says}")):
        codes = Codes.from_bits(bits[:100]), Codes.from_bits(bits[200:])
        assert label_codes(codes, split).startswith(told)
        assert bool(label_codes(codes, split)) == bool(told)


def split_of(labels):
    """100 queries, 100 training and 1,400 database images of no pixels."""
    source = NamedSource([str(row) for row in range(len(labels))])
    rows = np.arange(len(labels))
    return Split(
        train=TrainItems(source, rows[100:200], labels=labels[100:200]),
        query=Items(source, rows[:100]),
        database=Items(source, rows[200:]),
        query_labels=labels[:100],
        database_labels=labels[200:],
        classes=tuple("abcdefghi"),
    )


def test_codes_that_know_the_training_images_alone_are_not_suspected():
    from hashbench.bundles.suspicion import label_codes
    from hashbench.codes import Codes
    from hashbench.data.dataset import make_split
    from hashbench.data.protocols import Protocol

    images = open_dataset("digits").load(Protocol("x", 1, 1, True, ""))
    rows = np.arange(1797)
    labels = images.labels
    learnt = make_split(images, (rows[:300], rows[300:], rows[300:]))
    rng = np.random.default_rng(0)
    by_heart = Codes.from_bits(labels[300:]), Codes.from_bits(rng.integers(0, 2, (300, 10)))
    assert label_codes((by_heart[1], by_heart[0]), learnt) == ""
    unseen = make_split(images, (rows[:300], rows[:300], rows[300:]))
    assert "labels alone" in label_codes(
        (Codes.from_bits(labels[:300]), Codes.from_bits(labels[300:])), unseen
    )
