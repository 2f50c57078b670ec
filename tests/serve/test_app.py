"""The page's answers: what it shows, what it refuses, and that it stays closed off."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("starlette")
pytest.importorskip("multipart")

from starlette.testclient import TestClient

from hashbench.errors import InputError
from hashbench.search import open_index
from hashbench.serve import shelves, uploads
from hashbench.serve.app import application

NAME = "red/02 <&>.png"


@pytest.fixture(scope="module")
def client(indexes: Path) -> TestClient:
    return TestClient(application(shelves.open_shelves(indexes)), base_url="http://127.0.0.1")


def png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def send(client: TestClient, data: bytes, name: str = "x.png", **fields: str):
    return client.post("/look", files={"picture": (name, data, "image/png")}, data=fields)


def test_the_gallery_shows_every_picture_once(client) -> None:
    first, second = client.get("/"), client.get("/?page=2")
    names = re.findall(r'alt="([^"]+)"', first.text + second.text)
    assert len(names) == len(set(names)) == 45
    assert "red/02 &lt;&amp;&gt;.png" in names
    assert "Page 1 of 2" in first.text
    assert client.get("/?page=99").text.count("Page 2 of 2") == 1


def test_a_look_shows_what_is_in_both_balls(client, indexes) -> None:
    page = client.get("/look", params={"query": NAME, "bits": "12", "radius": "2"})
    assert page.status_code == 200
    for method in ("itq-cca", "lsh"):
        index = open_index(indexes / f"{method}-12")
        codes = [index.engine.index.reconstruct(row) for row in range(45)]
        own = list(index.entries.ids).index(NAME)
        distance = [int(np.bitwise_count(code ^ codes[own]).sum()) for code in codes]
        inside = [row for row in range(45) if distance[row] <= 2 and row != own]
        right = sum(index.entries.ids[row].startswith("red") for row in inside)
        part = page.text.split(f"<h2>{method}, 12 bits</h2>")[1].split("</section>")[0]
        assert part.count("<li") == len(inside)
        assert part.count('class="relevant"') == right
        assert part.count('class="wrong"') == len(inside) - right
        if inside:
            assert f"{len(inside)} within radius 2, {right} of them relevant" in part
        else:
            assert "The ball is empty" in part
        assert "ooked up among 45 codes in" in part


def test_a_length_only_one_method_has_is_said(client) -> None:
    page = client.get("/look", params={"query": NAME, "bits": "24"})
    assert "There are no codes of itq-cca at 24 bits." in page.text
    assert "<h2>lsh, 24 bits</h2>" in page.text


def test_an_upload_is_searched_and_nothing_is_known_of_its_relevance(client, indexes) -> None:
    data = (indexes.parent / "photos" / NAME).read_bytes()
    before = {path: path.stat().st_mtime_ns for path in indexes.parent.rglob("*")}
    page = send(client, data, left="lsh", right="itq-cca", bits="12", radius="0")
    assert page.status_code == 200
    assert "Your picture" in page.text
    assert "red/02 &lt;&amp;&gt;.png" in page.text  # itself is in the index
    assert "relevant" not in page.text.split("<main")[1]
    assert {path: path.stat().st_mtime_ns for path in indexes.parent.rglob("*")} == before


def test_failures_are_the_worst_first(client, indexes) -> None:
    found = shelves.open_shelves(indexes)["lsh", 12].failures(2)
    kinds = [
        0 if item.found and not item.relevant else 1 if not item.found else 2 for item in found
    ]
    assert kinds == sorted(kinds)
    assert len({item.name for item in found}) == len(found) > 0
    page = client.get("/failures", params={"left": "lsh", "bits": "12"})
    first = found[0]
    text = "empty ball" if not first.found else f"{first.relevant} of {first.found} relevant"
    assert text in page.text
    assert f"{len(found)} queries" in page.text


def test_pictures_are_small_pngs(client) -> None:
    answer = client.get("/picture", params={"name": NAME})
    assert answer.headers["content-type"] == "image/png"
    assert max(Image.open(io.BytesIO(answer.content)).size) <= 160


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 100,000 pixels a side."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cannot be decoded"),
        (b"<svg onload=alert(1)>", "begins as none of"),
        (b"%!PS-Adobe", "begins as none of"),
        (png(np.zeros((40, 40, 3), np.uint8))[:60], "cannot be decoded"),
        (bomb(), "too large to decode"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * uploads.LARGEST, "larger than 16 MB"),
    ],
    ids=["nothing", "svg", "eps", "cut", "bomb", "huge"],
)
def test_hostile_pictures_get_one_sentence(client, data, words) -> None:
    answer = send(client, data)
    assert answer.status_code == 400
    assert words in answer.text
    assert "Traceback" not in answer.text


def test_an_upload_that_lies_about_its_length_is_cut(client) -> None:
    def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield b"\0" * 2**20

    kind = {"content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/look", content=endless(), headers=kind)
    assert answer.status_code == 400
    assert "larger than 16 MB" in answer.text


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("text/plain", b"x", "is no form"),
        ("multipart/form-data", b"x", "damaged"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", "no picture was sent"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: zzz\r\n\r\n", "damaged"),
    ],
)
def test_forms_that_are_none_get_one_sentence(client, kind, body, words) -> None:
    answer = client.post("/look", content=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert words in answer.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/look?query=../../etc/passwd", "not in this index"),
        ("/picture?name=/etc/passwd", "not in this index"),
        ("/look?query=%ff%00<script>", "not in this index"),
        ("/?left=<script>", "no such method"),
        ("/?bits=7", "no such code length"),
        ("/?radius=99999999999", "no such code length or radius"),
        ("/failures?left=itq-cca&bits=24", "no codes of 24 bits"),
    ],
)
def test_nonsense_is_one_sentence(client, path, words) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert words in answer.text
    assert "<script>" not in answer.text


def test_the_page_is_closed_off(client, indexes) -> None:
    for path in ("/", "/style.css", "/look?query=x", "/picture?name=x"):
        policy = client.get(path).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
    assert "<script" not in client.get("/").text
    assert not re.search(r"https?://", client.get("/").text + client.get("/style.css").text)
    stranger = TestClient(
        application(shelves.open_shelves(indexes)), base_url="http://evil.example"
    )
    assert stranger.get("/").status_code == 400


def test_a_folder_without_indexes_is_said(tmp_path, indexes) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="index"):
            shelves.open_shelves(folder)
    assert len(shelves.open_shelves(indexes / "lsh-12")) == 1
    (tmp_path / "a").symlink_to(indexes / "lsh-12")
    (tmp_path / "b").symlink_to(indexes / "lsh-12")
    with pytest.raises(InputError, match="both of lsh at 12 bits"):
        shelves.open_shelves(tmp_path)
