"""Image lists are exchanged between strangers: nothing in them is trusted."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hostility import (
    DEEP,
    corpus,
    fuzz,
    memory_below,
    mutated,
    mutated_json,
    plain,
    result_or_refusal,
    sentence,
    within,
)
from hypothesis import example, given
from hypothesis import strategies as st

from hashbench.data import listfile
from hashbench.data.listfile import read_list
from hashbench.data.lists import MARKER, ImageLists, imported
from hashbench.errors import InputError

LIST = "./images/häus/a 1.jpg 0 1 0\r\nb.jpg\t1 1 0 \n\nc/d.jpg  1 0  0\n".encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lists")


def read(file: Path, data: bytes):
    file.write_bytes(data)
    found = result_or_refusal(lambda: read_list(file), file)
    if found is not None:
        assert found.labels.shape[0] == len(found.paths) == len(set(found.paths)) > 0
        assert found.labels.shape[1] > 0
        assert set(np.unique(found.labels)) <= {0, 1}
        for path in found.paths:
            assert plain(path)
            assert ".." not in path.split("/")
            assert path.strip("/")
    return found


def test_the_list_that_is_mutated_is_a_list(folder) -> None:
    found = read(folder / "whole.txt", LIST)
    assert found.paths == ["images/häus/a 1.jpg", "b.jpg", "c/d.jpg"]
    assert found.labels.tolist() == [[0, 1, 0], [1, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize("path", corpus(__file__, "list"), ids=lambda path: path.name)
def test_what_once_broke_is_refused_with_a_sentence(path) -> None:
    with within(10), memory_below(200), pytest.raises(InputError) as refusal:
        read_list(path)
    sentence(refusal.value, path)


@fuzz(150)
@given(mutated(LIST))
def test_a_changed_list_is_read_or_refused(folder, data) -> None:
    read(folder / "list.txt", data)


@fuzz(100)
@given(mutated(gzip.compress(LIST, mtime=0)))
def test_a_changed_gzip_is_read_or_refused(folder, data) -> None:
    read(folder / "list.txt.gz", data)


@fuzz(100)
@given(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20),
    st.sampled_from(("utf-8", "utf-16", "utf-32", "utf-8-sig", "utf-7")),
    st.sampled_from(("\n", "\r\n", "\r")),
)
@example("٣.jpg ٣ 1", "utf-8", "\n")
@example("a 1e3 nan 1", "utf-8", "\n")
@example("a " + "9" * 5000, "utf-8", "\n")
def test_any_name_in_any_encoding_is_read_or_refused(folder, name, encoding, end) -> None:
    text = f"{name} 0 1{end}second.jpg 1 0{end}"
    found = read(folder / "list.txt", text.encode(encoding))
    if found is not None and encoding == "utf-8":
        assert len(found.paths) == 2  # never two lines taken for one


@pytest.mark.parametrize(
    "line", [b" " * 65_000 + b"x", b"a " + b"0 " * 32_000 + b"x", b"/a" * 32_000]
)
def test_a_long_line_does_not_take_longer_than_its_length(folder, line) -> None:
    with within(5):
        assert read(folder / "list.txt", b"a" + line + b"\n") is None


def test_a_line_of_a_million_characters_is_refused(folder) -> None:
    assert read(folder / "list.txt", b"a" * 10**6 + b" 0 1\n") is None


def test_a_gzip_bomb_is_refused_before_it_has_burst(folder, monkeypatch) -> None:
    monkeypatch.setattr(listfile, "LARGEST", 10**6)
    monkeypatch.setattr(listfile, "MOST", 10**5)
    for text in (b"\n" * 10**7, b"".join(b"%d 0 1\n" % row for row in range(10**6))):
        (folder / "bomb.txt.gz").write_bytes(gzip.compress(text))
        with memory_below(100), pytest.raises(InputError, match="no image list"):
            read_list(folder / "bomb.txt.gz")


def three_lists(folder: Path, data: bytes) -> ImageLists:
    folder.mkdir(exist_ok=True)
    for part in ("query", "train", "database"):
        (folder / f"{part}.txt").write_bytes(data)
    return ImageLists(folder.parent, folder)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"x" * 300 + b" 0 1\n", "longer than"),
        (b"a/" * 2000 + b" 0 1\n", "missing"),
        (b"deep/in/here.png 0 1\nother.png 0 1\n", "no more folders than the 2"),
        (b"one/here.png 0 1\ntwo/here.png 0 1\n", "two images"),
    ],
)
def test_paths_no_file_can_have_are_no_crash(tmp_path, data, reason) -> None:
    lists = three_lists(tmp_path / "lists", data)
    (tmp_path / "lists" / "here.png").touch()
    with within(5), pytest.raises(InputError, match=reason) as refusal:
        lists.split()
    sentence(refusal.value, tmp_path / "lists" / "query.txt", tmp_path / "lists")


@fuzz(60)
@given(mutated(b"hawk\nheron\n"))
def test_class_names_are_read_or_refused(folder, data) -> None:
    lists = three_lists(folder / "classes", b"a 0 1\n")
    path = folder / "classes" / "classes.txt"
    path.write_bytes(data)
    found = result_or_refusal(lambda: lists.load(lists.protocol()), path)
    if found is not None:
        assert all(map(plain, found.classes))


@fuzz(60)
@given(mutated_json({"images": "/somewhere"}))
@example(DEEP)
@example(b'{"images": "a\\u0000b"}')
@example(b'{"images": "a\\ud800b"}')
def test_a_changed_marker_is_read_or_refused(folder, data) -> None:
    three_lists(folder / "mine", b"a 0 1\n")
    marker = folder / "mine" / MARKER
    marker.write_bytes(data)
    found = result_or_refusal(lambda: imported("mine", folder), marker)
    if found is not None:
        assert isinstance(json.loads(data)["images"], str)
        found.load(found.protocol()).source.missing()
