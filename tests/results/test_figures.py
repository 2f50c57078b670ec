from __future__ import annotations

import csv
import json
import math
import sys

import numpy as np
import pytest
from made_records import cell, key, record

from hashbench.codes import Codes
from hashbench.data import open_dataset
from hashbench.errors import InputError
from hashbench.items import ids_of
from hashbench.results import plots
from hashbench.results.names import METHODS
from hashbench.results.plots.request import Request, groups
from hashbench.results.record import Record
from hashbench.results.store import Store, split_arrays
from hashbench.results.tables import select

pytest.importorskip("matplotlib")
from hashbench.results.plots import style, topk

FROM_RECORDS = ("bits", "pr", "topn", "distances", "training", "probability")


def request(store: Store, **options) -> Request:
    return Request(select(store.records()), store, **options)


def rows(path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("kind", FROM_RECORDS)
@pytest.mark.parametrize("file_format", plots.FORMATS)
def test_the_same_records_give_the_same_bytes(store, tmp_path, kind, file_format) -> None:
    first = plots.draw(kind, request(store), tmp_path / "a", file_format)
    again = plots.draw(kind, request(store), tmp_path / "b", file_format)
    assert [path.name for path in first] == [path.name for path in again]
    assert {path.suffix for path in first} == {f".{file_format}", ".csv"}
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert len(one.read_bytes()) > 300


def test_bits_holds_the_records_means(store, tmp_path) -> None:
    _, table = plots.draw("bits", request(store), tmp_path, "png")
    found = next(
        r
        for r in rows(table)
        if (r["method"], r["bits"], r["metric"]) == ("hashnet", "16", "map@h2")
    )
    values = [
        r.scores["house"]["map@h2"]
        for r in store.records()
        if (r.cell["method"], r.cell["bits"]) == ("hashnet", 16)
    ]
    assert float(found["mean"]) == pytest.approx(np.mean(values), rel=1e-5)
    assert float(found["std"]) == pytest.approx(np.std(values, ddof=1), rel=1e-4)
    assert found["seeds"] == "2"


def test_curves_and_histograms_are_those_of_the_evaluator(store, tmp_path) -> None:
    _, table = plots.draw("pr", request(store, bits=(16,)), tmp_path, "png")
    mine = [r for r in rows(table) if r["method"] == "lsh"]
    assert len(mine) == 17  # radii 0 to 16
    assert float(mine[-1]["recall"]) == 1.0
    _, table = plots.draw("distances", request(store, bits=(16,)), tmp_path, "png")
    mine = [r for r in rows(table) if r["method"] == "dch"]
    for side in ("similar", "dissimilar"):
        assert sum(float(r[side]) for r in mine) == pytest.approx(1.0, abs=1e-4)
    near = sum(float(r["similar"]) for r in mine[:3])
    assert near > 10 * sum(float(r["dissimilar"]) for r in mine[:3])
    _, table = plots.draw("topn", request(store, bits=(16,)), tmp_path, "png")
    assert [float(r["n"]) for r in rows(table) if r["method"] == "dch"] == [
        1,
        2,
        5,
        10,
        20,
        50,
        100,
    ]


def test_training_shows_loss_and_validation_of_those_that_train(store, tmp_path) -> None:
    _, table = plots.draw("training", request(store, bits=(16,)), tmp_path, "png")
    found = rows(table)
    assert {r["method"] for r in found} == {"dch", "hashnet"}
    assert {r["measure"] for r in found} == {"loss", "validation map@h2"}
    with pytest.raises(InputError, match="hashbench run --methods dch"):
        plots.draw("training", request(store, methods=("lsh",)), tmp_path, "png")


def test_probability_is_the_papers_two_functions(tmp_path) -> None:
    _, table = plots.draw("probability", Request(bits=(32,)), tmp_path, "png")
    found = {(r["function"], float(r["distance"])): float(r["probability"]) for r in rows(table)}
    assert found["sigmoid", 16.0] == 0.5  # half the bits: inner product 0
    assert found["sigmoid", 2.0] > 0.99
    assert found["Cauchy, gamma = 2", 2.0] == 0.5
    assert found["Cauchy, gamma = 20", 2.0] == pytest.approx(20 / 22, rel=1e-5)


def test_each_method_has_its_own_look() -> None:
    looks = {(s["color"], s["marker"], s["linestyle"]) for s in map(style.line_style, METHODS)}
    assert len(looks) == len(METHODS)
    markers = {(s["marker"], s["linestyle"]) for s in map(style.line_style, METHODS)}
    assert len(markers) == len(METHODS)  # told apart without any colour
    assert style.line_style("a-plugin") == style.line_style("a-plugin")


def test_settings_of_one_data_set_get_files_of_their_own(fill) -> None:
    store = fill(
        record("dch", 16, 0.7),
        record("dch", 16, 0.8, backbone="alexnet"),
        record("dch", 16, 0.8, dataset="coco", protocol="coco"),
    )
    names = sorted(group.name for group in groups(request(store)))
    assert names == ["cifar10-alexnet", "cifar10-efficientnet-lite0", "coco"]


def test_what_is_missing_is_one_sentence(store, fill, tmp_path, monkeypatch) -> None:
    cases = [
        (request(store, methods=("ksh",)), "bits", "hashbench run --methods ksh"),
        (request(store, bits=(64,)), "bits", "hashbench run --bits 64"),
        (request(store, convention="deephash"), "topn", "--convention"),
        (request(store, convention="nowhere"), "bits", "--convention"),
    ]
    for wanted, kind, part in cases:
        with pytest.raises(InputError, match=part) as caught:
            plots.draw(kind, wanted, tmp_path, "png")
        assert "\n" not in str(caught.value)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--out"):
        plots.draw("bits", request(store), tmp_path / "file", "png")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install 'hashbench\[plots\]'"):
        plots.draw("bits", request(store), tmp_path, "png")


def test_an_unfinished_sweep_says_what_to_run(fill, capsys, tmp_path) -> None:
    from hashbench.commands.plot import command

    store = fill(record("dch", 16, None))
    with pytest.raises(InputError, match="hashbench run"):
        plots.draw("bits", request(store), tmp_path, "png")
    fill(record("dch", 32, 0.7), record("ksh", 32, 0.7))
    command.main(
        ["bits", "--results", str(store.root), "--out", str(tmp_path / "f"), "--format", "png"],
        standalone_mode=False,
    )
    said = capsys.readouterr()
    assert "--methods ksh --bits 16" in said.err
    assert "Wrote" in said.out


def test_tsne_is_seeded_and_separates_classes(store, tmp_path) -> None:
    pytest.importorskip("openTSNE")
    first = plots.draw("tsne", request(store, bits=(32,), points=60), tmp_path / "a", "png")
    again = plots.draw("tsne", request(store, bits=(32,), points=60), tmp_path / "b", "png")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    found = rows(first[1])
    assert {r["method"] for r in found} == {"dch", "hashnet"}
    points = [r for r in found if r["method"] == "dch"]
    assert len(points) == 60
    where = np.array([(float(r["x"]), float(r["y"])) for r in points])
    names = np.array([r["class"] for r in points])
    distance = np.linalg.norm(where[:, None] - where[None], axis=2)
    np.fill_diagonal(distance, math.inf)
    assert (names[distance.argmin(axis=1)] == names).mean() > 0.9


@pytest.fixture
def digits(tmp_path) -> Store:
    """Random codes on the real digits: strips with hits and misses."""
    split = open_dataset("digits", tmp_path).split("digits", 0)
    made = Store(tmp_path / "results", create=True)
    made.put_split(
        split.ids_sha256,
        lambda: split_arrays(
            split.query_labels,
            split.database_labels,
            ids_of(split.query),
            ids_of(split.database),
            split.classes,
        ),
    )
    rng = np.random.default_rng(0)
    for method in ("dch", "hashnet"):
        body = cell(method, 16, dataset="digits", protocol="digits", backbone="pixels")
        codes = [Codes.from_real(rng.standard_normal((n, 16))) for n in (200, len(split.database))]
        made.put(
            Record(
                key(body),
                body,
                "ok",
                scores={"house": {"map@h2": 0.1}},
                split={"sha256": split.ids_sha256, "counts": split.counts, "notes": []},
            ),
            (codes[0], codes[1]),
        )
    return made


def test_strips_rank_by_distance_and_judge_by_label(digits, tmp_path) -> None:
    picture, table = plots.draw(
        "topk", request(digits, queries=2, data_root=tmp_path), tmp_path / "a", "png"
    )
    again = plots.draw(
        "topk", request(digits, queries=2, data_root=tmp_path), tmp_path / "b", "png"
    )
    assert picture.read_bytes() == again[0].read_bytes()
    found = rows(table)
    assert len(found) == 2 * 2 * topk.TOP
    first = found[: topk.TOP]
    assert [int(r["distance"]) for r in first] == sorted(int(r["distance"]) for r in first)
    assert float(first[0]["p@10"]) == np.mean([r["relevant"] == "True" for r in first])
    assert "drawn at random, seed 0" in first[0]["rule"]
    _, table = plots.draw(
        "topk", request(digits, queries=1, worst=True, data_root=tmp_path), tmp_path, "png"
    )
    assert float(rows(table)[0]["p@10"]) == 0.0
    assert "lowest" in rows(table)[0]["rule"]


def test_other_images_than_the_records_are_refused(digits, tmp_path) -> None:
    path = next((digits.root / "records").glob("*.json"))
    body = json.loads(path.read_text())
    wrong = Record.from_json(path.read_bytes()).split | {"sha256": "0" * 64}
    for path in (digits.root / "records").glob("*.json"):
        body = json.loads(path.read_text())
        body["split"] = wrong
        path.write_text(json.dumps(body))
    sha = next((digits.root / "splits").glob("*.npz"))
    sha.rename(sha.with_name("0" * 64 + ".npz"))
    with pytest.raises(InputError, match="--data-root"):
        plots.draw("topk", request(digits, data_root=tmp_path), tmp_path, "png")


def test_nearest_breaks_ties_as_stored() -> None:
    bits = np.array([[0, 0, 0, 1], [1, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]])
    rows_found, distances = topk.nearest(
        Codes.from_bits(np.zeros((1, 4))), Codes.from_bits(bits), 4
    )
    assert rows_found.tolist() == [[3, 0, 2, 1]]
    assert distances.tolist() == [[0, 1, 1, 4]]
