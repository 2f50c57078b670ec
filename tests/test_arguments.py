"""Arguments of the front door: taken for what they are, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hashbench
from hashbench import arguments
from hashbench.api import job
from hashbench.encoder.pictures import Pictures
from hashbench.errors import InputError


def asked(**given):
    return job(**{"methods": "lsh", "bits": 8, "datasets": "digits", **given})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"bits": b"8"}, "bits=b'8' is neither a name or a whole number nor a list"),
        ({"seeds": {1: 2}}, "seeds={1: 2} is neither"),
        ({"methods": int}, "methods=<class 'int'> is neither"),
        ({"train": np.zeros(2)}, "unknown training mode 'array"),
        ({"protocol": 3}, "protocol must be a text, got 3"),
        ({"backbone": ["pixels"]}, "backbone must be a text"),
        ({"head": np.zeros((2, 2))}, "head must be a text"),
        ({"device": 0}, "device must be a text"),
        ({"executor": ["local"]}, "executor must be a text"),
        ({"untuned": "no"}, "untuned must be True or False, got no"),
        ({"mirrored": 1}, "mirrored must be True or False, got 1"),
        ({"allow_overlap": "false"}, "allow_overlap must be True or False"),
        ({"workers": "two"}, "workers must be a whole number or None, got two"),
        ({"workers": 1.5}, "workers must be a whole number or None"),
        ({"workers": -1}, "workers must not be below 0"),
        ({"timeout": float("nan")}, "timeout must be a finite number"),
        ({"timeout": True}, "timeout must be a number"),
        ({"memory": [1]}, "memory must be a number"),
        ({"settings": 3}, "settings must be as"),
        ({"settings": [3]}, "a setting must be a text such as dch.gamma=10, got 3"),
        ({"settings": {"lsh.x": {1}}}, "a hyper-parameter must be a number"),
        ({"plugins": 3}, "plugins must be paths, got 3"),
        ({"plugins": [3]}, "each of plugins must be a path, got 3"),
        ({"plugins": "not-there.py"}, "not-there.py"),
        ({"results": 3}, "results must be a path, got 3"),
        ({"data_root": "a\0b"}, "is no path: it has a zero byte"),
        ({"distractors": "x" * 300}, "is no path: a name in it has 300 bytes, and 255 are"),
        ({"datasets": "x" * 300}, "is no path: a name in it has 300 bytes"),
        ({"params": b"file"}, "params must be a path"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(given, says: str) -> None:
    with pytest.raises(InputError) as caught:
        asked(**given)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_meant_is_taken() -> None:
    plain = asked(methods="itq-cca")
    given = asked(
        methods=["itq-cca"],
        bits=np.array([8]),
        seeds=np.int64(1),
        split_seed=np.int8(0),
        untuned=np.False_,
        settings=None,
        timeout=np.float32(5),
        workers=np.int64(0),
        plugins=None,
        device=None,
    )
    assert given.settings.device == "auto"
    assert [str(ask.cell) for ask in given.asks] == [str(ask.cell) for ask in plain.asks]
    assert arguments.paths("plugins", "mine.py") == (Path("mine.py"),)
    assert (given.limits.timeout, given.limits.workers) == (5.0, 0)
    one = asked(methods="itq-cca", settings="itq-cca.ridge=10")
    assert [ask.cell.params["ridge"] for ask in one.asks if ask.cell.method == "itq-cca"] == [10.0]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda r: r.table(3), "metric must be a text, got 3"),
        (lambda r: r.table(convention=3), "conventions are named by a text such as house, got 3"),
        (lambda r: r.table(methods=3), "methods must be names, got 3"),
        (lambda r: r.table(methods=[3]), "each of methods must be a text, got 3"),
        (lambda r: r.table(bits=["8"]), "code lengths must be whole numbers, got 8"),
        (lambda r: r.table(each_draw="no"), "each_draw must be True or False"),
        (lambda r: r.table(datasets=b"digits"), "datasets must be names"),
        (lambda r: r.compare(all_versions=1), "all_versions must be True or False"),
        (lambda r: r.plot(3), "unknown figure '3'"),
        (lambda r: r.hasher(np.zeros(3)), "no cell 'array([0., 0., 0.])'"),
    ],
)
def test_results_refuse_what_cannot_be_meant(results, call, says: str) -> None:
    with pytest.raises(InputError) as caught:
        call(results)
    assert says in str(caught.value)


def test_results_list_the_methods_that_are_typed_in_their_order(results) -> None:
    for methods in ("sign,lsh", ["sign", "lsh"], np.array(["sign", "lsh"])):
        (series,) = results.table(methods=methods, bits=np.array([8]))
        assert [row.method for row in series.rows] == ["sign", "lsh"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return hashbench.run("lsh,sign", 8, "digits", results=folder, workers=0, progress=False)


def test_tensors_that_are_no_arrays_are_no_pictures() -> None:
    import torch

    for tensor in (torch.rand(1, 8, 8, 3).to_sparse(), torch.empty(3, 8, 8, device="meta")):
        with pytest.raises(InputError, match="the tensor is no plain tensor"):
            Pictures.of(tensor)
    nested: list = []
    for _ in range(20):
        nested = [nested]
    with pytest.raises(InputError, match="list within list"):
        Pictures.of(nested)


def test_limits_of_libraries_are_numbers() -> None:
    assert arguments.limit("memory", np.int64(3)) == 3
    assert type(arguments.limit("memory", np.int64(3))) is int
