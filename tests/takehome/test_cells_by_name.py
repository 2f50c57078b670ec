"""Cells of a folder of results, by their names: loaded, encoded with, indexed, exported."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_network import tiny_backbone

import hashbench as package
from hashbench.backbones import catalogue
from hashbench.baselines.lsh import LSH
from hashbench.data import open_dataset
from hashbench.registries import methods
from hashbench.results.results import Results

BUILT_IN = [
    name for name in methods().parts() if methods().entry(name).origin == "hashbench"
]  # fmt: skip


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DCH and ITQ-CCA at 16 bits on digits; DCH at seed 1 in two versions."""
    folder = tmp_path_factory.mktemp("cells") / "results"
    options = {"results": folder, "workers": 0, "progress": False, "conventions": "house"}
    options["floors"] = False
    package.run("dch,itq-cca", 16, "digits", settings=["dch.epochs=3"], **options)
    for epochs in (1, 2):
        package.run("dch", 16, "digits", seeds="1,", settings=[f"dch.epochs={epochs}"], **options)
    return folder


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The queries and the database of digits as PNG files, in order."""
    base = tmp_path_factory.mktemp("digits")
    split = open_dataset("digits", base).split()
    for side, items in (("query", split.query), ("database", split.database)):
        (base / side).mkdir()
        for row in range(len(items)):
            Image.fromarray(items.image(row)).save(base / side / f"{row:04d}.png")
    return base


def stored(folder: Path, method: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The packed codes in the file of a cell, as it lies there."""
    (path,) = (
        folder / "codes" / f"{record.stem}.npz"
        for record in (folder / "records").iterdir()
        if (cell := json.loads(record.read_text())["cell"])["method"] == method
        and cell["seed"] == seed
    )
    arrays = np.load(path)
    return arrays["query_codes"], arrays["database_codes"]


@pytest.mark.parametrize("method", ["dch", "itq-cca"])
def test_a_cell_encodes_pictures_as_its_stored_codes_have_them(
    method, hashbench, results, digits
) -> None:
    encoder = package.load(results, f"{method}:16:0")
    query, database = stored(results, method)
    assert np.array_equal(encoder.encode(digits / "query").packed, query)
    args = ("--images", digits / "database", "--results", results)
    assert hashbench("encode", f"{method}:16:0", *args)[0] == 0
    assert np.array_equal(np.load("codes.npz")["codes"], database)


def test_a_cell_is_exported_and_gives_the_same_codes(hashbench, results, digits) -> None:
    code, out, _ = hashbench("export-model", "dch:16:0", "--format", "openvino", "--json",
                             "--images", digits / "query", "--results", results)  # fmt: skip
    assert code == 0
    checked = json.loads(out)["checked"]
    assert (checked["pictures"], checked["differing"]) == (200, 0)


def test_an_index_of_a_cell_is_of_its_own_database(hashbench, results, digits) -> None:
    code, out, err = hashbench("index", "itq-cca:16:0", "--results", results)
    assert (code, err) == (0, "")
    assert "1,097 codes of 16 bits" in out
    picture = digits / "query" / "0000.png"
    _, out, _ = hashbench("search", "index", "--image", picture, "--radius", 2, "--json")
    found = json.loads(out)["found"]
    query, database = stored(results, "itq-cca")
    distance = np.bitwise_count(query[0] ^ database).sum(axis=1)
    split = open_dataset("digits", Path()).split()
    ids = [split.database._source.ids[row] for row in split.database._rows]
    expected = {
        (ids[row], str(split.database_labels[row].argmax())) for row in np.flatnonzero(distance < 3)
    }
    assert len(expected) > 5
    assert {(item["path"], *item["labels"]) for item in found} == expected


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (("encode", "dch:16:7", "--images", "x.png"), "(near it: dch:16:1, 2 cells: "),
        (("encode", "dch:16:1", "--images", "x.png"), "is 2 cells"),
        (("index", "dch:16:1"), "params.epochs 2"),
        (("export-model", "dchh:16", "--format", "onnx"), "near it: dch:16:0"),
        (("encode", "lsh:16:0", "--images", "x.png"), "there are cells of dch, itq-cca"),
        (("index", "dch:16:0", "--labels", "folders"), "brings its own labels"),
        (("index", "."), "is no encoder"),
    ],
)
def test_names_that_mean_no_cell_or_several_are_one_sentence(
    verb, words, hashbench, results
) -> None:
    code, _, err = hashbench(*verb, "--results", results)
    assert (code, err.count("\n")) == (2, 1), err
    assert words in err


def test_a_picture_that_is_none_is_one_sentence(hashbench, results) -> None:
    Path("x.png").write_bytes(b"no picture")
    code, _, err = hashbench("encode", "dch:16:0", "--images", "x.png", "--results", results)
    assert code == 1
    assert err.splitlines()[0].startswith("hashbench: x.png cannot be decoded")
    assert err.splitlines()[1] == "hashbench: 1 of 1 picture could not be read"


def test_a_damaged_hasher_is_refused_by_its_digest(hashbench, results) -> None:
    shutil.copytree(results, "damaged")
    for path in Path("damaged/hashers").iterdir():
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    args = ("--images", "x.png", "--results", "damaged")
    code, _, err = hashbench("encode", "dch:16:0", *args)
    assert (code, err.count("\n")) == (2, 1)
    assert "is damaged or another one (sha256" in err


def test_a_backbone_that_became_another_is_told_before_any_code_is_made(monkeypatch) -> None:
    options = {"backbone": "tiny", "results": "r", "workers": 0, "progress": False}
    package.run("lsh", 16, "digits", floors=False, **options)
    picture = np.zeros((1, 8, 8, 3), np.uint8)
    assert len(package.load("r", "lsh:16:0").encode(picture)) == 1
    with monkeypatch.context() as older:
        older.setattr(LSH, "version", "0")
        with pytest.warns(UserWarning, match="trained by other code of lsh than is here"):
            package.load("r", "lsh:16:0")
    before = tiny_backbone()
    finer = replace(before.preprocessing, enlarged=64)
    for other in (
        replace(before, weights=lambda: "1" * 64),
        replace(before, preprocessing=finer),
    ):
        monkeypatch.setitem(catalogue.NETWORKS, "tiny", lambda other=other: other)
        with pytest.raises(package.InputError, match="other weights or preprocessing"):
            package.load("r", "lsh:16:0")


def test_a_hasher_that_was_not_kept_is_said(hashbench) -> None:
    package.run("lsh", 16, "digits", discard="hashers", results="bare", workers=0, progress=False)
    assert list(Path("bare/hashers").iterdir()) == []
    args = ("--images", "x.png", "--results", "bare")
    code, _, err = hashbench("encode", "lsh:16:0", *args)
    assert (code, err.count("\n")) == (2, 1)
    assert "without --discard hashers" in err


def same(folder: Path, names: list[str]) -> None:
    """Every cell's hasher, taken from the folder, gives the codes that lie beside it."""
    found = Results(folder)
    split = open_dataset("digits", folder).split()
    images = [
        np.stack([items.image(row) for row in range(len(items))])
        for items in (split.query, split.database.subset(range(100)))
    ]
    for record in found.records:
        encoder = found.hasher(record.key)
        codes = stored(folder, record.cell.method)
        for pictures, kept in zip(images, codes, strict=True):
            ours = encoder.encode(pictures).packed
            assert np.array_equal(ours, kept[: len(ours)]), record.cell.method
    assert sorted(record.cell.method for record in found.records) == sorted(names)


def test_every_method_gives_its_stored_codes_again(place) -> None:
    package.run(BUILT_IN, 8, "digits", settings=["epochs=1"], untuned=True, conventions="house",
                results="all", workers=0, progress=False)  # fmt: skip
    same(place / "all", BUILT_IN)


@pytest.mark.parametrize("mode", ["partial", "full"])
def test_training_from_pixels_gives_its_stored_codes_again(mode, place) -> None:
    names = ["dch", "csq", "dnnh"]
    settings = ["epochs=1", "side=32"]
    package.run(names, 8, "digits", train=mode, backbone="tiny", settings=settings, untuned=True,
                conventions="house", floors=False, results=mode, workers=0,
                progress=False)  # fmt: skip
    same(place / mode, names)


def test_the_method_of_the_readme_can_be_taken_home(hashbench, digits, place: Path) -> None:
    # It keeps no number of features, and digits are grey: a third of the pixels of colours.
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (text,) = re.findall(r'```python\n("""my_hash.py: .*?)```', readme, flags=re.DOTALL)
    (place / "my_hash.py").write_text(text)
    code, _, err = hashbench("check", "my_hash.py")
    assert (code, err) == (0, "")
    plugin = ("--plugin", "my_hash.py")
    words = ("--methods", "random-targets", "--datasets", "digits", "--bits", 16, "--no-floors")
    assert hashbench("run", *words, *plugin, "--workers", 0)[0] == 0
    cell = "random-targets:16:0"
    code, _, err = hashbench("encode", cell, "--images", digits / "query", *plugin)
    assert (code, err) == (0, "")
    query, database = stored(place / "hashbench-results", "random-targets")
    assert np.array_equal(np.load("codes.npz")["codes"], query)
    kept = ("--format", "folder", "--out", "kept")
    assert hashbench("export-model", cell, *kept, *plugin)[0] == 0
    code, _, err = hashbench("encode", "kept", "--images", digits / "database", *plugin)
    assert (code, err) == (0, "")
    assert np.array_equal(np.load("codes.npz")["codes"], database)


def test_what_a_method_raises_of_pictures_is_one_sentence(hashbench, digits, place: Path) -> None:
    text = (
        "from hashbench.baselines.lsh import LSH\n"
        "class Shy(LSH):\n"
        "    name = 'shy'\n"
        "    def encode(self, items):\n"
        "        if len(items) == 1:\n"
        "            return [1 / 0]\n"
        "        return super().encode(items)\n"
    )
    (place / "shy.py").write_text(text)
    words = ("--methods", "shy", "--datasets", "digits", "--bits", 16, "--no-floors")
    assert hashbench("run", *words, "--plugin", "shy.py", "--workers", 0)[0] == 0
    picture = ("--images", digits / "query" / "0000.png", "--plugin", "shy.py")
    code, _, err = hashbench("encode", "shy:16:0", *picture)
    assert (code, err.count("\n")) == (2, 1)
    assert "shy.py, line 6 fails: ZeroDivisionError" in err
