"""`hashbench score`: a stranger's file, a run, a cell."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from hashbench.cell import Bench, Cell
from hashbench.codes import Codes
from hashbench.commands.score import command
from hashbench.errors import InputError
from hashbench.evaluation import Convention, score
from hashbench.evaluation.histograms import count
from hashbench.evidence import Evidence
from hashbench.store import Record, Store
from hashbench.store.arrays import digest_of

BENCH = Bench("digits", "p", 0, "pixels")
EVIDENCE = Evidence("f00d" * 16, "b" * 64)


def keys(store):
    """The keys of the cells with codes, by seed."""
    records = [record for record in store.records() if record.ok]
    return [record.key for record in sorted(records, key=lambda record: record.cell.seed)]


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
    store.put_split(EVIDENCE.split, lambda: arrays)
    for number in range(3):
        rng = np.random.default_rng(number)
        pair = tuple(Codes.from_real(rng.normal(size=(n, 9))) for n in (20, 60))
        cell = Cell(BENCH, ("lsh", "dch")[number % 2], {}, "none", 9, number, "1")
        record = Record(
            cell.key(EVIDENCE), cell, EVIDENCE, "ok",
            files={"split": digest_of(arrays)}, relaxed=True,
        )  # fmt: skip
        record = store.put(record, pair)
        if number == 2:
            store.put_relaxed(record, pair)
    failed = Cell(BENCH, "ksh", {}, "none", 9, 0, "1")
    store.put(Record(failed.key(EVIDENCE), failed, EVIDENCE, "failed", "no luck"))
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


def test_one_of_anything_is_said_as_one(tmp_path):
    one = (Codes.from_real(np.ones((1, 8))), Codes.from_real(np.ones((1, 8))))
    path = save(tmp_path / "one.npz", one, [np.ones((1, 1), np.uint8)] * 2)
    assert "1 query, 1 database item, 8 bits, 1 class" in run("--codes", path)


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
    found = keys(stored)
    for key in found:
        wanted = score(*stored.open_codes(stored.get(key)), *labels)[0]
        (line,) = (line for line in lines if key[:8] in line)
        assert f"{wanted['map@h2']:.4f}" in line
        assert f"{wanted['map']:.4f}" in line
        assert (line.split()[-1] == "-") == (key != found[2])
    assert "ksh" not in text.lower()  # it failed


def test_conventions_no_cell_can_serve_are_named(stored):
    text = run(keys(stored)[0][:8], "--results", stored.root, "--convention", "house,deephash")
    assert "- deephash needs real-valued outputs" in text


def test_a_cell_by_its_name_or_the_start_of_its_key(stored):
    first, second, third = keys(stored)
    cell = stored.get(second).cell
    for name in (second[:10], f"{cell.method}:{cell.bits}:{cell.seed}"):
        (item,) = json.loads(run(name, "--results", stored.root, "--json"))
        assert item["key"] == second
    body = json.loads(run("--results", stored.root, "--json"))
    assert [item["key"] for item in body] == [second, first, third]  # by method, as in tables
    assert all(0 <= item["scores"]["house"]["map@h2"] <= 1 for item in body)


def test_a_cell_that_failed_is_told_with_its_reason(stored):
    for words in (("ksh:9:0", "--results", stored.root), (stored.root, "--methods", "ksh")):
        with pytest.raises(InputError, match=r"the cell chosen in .* failed, ksh.*no luck"):
            run(*words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["zz"], "neither a folder"),
        (["dhc:1:0"], "METHOD:BITS:SEED"),
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
    text = run(stored.root, "--convention", "house,hashnet", "--metric", "r@h2")
    assert "r@h2" in text
    assert "map" not in text
    assert text.splitlines()[-1] == "- hashnet does not define r@h2"
    with pytest.raises(InputError, match="did you mean r@h2"):
        run(stored.root, "--metric", "r@h")


def test_a_run_may_be_chosen_from(stored):
    body = json.loads(run(stored.root, "--methods", "lsh", "--bits", "9", "--json"))
    assert [(item["cell"]["method"], item["cell"]["seed"]) for item in body] == [
        ("lsh", 0),
        ("lsh", 2),
    ]
    with pytest.raises(InputError, match="no result has 32 bits"):
        run(stored.root, "--bits", "32")
    with pytest.raises(InputError, match="choose cells of a run"):
        run("--codes", "mine.npz", "--bits", "32")
