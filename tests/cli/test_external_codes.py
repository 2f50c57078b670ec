"""`hashbench score --codes FILE --as NAME`: codes made elsewhere beside what was run here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hashbench.data import open_dataset
from hashbench.evaluation.labels import class_members


@pytest.fixture
def split():
    return open_dataset("digits").split(None, 0)


def codes_of(split, rng, bits: int = 16) -> dict[str, np.ndarray]:
    """One random code a class, a tenth of the bits flipped."""
    codewords = rng.integers(0, 2, (10, bits))
    found = {}
    for side, labels in (("query", split.query_labels), ("database", split.database_labels)):
        clean = codewords[labels.argmax(1)]
        found[f"{side}_codes"] = clean ^ (rng.random(clean.shape) < 0.1)
    return found


def test_they_stand_in_the_tables_marked_and_are_tested_with_the_others(
    hashbench, split, tmp_path
) -> None:
    ran = hashbench(
        "run", "--methods", "lsh,itq-cca", "--bits", "16", "--no-floors", "--workers", "0"
    )
    assert ran.code == 0
    codes = codes_of(split, np.random.default_rng(0))
    other_names = np.random.default_rng(1).permutation(10)  # classes in an order of their own
    ids = {
        "query_labels": other_names[split.query_labels.argmax(1)],
        "database_labels": other_names[split.database_labels.argmax(1)],
    }
    np.savez("mine.npz", **codes, **ids)
    done = hashbench("score", "--codes", "mine.npz", "--as", "mine", "--bench", "digits", "--json")
    assert done.code == 0, done.err
    assert "Kept as mine:16:0" in done.err
    (body,) = json.loads(done.out)
    assert body["cell"]["bench"]["backbone"] == "pixels"

    scored = hashbench("score", "--codes", "mine.npz", "--json")
    value = json.loads(scored.out)["scores"]["house"]["map@h2"]
    assert body["scores"]["house"]["map@h2"] == value
    columns = json.loads(hashbench("compare", "--json").out)["columns"]
    rows = {row["row"]: row["mean"] for column in columns for row in column["rows"]}
    assert rows["mine [external]"] == pytest.approx(value)
    assert set(rows) == {"mine [external]", "itq-cca", "lsh"}
    table = hashbench("export", "--format", "markdown")
    assert f"| mine \\[external\\] | {value:.3f}" in table.out.replace("**", "").replace("<u>", "")
    assert "made elsewhere (mine.npz)" in table.out
    # Nobody is told to run them, and another seed of theirs is no gap in the others' rows.
    np.savez("second.npz", **codes_of(split, np.random.default_rng(2)))
    more = hashbench(
        "score", "--codes", "second.npz", "--as", "mine", "--bench", "digits", "--seed", "1"
    )
    assert "the order of its items is not checked" in more.err
    table = hashbench("export", "--format", "markdown")
    assert "have not been run" not in table.out
    assert "is not checked" in table.out


def test_codes_of_other_items_are_refused(hashbench, split) -> None:
    codes = codes_of(split, np.random.default_rng(0))
    labels = {"query_labels": split.query_labels, "database_labels": split.database_labels}
    wrong = {
        "codes of 199 query items": codes | {"query_codes": codes["query_codes"][1:]},
        "of its 10 classes 0 have the same": codes | labels | {
            "database_labels": np.roll(split.database_labels, 1, axis=0)
        },
    }  # fmt: skip
    for sentence, arrays in wrong.items():
        np.savez("wrong.npz", **arrays)
        done = hashbench("score", "--codes", "wrong.npz", "--as", "x", "--bench", "digits")
        assert done.code == 2
        assert sentence in done.err
    np.savez("right.npz", **codes)
    ours = hashbench("score", "--codes", "right.npz", "--as", "dch", "--bench", "digits")
    assert (ours.code, "dch is a method" in ours.err) == (2, True)
    for arguments in (("--as", "x"), ("--bench", "digits")):
        assert hashbench("score", "--codes", "right.npz", *arguments).code == 2
    # The data set itself is enough: no result has to be there before.
    drawn = "digits,split-seed=1"
    assert hashbench("score", "--codes", "right.npz", "--as", "x", "--bench", drawn).code == 0


def test_labellings_are_equal_but_for_names_where_classes_have_the_same_items() -> None:
    rng = np.random.default_rng(0)
    query, database = (rng.integers(0, 2, (n, 5)) for n in (7, 20))
    order = rng.permutation(5)
    members = class_members(query, database)
    assert class_members(2 * query[:, order] - 1, 2 * database[:, order] - 1) == members
    database[3, 2] ^= 1
    changed = class_members(query, database)
    assert (changed & members).total() == members.total() - 1
    ids = rng.integers(0, 4, 7), rng.integers(0, 4, 20)
    hot = [np.eye(6, dtype=np.uint8)[part] for part in ids]  # two classes without an item
    assert class_members(*ids) == class_members(*hot)
