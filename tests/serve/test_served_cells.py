"""A folder of results on the page: stored codes, the data set's own images."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("starlette")
pytest.importorskip("multipart")

from click.testing import CliRunner
from starlette.testclient import TestClient

import hashbench
from hashbench.commands import serve
from hashbench.data import open_dataset
from hashbench.errors import InputError
from hashbench.items import ids_of
from hashbench.serve.app import application
from hashbench.serve.cells import cell_shelves
from hashbench.store import Store


@pytest.fixture(scope="module")
def client(results: Path) -> TestClient:
    shelves = cell_shelves(results, Store(results).records())
    return TestClient(application(shelves), base_url="http://127.0.0.1")


def codes_of(results: Path, method: str, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """The packed codes in a cell's file."""
    for path in (results / "records").iterdir():
        cell = json.loads(path.read_text())["cell"]
        if (cell["method"], cell["bits"]) == (method, bits):
            arrays = np.load(results / "codes" / f"{path.stem}.npz")
            return arrays["query_codes"], arrays["database_codes"]
    raise AssertionError(method)


def test_the_gallery_is_of_the_queries(client) -> None:
    page = client.get("/?page=9").text
    names = re.findall(r'alt="([^"]+)"', page)
    assert names == ids_of(open_dataset("digits", Path()).split().query)[192:]


def test_floors_are_named_last(results) -> None:
    shelves = cell_shelves(results, Store(results).records())
    assert {method for (method, _), shelf in shelves.items() if shelf.floor} == {"lsh"}
    for (method, _), shelf in shelves.items():
        shelf.floor = method == "itq-cca"
    page = TestClient(application(shelves), base_url="http://127.0.0.1").get("/").text
    assert page.index(">lsh</option>") < page.index(">itq-cca</option>")


def test_balls_are_of_stored_codes(client, results) -> None:
    split = open_dataset("digits", Path()).split()
    name = ids_of(split.query)[5]
    page = client.get("/look", params={"query": name, "bits": "12"}).text
    assert f"Labels: {split.query_labels[5].argmax()}" in page
    for method in ("itq-cca", "lsh"):
        query, database = codes_of(results, method, 12)
        inside = np.flatnonzero(np.bitwise_count(query[5] ^ database).sum(axis=1) <= 2)
        right = int((split.database_labels[inside] @ split.query_labels[5]).sum())
        part = page.split(f"<h2>{method}, 12 bits</h2>")[1].split("</section>")[0]
        assert f"{len(inside)} within radius 2, {right} of them relevant" in part
        assert "ooked up among 1,097 codes" in part


def test_an_image_of_the_database_is_a_query_that_does_not_find_itself(client, results) -> None:
    split = open_dataset("digits", Path()).split()
    name = ids_of(split.database)[7]
    page = client.get("/look", params={"query": name, "bits": "12", "radius": "0"}).text
    _, database = codes_of(results, "lsh", 12)
    same = int((database == database[7]).all(axis=1).sum()) - 1
    part = page.split("<h2>lsh, 12 bits</h2>")[1].split("</section>")[0]
    assert part.count("<li") == same
    answer = client.get("/picture", params={"name": name})
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(answer.content))), split.database.image(7)
    )


def test_an_upload_of_a_query_finds_what_the_query_finds(client) -> None:
    split = open_dataset("digits", Path()).split()
    stream = io.BytesIO()
    Image.fromarray(split.query.image(5)).save(stream, "PNG")
    fields = {"left": "lsh", "right": "itq-cca", "bits": "12"}
    sent = client.post("/look", files={"picture": ("x.png", stream.getvalue())}, data=fields)
    known = client.get("/look", params={"query": ids_of(split.query)[5], **fields})
    tiles = [re.findall(r'<li.*?alt="([^"]+)"', page.text, re.DOTALL) for page in (sent, known)]
    assert tiles[0] == tiles[1] != []


def test_failures_and_a_length_only_one_method_has(client) -> None:
    page = client.get("/failures", params={"left": "lsh", "bits": "24"})
    assert "Worst failures of lsh, 24 bits" in page.text
    assert "empty ball" in page.text
    name = ids_of(open_dataset("digits", Path()).split().query)[0]
    page = client.get("/look", params={"query": name, "bits": "24"})
    assert "There are no codes of itq-cca at 24 bits." in page.text


def test_cells_of_one_method_are_told_apart(results, tmp_path) -> None:
    shutil.copytree(results, tmp_path / "more")
    options = {"results": tmp_path / "more", "workers": 0, "progress": False}
    hashbench.run("lsh", 12, "digits", seeds="1,", **options)
    records = Store(tmp_path / "more").records()
    names = {name for name, _ in cell_shelves(tmp_path / "more", records)}
    assert names == {"itq-cca", "lsh seed 0", "lsh seed 1"}


def test_cells_on_several_benches_and_other_images_are_refused(results, tmp_path) -> None:
    shutil.copytree(results, tmp_path / "more")
    options = {"results": tmp_path / "more", "workers": 0, "progress": False}
    hashbench.run("lsh", 12, "digits", split_seed=1, **options)
    store = Store(tmp_path / "more")
    with pytest.raises(InputError, match=r"results on 2 benches .*--datasets, or with --cells"):
        cell_shelves(store.root, store.records())
    with pytest.raises(InputError, match="no codes"):
        cell_shelves(store.root, [])


def test_other_images_than_the_results_are_of_are_refused(results, monkeypatch) -> None:
    import sklearn.datasets

    digits = sklearn.datasets.load_digits()
    digits.images = digits.images[::-1].copy()
    monkeypatch.setattr(sklearn.datasets, "load_digits", lambda: digits)
    with pytest.raises(InputError, match="images of digits here are not those"):
        cell_shelves(results, Store(results).records())


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--cells", "dch:1:1"), "no cell 'dch:1:1'"),
        (("--datasets", "coco"), "coco"),
    ],
)
def test_what_is_not_there_to_be_served_is_said(args, words, results, indexes) -> None:
    found = CliRunner().invoke(serve.command, [str(results), *args])
    assert isinstance(found.exception, InputError)
    assert words in str(found.exception)
    found = CliRunner().invoke(serve.command, [str(indexes), *args])
    assert "choose among results" in str(found.exception)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_the_server_in_peace(results) -> None:
    command = [sys.executable, "-m", "hashbench", "serve", str(results), "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        address = process.stdout.readline().split()[0]
        with urllib.request.urlopen(address, timeout=60) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == ""
