"""encode, index and search, as a user types them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest


def rows_in_order(trained) -> list[int]:
    """Rows of the pictures in the order of their files: blue, green, red."""
    return [row for colour in (2, 1, 0) for row in range(len(trained.images)) if row % 3 == colour]


def test_encode_writes_codes_and_their_names(hashbench, encoder, photos, trained) -> None:
    code, out, err = hashbench("encode", encoder, "--images", photos)
    assert (code, err) == (0, "")
    assert "20 pictures, 12 bits each: codes.npz" in out
    kept = np.load("codes.npz")
    assert np.array_equal(kept["codes"], trained.stored.packed[rows_in_order(trained)])
    assert int(kept["bits"]) == 12
    assert kept["ids"].tolist()[:2] == ["blue/02.png", "blue/05.png"]


def test_unreadable_pictures_are_named_counted_and_exit_1(hashbench, encoder, photos) -> None:
    (photos / "red" / "00.png").write_bytes(b"no picture")
    (photos / "red" / "x.jpg").write_bytes(b"")
    code, out, err = hashbench("encode", encoder, "--images", photos, "--json")
    assert code == 1
    body = json.loads(out)
    assert (body["encoded"], len(body["unreadable"])) == (19, 2)
    assert "00.png cannot be decoded" in err
    assert "2 of 21 pictures could not be read" in err
    code, out, err = hashbench("encode", encoder, "--images", photos / "red" / "x.jpg")
    assert code == 1
    assert "1 of 1 picture could not be read" in err
    assert err.count("\n") == 2


def test_a_list_may_name_them(hashbench, encoder, photos) -> None:
    Path("list.txt").write_text("photos/red/00.png\nphotos/red/03.png\n")
    code, out, _ = hashbench("encode", encoder, "--images", "list.txt", "--out", "a/b.npz")
    assert (code, out) == (0, "2 pictures, 12 bits each: a/b.npz\n")


def test_codes_of_another_hasher_are_not_indexed(hashbench, encoder, photos, trained) -> None:
    assert hashbench("encode", encoder, "--images", photos)[0] == 0
    assert hashbench("index", encoder, "--images", "codes.npz")[0] == 0
    other = trained("itq-cca").save(Path("other"))
    code, _, err = hashbench("index", other, "--images", "codes.npz", "--out", "no")
    assert code == 2
    assert "codes that other did not make" in err


@pytest.mark.parametrize("structure", ["flat", "hash", "multihash"])
def test_a_picture_of_the_index_finds_itself(structure, hashbench, encoder, photos) -> None:
    code, out, err = hashbench(
        "index", encoder, "--images", photos, "--structure", structure, "--labels", "folders"
    )
    assert (code, err) == (0, "")
    assert re.search(rf"20 codes of 12 bits \(faiss {structure}, .* MB", out)
    code, out, _ = hashbench("search", "index", "--image", photos / "green" / "04.png", "--json")
    found = json.loads(out)["found"]
    assert code == 0
    mine = next(item for item in found if item["path"] == str(photos / "green" / "04.png"))
    assert mine == {"path": str(photos / "green" / "04.png"), "distance": 0, "labels": ["green"]}
    assert [item["distance"] for item in found] == sorted(item["distance"] for item in found)


def test_search_prints_distances_paths_classes_and_the_time(hashbench, encoder, photos) -> None:
    hashbench("encode", encoder, "--images", photos)
    hashbench("index", encoder, "--images", "codes.npz", "--labels", "folders")
    code, out, _ = hashbench("search", "index", "--image", photos / "red" / "00.png", "--k", 4)
    *lines, last = out.splitlines()
    assert code == 0
    assert len(lines) == 4
    assert all(re.fullmatch(r" +\d+  /.*/photos/\w+/\d\d\.png  \w+", line) for line in lines)
    assert re.fullmatch(
        r"the 4 nearest among 20 codes, in \d+\.\d\d ms \(faiss, median of 5 .*\)", last
    )
    _, out, _ = hashbench("search", "index", "--image", photos / "red" / "00.png", "--most", 1)
    assert "more (--most)" in out


def test_an_empty_ball_is_said_plainly(hashbench, encoder, photos, trained) -> None:
    codes = trained.stored.packed
    far = np.full((3, 2), 0, np.uint8)
    far[:] = (~codes[0]) & np.array([0xFF, 0x0F], np.uint8)
    np.savez("far.npz", codes=far, bits=12, ids=np.array(["a", "b", "c"]))
    hashbench("index", encoder, "--images", "far.npz")
    _, out, _ = hashbench("search", "index", "--image", photos / "red" / "00.png", "--radius", 0)
    assert out.startswith("the ball is empty: nothing within radius 0 among 3 codes")


def test_lancedb_finds_what_faiss_finds(hashbench, encoder, photos) -> None:
    pytest.importorskip("lancedb")
    found = []
    for engine in ("faiss", "lancedb"):
        code, _, err = hashbench("index", encoder, "--images", photos, "--engine", engine)
        assert (code, err) == (0, "")
        _, out, _ = hashbench("search", "index", "--image", photos / "red" / "00.png", "--json")
        found.append(json.loads(out)["found"])
    assert found[0] == found[1] != []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("encode", "nothing", "--images", "photos"), "nothing is no encoder"),
        (("encode", "my-encoder", "--images", "nowhere"), "nowhere is missing"),
        (("encode", "my-encoder"), "--images"),
        (("index", "my-encoder", "--images", "no.npz"), "no.npz holds no codes"),
        (("index", "my-encoder", "--images", "bits.npz"), "codes of 8 bits"),
        (("index", "my-encoder", "--images", "photos/red", "--labels", "folders"), "in no folder"),
        (("index", "my-encoder", "--images", "photos", "--out", "photos"), "is no index"),
        (("search", "photos", "--image", "photos/red/00.png"), "photos is no index"),
        (("search", "photos", "--image", "photos/red"), "--image takes one picture"),
        (("search", "index", "--image", "none.png"), "none.png is missing"),
        (("search", "index", "--image", "bits.npz"), "cannot be decoded"),
        (("search", "index", "--image", "x", "--radius", 1, "--k", 1), "not both"),
        (("search", "index", "--image", "x", "--k", 0), "k"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(hashbench, encoder, photos, args, words) -> None:
    if args[:2] == ("search", "index"):
        hashbench("index", encoder, "--images", photos)
    np.savez("bits.npz", codes=np.zeros((2, 1), np.uint8), bits=8, ids=np.array(["a", "b"]))
    code, _, err = hashbench(*args)
    if args[-1] == "nowhere":
        assert code == 1  # a picture that is not there is one that cannot be read
    else:
        assert (code, err.count("\n")) == (2, 1), err
    assert words in err
