"""Every engine, shard size and grouping counts the same pairs."""

import sys

import numpy as np
import pytest
import torch

from hashbench import runtime
from hashbench.codes import Codes
from hashbench.errors import InputError
from hashbench.evaluation import Convention, backends, histograms, score, words
from hashbench.evaluation.histograms import count

ENGINES = [
    "numba",
    "numpy",
    "torch",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
    ),
]


def world(bits, classes, queries=90, items=500, distinct=None, seed=0):
    rng = np.random.default_rng(seed)
    query = rng.integers(0, 2, (queries, bits))
    database = rng.integers(0, 2, (distinct or items, bits))
    query_labels = (rng.random((queries, classes)) < 2 / classes).astype(np.uint8)
    database_labels = (rng.random((distinct or items, classes)) < 2 / classes).astype(np.uint8)
    if distinct:
        copies = rng.integers(0, distinct, items)
        database, database_labels = database[copies], database_labels[copies]
    return Codes.from_bits(query), Codes.from_bits(database), query_labels, database_labels


def slow_count(query, database, query_labels, database_labels):
    total = np.zeros((len(query), query.bits + 1), int)
    relevant = np.zeros_like(total)
    for i, (code, label) in enumerate(zip(query.unpack(), query_labels, strict=True)):
        for other, other_label in zip(database.unpack(), database_labels, strict=True):
            distance = int((code != other).sum())
            total[i, distance] += 1
            relevant[i, distance] += bool((label & other_label).any())
    return total, relevant


def one_label(labels, rng, none=0.1):
    """Labels of the same shape with one class an item, and none for some."""
    alone = np.zeros_like(labels)
    rows = np.flatnonzero(rng.random(len(labels)) >= none)
    alone[rows, rng.integers(0, labels.shape[1], len(rows))] = 1
    return alone


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("reach", [None, 2])
@pytest.mark.parametrize("single", [False, True, "queries"])
@pytest.mark.parametrize(
    ("bits", "classes"),
    [(1, 1), (12, 10), (48, 80), (64, 64), (65, 129), (128, 10), (130, 1), (200, 300), (9, 136)],
)
def test_engines_count_every_pair(engine, reach, single, bits, classes):
    given = world(bits, classes, queries=9, items=170)
    rng = np.random.default_rng(1)
    if single:
        given = (*given[:2], one_label(given[2], rng), given[3])
    if single is True:
        given = (*given[:3], one_label(given[3], rng))
    # Some at home in the ball, however long the code.
    near = given[1].unpack()
    near[: len(given[0])] = given[0].unpack() ^ (rng.random((9, bits)) < 1 / bits)
    given = (given[0], Codes.from_bits(near), *given[2:])
    counted = count(*given, engine=engine, reach=reach)
    for found, wanted in zip((counted.total, counted.relevant), slow_count(*given), strict=True):
        if counted.near:
            wanted = np.c_[wanted[:, :3], wanted[:, 3:].sum(axis=1)]
        assert (found == wanted).all()


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int64])
@pytest.mark.parametrize("classes", [8, 70, 136])
def test_one_label_an_item_is_read_as_its_class(classes, dtype):
    ids = np.array([0, classes - 1, -1, 5, 5])
    hot = np.zeros((5, classes), dtype)
    hot[[0, 1, 3, 4], ids[[0, 1, 3, 4]]] = 1
    if dtype is not bool:
        hot[4] *= 7  # whatever is positive is a label
    found, single = words.item_columns(hot)
    assert single
    assert found[0, [0, 1, 3, 4]].tolist() == [0, classes - 1, 5, 5]
    assert found[0, 2] == words.NO_CLASS["item"]
    for other in (6, classes - 2):  # another label, near and far
        several = hot.copy()
        several[3, other] = 1
        found, single = words.item_columns(several)
        assert not single
        assert (found == words.label_words(several)).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("reach", [None, 2])
@pytest.mark.parametrize("distinct", [None, 30])
def test_class_ids_count_as_the_labels_they_stand_for(engine, reach, distinct):
    query, database, query_labels, database_labels = world(16, 200, distinct=distinct)
    ids = [np.argmax(labels, axis=1) - 3 for labels in (query_labels, database_labels)]
    hot = [np.eye(200, dtype=np.uint8)[side + 3] for side in ids]
    one = count(query, database, *ids, engine=engine, reach=reach, budget=50_000)
    other = count(query, database, *hot, engine=engine, reach=reach)
    assert other.relevant.any()
    assert (one.total == other.total).all()
    assert (one.relevant == other.relevant).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("distinct", [None, 20])
def test_equal_items_are_counted_as_often_as_they_occur(engine, distinct, monkeypatch):
    given = world(16, 5, distinct=distinct)
    grouped = count(*given, engine=engine)
    monkeypatch.setattr(backends, "numba_kernel", lambda: None)
    plain = count(*given, engine="numpy")
    assert (grouped.total == plain.total).all()
    assert (grouped.relevant == plain.relevant).all()


def test_grouping_happens_where_it_pays(monkeypatch):
    seen = []
    engine = backends.numba_engine

    def spy(query, items, out, near):
        seen.append((len(out), items.codes.shape[1], items.weights is not None))
        engine(query, items, out, near)

    monkeypatch.setattr(backends, "numba_engine", spy)
    query, database, query_labels, database_labels = world(16, 5, distinct=20)
    twice = Codes.concatenate([query, query]), np.concatenate([query_labels] * 2)
    count(twice[0], database, twice[1], database_labels, engine="numba")
    count(*world(64, 5), engine="numba")
    assert seen == [(90, 20, True), (90, 500, False)]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_near_count_keeps_the_ball_and_the_totals(engine):
    for distinct in (None, 20):
        given = world(16, 5, distinct=distinct)
        full, near = count(*given, engine=engine), count(*given, engine=engine, reach=6)
        assert near.total.shape == (90, 8)
        for part in ("total", "relevant"):
            a, b = getattr(full, part), getattr(near, part)
            assert (a[:, :7] == b[:, :7]).all()
            assert (a[:, 7:].sum(axis=1) == b[:, 7]).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_shards_add_up(engine):
    given = world(24, 7)
    assert len(list(histograms.shards(given[1], given[3], budget=20_000))) > 3
    whole, parts = count(*given, engine=engine), count(*given, engine=engine, budget=20_000)
    assert (whole.total == parts.total).all()
    assert (whole.relevant == parts.relevant).all()


def test_blocks_of_the_numpy_and_torch_engines_add_up(monkeypatch):
    given = world(24, 7)
    whole = count(*given, engine="numba")
    from hashbench.evaluation import torch_engine

    monkeypatch.setattr(backends, "BLOCK_BYTES", 24 * 1000)
    monkeypatch.setattr(torch_engine, "BLOCK_BYTES", 32 * 1000)
    for engine in ("numpy", "torch"):
        assert (count(*given, engine=engine).relevant == whole.relevant).all()


@pytest.mark.parametrize("single", [False, True])
def test_long_databases_cross_the_block_boundary_of_the_kernel(single):
    given = world(8, 3, queries=3, items=40_000)
    if single:
        rng = np.random.default_rng(0)
        given = (*given[:2], *(one_label(side, rng) for side in given[2:]))
    for reach in (None, 2):
        compiled = count(*given, engine="numba", reach=reach)
        plain = count(*given, engine="numpy", reach=reach)
        assert (compiled.total == plain.total).all()
        assert (compiled.relevant == plain.relevant).all()


def test_a_memory_mapped_database_is_scored_like_one_in_memory(tmp_path):
    query, database, query_labels, database_labels = world(24, 7)
    np.save(tmp_path / "codes.npy", database.packed)
    np.save(tmp_path / "labels.npy", database_labels)
    mapped = Codes(np.load(tmp_path / "codes.npy", mmap_mode="r"), 24)
    labels = np.load(tmp_path / "labels.npy", mmap_mode="r")
    wanted = score(query, database, query_labels, database_labels)[0]
    found = score(query, mapped, query_labels, labels, budget=20_000)[0]
    assert found.to_dict() == wanted.to_dict()


def test_the_number_of_threads_changes_nothing():
    given = world(24, 7)
    conventions = Convention.parse_list("house,deephash-all,hashnet")
    with runtime.use(runtime.Runtime(threads=1)):
        alone = score(*given, conventions)
    with runtime.use(runtime.Runtime(threads=3)):
        together = score(*given, conventions)
    for one, other in zip(alone, together, strict=True):
        assert one.to_dict() == other.to_dict()
        assert one.curves == other.curves


def test_without_numba_auto_falls_back_to_numpy(monkeypatch):
    monkeypatch.setattr(backends, "_cuda_device", lambda pairs: None)
    assert backends.choose("auto", 10**9)[0] == "numba"
    monkeypatch.setattr(backends, "numba_kernel", lambda: None)
    assert backends.choose("auto", 10)[0] == "numpy"
    with pytest.raises(InputError, match="needs numba"):
        backends.choose("numba", 10)


def test_auto_takes_the_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(backends, "_cuda_device", lambda pairs: "cuda:1")
    assert backends.choose("auto", 10**10)[0] == "cuda"
    assert backends.choose("auto", 10**8)[0] == "numba"  # over before a GPU has started
    monkeypatch.setattr(backends, "_cuda_device", lambda pairs: None)
    with pytest.raises(InputError, match="no CUDA device"):
        backends.choose("cuda", 10)


def test_the_compiler_is_not_loaded_for_little(monkeypatch):
    assert backends.numba_kernel() is not None
    assert backends.choose("auto", 10)[0] == "numba"  # it is there
    monkeypatch.delitem(sys.modules, "hashbench.evaluation.kernel")
    monkeypatch.setattr(backends, "_asked", {"pairs": 0})
    assert backends.choose("auto", 1_000_000)[0] == "numpy"
    assert backends.loaded_kernel() is None
    assert backends.choose("auto", 2_999_999)[0] == "numpy"
    assert backends.choose("auto", 1)[0] == "numba"  # many small jobs are a large one


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="did you mean numpy"):
        backends.choose("numpyy", 10)


def test_ball_conventions_without_curves_score_the_same():
    rng = np.random.default_rng(1)
    query = Codes.from_real(rng.normal(size=(70, 12)).round(1))
    database = Codes.from_real(rng.normal(size=(300, 12)).round(1))
    labels = [(rng.random((n, 4)) < 0.3).astype(np.uint8) for n in (70, 300)]
    conventions = Convention.parse_list(
        "house(scope=ball),deephash,deephash-all,deephash-all(sgn0=zero,radius=1)"
    )
    full = score(query, database, *labels, conventions)
    short = score(query, database, *labels, conventions, curves=False)
    for one, other in zip(full, short, strict=True):
        assert other.to_dict() == one.to_dict()
        assert other.curves == {}
        assert one.curves
