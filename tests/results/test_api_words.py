"""What the Python front door says to arguments that cannot be used."""

from __future__ import annotations

import numpy as np
import pytest

import hashbench


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return hashbench.run(
        "lsh", 7, "digits", results=folder, workers=0, progress=False, floors=False
    )


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda r: r.table("mapp"), "unknown metric of convention 'house' 'mapp'"),
        (lambda r: r.hasher(None), "no cell 'None' in"),
        (lambda r: hashbench.load(r.folder), "name a cell, as in load("),
        (lambda r: hashbench.open_results(r.folder / "none"), "no results in"),
        (lambda r: hashbench.run(None), "methods=None is neither a name"),
        (lambda r: hashbench.run("lsh", 3.5), "bits=3.5 is neither a name"),
        (lambda r: hashbench.run("lsh", 8, []), "there is no data set to run"),
        (lambda r: hashbench.run("lsh", 8, split_seed=True), "split_seed=True is neither a name"),
        (lambda r: hashbench.run("lsh", 8, split_seed=2**31), "--split-seed is out of range"),
        (lambda r: hashbench.run("lsh", 8, seed=3), "unknown argument of run 'seed': did you mean"),
        (lambda r: hashbench.run("lsh", 8, plugins="no.py"), "no plugin file no.py"),
        (lambda r: hashbench.open_results(r.folder, plugins="no.py"), "no plugin file no.py"),
        (
            lambda r: hashbench.run("lsh", 8, settings="lsh.x=1"),
            "unknown hyper-parameter of lsh 'x'",
        ),
        (lambda r: hashbench.run("lsh", 8, workers=-1), "workers must not be below 0, got -1"),
        (lambda r: hashbench.run("lsh", 8, timeout=-2), "timeout must not be below 0, got -2"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(results, ask, said) -> None:
    with pytest.raises(hashbench.InputError) as caught:
        ask(results)
    assert said in str(caught.value)


def test_codes_of_a_hasher_are_scored_as_they_are(results) -> None:
    images = np.random.default_rng(0).integers(0, 255, (12, 8, 8, 3), np.uint8)
    codes = results.hasher("lsh:7:0").encode(images)
    query, database = codes.subset(np.arange(4)), codes.subset(np.arange(4, 12))
    labels = np.arange(12) % 3
    given = hashbench.evaluate(query, database, labels[:4], labels[4:])
    plain = hashbench.evaluate(query.unpack(), database.unpack(), labels[:4], labels[4:])
    assert given.to_dict() == plain.to_dict()
    outputs = hashbench.evaluate(query, database, labels[:4], labels[4:], "deephash")
    assert 0 <= outputs["r@h2"] <= 1
    with pytest.raises(KeyError, match="no mapp under house; there are"):
        given["mapp"]


def test_outputs_that_are_no_real_numbers_make_no_codes() -> None:
    for outputs in (np.array([[1j]]), [["a"]]):
        with pytest.raises(ValueError, match="must be real numbers"):
            hashbench.Codes.from_real(outputs)
