"""`hashbench score`: a stranger's file, a run, a cell."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from hashbench.codes import Codes
from hashbench.commands.score import command
from hashbench.errors import InputError
from hashbench.evaluation import Convention, score
from hashbench.evaluation.histograms import count
from hashbench.results.record import Record
from hashbench.results.store import Store
from hashbench.runner.cell import Cell

SPLIT = {"sha256": "f00d" * 16, "counts": {"query": 20, "train": 5, "database": 60}, "notes": []}
KEYS = ("aa00000000000000", "ab00000000000000", "bb00000000000000")


def run(*arguments):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    return [(rng.random((n, 4)) < 0.4).astype(np.uint8) for n in (20, 60)]


@pytest.fixture
def codes():
    rng = np.random.default_rng(1)
    return [Codes.from_real(rng.normal(size=(n, 9))) for n in (20, 60)]


@pytest.fixture
def stored(tmp_path, labels):
    """Three cells; real outputs are kept of the last one only."""
    store = Store(tmp_path / "run", create=True)
    arrays = {"query_labels": labels[0], "database_labels": labels[1]}
    store.put_split(SPLIT["sha256"], lambda: arrays)
    for number, key in enumerate(KEYS):
        rng = np.random.default_rng(number)
        pair = tuple(Codes.from_real(rng.normal(size=(n, 9))) for n in (20, 60))
        cell = Cell(
            dataset="digits",
            protocol="p",
            split_seed=0,
            backbone="pixels",
            tuning="none",
            method=("lsh", "dch")[number % 2],
            params={},
            bits=9,
            seed=number,
            code="1",
        ).to_dict()
        record = Record(key, cell, "ok", split=SPLIT)
        store.put(record, pair, keep_relaxed=number == 2)
    store.put(Record("ff00000000000000", cell, "failed", "no luck"))
    return store


def save(path, codes, labels, **more):
    np.savez(
        path,
        query_codes=codes[0].unpack(),
        database_codes=codes[1].unpack(),
        query_labels=labels[0],
        database_labels=labels[1],
        **more,
    )
    return path


def test_your_own_codes_side_by_side(tmp_path, codes, labels):
    path = save(tmp_path / "mine.npz", codes, labels)
    conventions = Convention.parse_list("house,deephash-pytorch")
    house, port = score(*codes, *labels, conventions)
    text = run("--codes", path, "--convention", "house,deephash-pytorch")
    assert "20 queries, 60 database items, 9 bits, 4 classes" in text
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()[1:]}
    assert rows["metric"] == ["house", "deephash-pytorch"]
    worst, best = port.bounds["map"]
    assert rows["map"] == [
        f"{house['map']:.4f}",
        *f"{port['map']:.4f} [{worst:.4f}, {best:.4f}]".split(),
    ]
    assert rows["map@h2"] == [f"{house['map@h2']:.4f}", "-"]
    body = json.loads(run("--codes", path, "--convention", "house,deephash-pytorch", "--json"))
    assert body["scores"]["house"] == house.to_dict()
    assert body["curves"]["house"] == house.curves
    assert body["bounds"] == {"house": {}, "deephash-pytorch": {"map": [worst, best]}}
    assert body["health"]["database"]["unique"] > 1


def test_your_own_codes_need_what_the_convention_needs(tmp_path, codes, labels):
    path = save(tmp_path / "mine.npz", codes, labels)
    with pytest.raises(InputError, match=r"deephash.*real-valued"):
        run("--codes", path, "--convention", "deephash")
    outputs = {"query_relaxed": codes[0].relaxed, "database_relaxed": codes[1].relaxed}
    path = save(tmp_path / "more.npz", codes, labels, **outputs)
    wanted = score(*codes, *labels, [Convention.parse("deephash")])[0]
    assert f"{wanted['map@h2']:.4f}" in run("--codes", path, "--convention", "deephash")


def test_every_scored_cell_of_a_run(stored, labels):
    text = run(stored.root, "--convention", "house,deephash")
    lines = text.splitlines()
    for key in KEYS:
        wanted = score(*stored.open_codes(stored.get(key)), *labels)[0]
        (line,) = (line for line in lines if key[:8] in line)
        assert f"{wanted['map@h2']:.4f}" in line
        assert f"{wanted['map']:.4f}" in line
        assert (line.split()[-1] == "-") == (key != KEYS[2])
    assert "ff000000" not in text


def test_conventions_no_cell_can_serve_are_named(stored):
    text = run("aa", "--results", stored.root, "--convention", "house,deephash")
    assert "- deephash needs real-valued outputs" in text


def test_a_cell_by_the_start_of_its_key(stored):
    body = json.loads(run("a", "--results", stored.root, "--json"))
    assert [item["key"] for item in body] == [KEYS[1], KEYS[0]]  # by method, as in tables
    assert all(0 <= item["scores"]["house"]["map@h2"] <= 1 for item in body)
    assert len(json.loads(run("--results", stored.root, "--json"))) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["zz"], "neither a folder"),
        (["aa", "--codes", "x.npz"], "not both"),
        (["--codes", "x.npz"], "no file x.npz"),
        (["aa", "--convention", "hous"], "did you mean house"),
    ],
)
def test_what_cannot_be_scored_is_refused(stored, arguments, words):
    with pytest.raises(InputError, match=words):
        run(*arguments, "--results", stored.root)


def test_the_ray_executor_counts_on_the_cluster(tmp_path, codes, labels, monkeypatch):
    from hashbench.evaluation import cluster

    called = []

    def spy(*arguments, **options):
        called.append(options)
        return count(*arguments, **options)

    monkeypatch.setattr(cluster, "count_on_ray", spy)
    path = save(tmp_path / "mine.npz", codes, labels)
    assert run("--codes", path, "--executor", "ray") == run("--codes", path)
    assert len(called) == 1


def test_one_metric_of_a_run(stored):
    text = run("a", "--results", stored.root, "--convention", "house,hashnet", "--metric", "r@h2")
    assert "r@h2" in text
    assert "map" not in text
    assert text.splitlines()[-1] == "- hashnet does not define r@h2"
    with pytest.raises(InputError, match="did you mean r@h2"):
        run("a", "--results", stored.root, "--metric", "r@h")
