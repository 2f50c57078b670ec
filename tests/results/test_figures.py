from __future__ import annotations

import csv
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from made_records import MadeJudge, example, record

from hashbench.codes import Codes
from hashbench.data import open_dataset
from hashbench.errors import InputError
from hashbench.evidence import Evidence
from hashbench.items import ids_of
from hashbench.results import plots
from hashbench.results.choose import select
from hashbench.results.collect import collect
from hashbench.results.plots.request import FigureRequest
from hashbench.results.scored import StoredJudge
from hashbench.store import Store
from hashbench.store.arrays import digest_of
from hashbench.store.layout import split_arrays
from hashbench.store.scorefiles import put_lookup

pytest.importorskip("matplotlib")
from hashbench.results.plots import style, topk, tsne

FROM_RECORDS = ("bits", "pr", "topn", "distances", "training", "probability")


@pytest.fixture(autouse=True)
def _coarse(monkeypatch):
    """Nothing here depends on the dots an inch, and 300 take the longest to compress."""
    for name in ("figure.dpi", "savefig.dpi"):
        monkeypatch.setitem(style._RC, name, 80)


def request(store: Store, **options) -> FigureRequest:
    chosen = {name: options[name] for name in ("methods", "bits") if name in options}
    return FigureRequest(records=select(store.records(), **chosen), store=store, **options)


def rows(path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    ("kind", "file_format"),
    [*((kind, "png") for kind in FROM_RECORDS), ("pr", "pdf"), ("pr", "svg")],
)
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
    (series,) = collect(store.records(), StoredJudge(store))
    entry = next(series.entry(row, 16) for row in series.rows if row.method == "hashnet")
    assert float(found["mean"]) == pytest.approx(entry.mean, rel=1e-5)
    assert float(found["std"]) == pytest.approx(entry.std, rel=1e-4)
    assert (found["seeds"], found["origin"]) == ("2", "defaults")


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


def test_lookup_shows_recall_against_speed_of_what_was_measured(store, tmp_path) -> None:
    with pytest.raises(InputError, match="run --lookup"):
        plots.draw("lookup", request(store), tmp_path, "png")
    (first, *_) = select(store.records(), methods="dch", bits=(32,))
    measured = {"queries_per_s": 900.0, "recall": 1.0, "identical": True}
    points = [
        {"index": "flat", "recall": 1.0, "queries_per_s": 900.0},
        {"index": "lsh-2", "recall": 0.6, "queries_per_s": 5000.0},
        {"index": "lsh-1", "recall": 0.3, "queries_per_s": None},
    ]
    put_lookup(store, first, {"flat": measured, "points": points})
    _, table = plots.draw("lookup", request(store), tmp_path, "png")
    assert [(r["method"], r["index"], r["exact"], float(r["recall"])) for r in rows(table)] == [
        ("dch", "flat", "True", 1.0),
        ("dch", "lsh-2", "False", 0.6),
    ]


def test_probability_is_the_papers_two_functions(tmp_path) -> None:
    _, table = plots.draw("probability", FigureRequest(bits=(32,)), tmp_path, "png")
    found = {(r["function"], float(r["distance"])): float(r["probability"]) for r in rows(table)}
    assert found["sigmoid", 16.0] == 0.5  # half the bits: inner product 0
    assert found["sigmoid", 2.0] > 0.99
    assert found["Cauchy, gamma = 2", 2.0] == 0.5
    assert found["Cauchy, gamma = 20", 2.0] == pytest.approx(20 / 22, rel=1e-5)


def test_every_kind_carries_the_spread_over_seeds(store, tmp_path) -> None:
    for kind, columns in (
        ("bits", ["std"]),
        ("pr", ["precision_std", "recall_std"]),
        ("topn", ["precision_std"]),
        ("distances", ["similar_std", "dissimilar_std"]),
    ):
        _, table = plots.draw(kind, request(store), tmp_path / kind, "png")
        for column in columns:
            assert any(float(r[column] or 0.0) > 0 for r in rows(table)), (kind, column)
    # Seeds 0 and 1 have the same invented history: the numbers are there by seed.
    _, table = plots.draw("training", request(store), tmp_path, "png")
    assert {r["seed"] for r in rows(table)} == {"0", "1"}


def test_a_curve_is_the_mean_of_its_seeds(store, tmp_path) -> None:
    _, table = plots.draw("pr", request(store, methods=("dch",), bits=(16,)), tmp_path, "png")
    judge = StoredJudge(store)
    (series,) = collect(select(store.records(), methods="dch", bits="16"), judge)
    each = [judge.scores(r, series.convention).curves["p@h"] for r in series.records]
    mean = [(one + other) / 2 for one, other in zip(*each, strict=True)]
    assert [float(r["precision"]) for r in rows(table)] == pytest.approx(mean, abs=1e-5)


def test_no_two_rows_of_a_figure_look_alike(judge) -> None:
    records = [judge.add(f"m{number}", 16, 0.5) for number in range(41)]
    (series,) = collect(records, judge)
    styles = style.line_styles(series).values()
    looks = {(s["color"], s["marker"], s["linestyle"]) for s in styles}
    assert len(looks) == 41
    few = collect(records[:20], judge)[0]
    shapes = {(s["marker"], s["linestyle"]) for s in style.line_styles(few).values()}
    assert len(shapes) == 20  # told apart without any colour


def test_methods_stand_in_the_order_asked_for(store, tmp_path) -> None:
    for methods in (("lsh", "dch"), ("dch", "lsh")):
        wanted = request(store, methods=methods, bits=(16,))
        _, table = plots.draw("pr", wanted, tmp_path, "png")
        assert tuple(dict.fromkeys(r["method"] for r in rows(table))) == methods


def test_files_tell_protocols_conventions_and_settings_apart(judge) -> None:
    records = [
        judge.add("dch", 16, 0.7),
        judge.add("dch", 16, 0.8, backbone="alexnet"),
        judge.add("dch", 16, 0.8, dataset="coco", protocol="coco-2"),
    ]
    wanted = FigureRequest(records=records, judge=judge)
    assert sorted(wanted.name("pr", series, 16) for series in wanted.series) == [
        "pr-cifar10-alexnet-house-16",
        "pr-cifar10-efficientnet-lite0-house-16",
        "pr-coco-coco-2-house-16",
    ]
    other = replace(wanted, convention="house(radius=3)")
    assert {other.name("pr", s, 16) for s in other.series}.isdisjoint(
        wanted.name("pr", s, 16) for s in wanted.series
    )


@pytest.mark.parametrize("title", ["$\\frac{x$", "a $ b $ c", "_hidden", "\x1b[31m\n", "x" * 300])
def test_no_title_spoils_a_figure(judge, tmp_path, title) -> None:
    records = [
        judge.add("evil", bits, 0.5, part={"title": title, "kind": "deep"}) for bits in (16, 32)
    ]
    written = plots.draw("bits", FigureRequest(records=records, judge=judge), tmp_path, "svg")
    assert written[0].stat().st_size > 1000


def test_what_is_missing_is_one_sentence(store, tmp_path, monkeypatch) -> None:
    cases = [
        (lambda: request(store, methods=("ksh",)), "bits", "hashbench run --methods ksh"),
        (lambda: request(store, bits=(64,)), "bits", "hashbench run --bits 64"),
        (lambda: request(store, convention="deephash-pytorch"), "bits", "--convention"),
        (lambda: request(store, convention="nowhere"), "bits", "unknown convention"),
        (lambda: request(store), "histogram", "unknown figure"),
    ]
    for wanted, kind, part in cases:
        with pytest.raises(InputError, match=part) as caught:
            plots.draw(kind, wanted(), tmp_path, "png")
        assert "\n" not in str(caught.value)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--out"):
        plots.draw("bits", request(store), tmp_path / "file", "png")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install '\.\[plots\]'"):
        plots.draw("bits", request(store), tmp_path, "png")


def invoke(*arguments: object) -> None:
    from hashbench.commands.plot import command

    command.main([str(argument) for argument in arguments], standalone_mode=False)


def test_an_unfinished_sweep_says_what_to_run(store, capsys, tmp_path) -> None:
    first = next(r for r in store.records() if (r.cell.method, r.cell.bits) == ("lsh", 16))
    failed = replace(first, status="failed", reason="no luck", files={})
    store.put(failed)
    store.forget(next(r.key for r in store.records() if r.cell.method == "dch" and r.cell.seed))
    invoke(
        "bits", "--results", store.root, "--out", tmp_path / "f", "--format", "png", "--bits", 32
    )
    said = capsys.readouterr()
    assert "Wrote" in said.out
    invoke("bits", "--results", store.root, "--out", tmp_path / "g", "--format", "png")
    said = capsys.readouterr()
    assert "1 of 12 cells" in said.err
    assert "--methods dch" in said.err
    assert "--seeds 1," in said.err
    only = [record("dch", 16, status="failed", reason="no luck")]
    with pytest.raises(InputError, match="hashbench run"):
        plots.draw("bits", FigureRequest(records=only, judge=MadeJudge()), tmp_path, "png")


BROKEN = """
def fail(request):
    raise RuntimeError("no luck")


broken = Plot(name="broken", summary="fails", draw=fail)
"""


def test_a_figure_from_a_strangers_file(store, tmp_path, capsys) -> None:
    plugin = tmp_path / "trade.py"
    plugin.write_text(example("Plot") + BROKEN)
    assert len(example("Plot").splitlines()) <= 40
    common = ["--plugin", plugin, "--results", store.root, "--format", "png", "--out"]
    invoke("trade-off", *common, tmp_path / "f")
    assert (tmp_path / "f" / "trade-off-cifar10-house.png").stat().st_size > 1000
    numbers = rows(tmp_path / "f" / "trade-off-cifar10-house.csv")
    assert {r["method"] for r in numbers} == {"dch", "hashnet", "lsh"}
    capsys.readouterr()
    invoke("trade-off", *common, "-")
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "f" / "trade-off-cifar10-house.csv").read_text()
    invoke("--plugin", plugin, "--help")
    listed = capsys.readouterr().out
    assert "mAP against recall" in listed
    assert "t-SNE of database codes" in listed
    with pytest.raises(InputError, match=r"'broken' of .*trade\.py failed.*no luck"):
        invoke("broken", *common, tmp_path)


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
    arrays = split_arrays(
        {"query": split.query_labels, "database": split.database_labels},
        {"query": ids_of(split.query), "database": ids_of(split.database)},
        split.classes,
    )
    evidence = Evidence(split="d161" * 16, images="d161" * 16)
    made.put_split(evidence.split, lambda: arrays)
    rng = np.random.default_rng(0)
    for method in ("dch", "hashnet"):
        codes = [Codes.from_real(rng.standard_normal((n, 16))) for n in (200, len(split.database))]
        made.put(
            record(
                method,
                16,
                evidence=evidence,
                dataset="digits",
                backbone="pixels",
                files={"split": digest_of(arrays)},
                split={"counts": split.counts, "notes": [], "ids_sha256": split.ids_sha256},
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
    for found in digits.records():
        split = {**found.split, "ids_sha256": "0" * 64}
        digits.put(replace(found, split=split), digits.open_codes(found))
    with pytest.raises(InputError, match="--data-root"):
        plots.draw("topk", request(digits, data_root=tmp_path), tmp_path, "png")


def test_nearest_breaks_ties_as_stored() -> None:
    bits = np.array([[0, 0, 0, 1], [1, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]])
    rows_found, distances = topk.nearest(
        Codes.from_bits(np.zeros((1, 4))), Codes.from_bits(bits), 4
    )
    assert rows_found.tolist() == [[3, 0, 2, 1]]
    assert distances.tolist() == [[0, 1, 1, 4]]


@pytest.mark.parametrize("count", [1, 3, 8])
def test_a_legend_is_never_cut_off_at_the_side(count) -> None:
    figure = style.new_figure(style.PAGE, 2.2)
    axes = figure.subplots()
    for at in range(count):
        axes.plot([0, 1], [0, at], label=f"a method of a long name, variant {at} [defaults]")
    style.legend_below(figure, axes, 7)
    figure.canvas.draw()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert len(legend.get_texts()) == count


@pytest.mark.parametrize(
    ("there", "shown"),
    [
        (("lsh", "itq-cca", "ksh"), ["itq-cca", "ksh"]),
        (("lsh", "ksh"), ["ksh", "lsh"]),
        (("lsh", "ksh", "dch"), ["dch", "ksh"]),
        (("ksh", "hashnet", "dch"), ["dch", "hashnet"]),
    ],
)
def test_strips_show_methods_before_floors(store, there, shown) -> None:
    judge = MadeJudge()
    records = [judge.add(name, 16, 0.5) for name in there]
    (series,) = collect(records, judge)
    asked = FigureRequest(records=records, store=store)
    assert [row.method for row in tsne.pair(asked, series, 16)] == shown
