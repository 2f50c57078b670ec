"""Entries are strangers' files: whatever they hold is refused in a sentence, or verified."""

import hashlib
import io
import json
import lzma
import os
from pathlib import Path

import numpy as np
import pytest
from hostility import DEEP, fuzz, memory_below, mutated, replaced, sentence, within
from hypothesis import given
from hypothesis import strategies as st

from hashbench.bundles import entries, open_codes, read
from hashbench.bundles.splits import Splits
from hashbench.bundles.verify import Verifier
from hashbench.errors import InputError


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def refusal(folder):
    with pytest.raises(InputError) as caught, within(20):
        open_codes(read(folder))
    return sentence(caught.value, folder)


def test_a_bomb_is_not_unpacked(put, tmp_path):
    folder = put(tmp_path / "e")
    (folder / "database.npy.xz").write_bytes(lzma.compress(bytes(1 << 27), preset=0))
    with memory_below(64):
        assert "unpacks to more" in refusal(folder)


def test_counts_that_no_board_has_are_refused_before_anything_is_read(put, tmp_path):
    counts = {"query": 200, "database": 19_000_000}
    folder = put(tmp_path / "e", np.zeros((1797, 4096), np.uint8), bench={"counts": counts})
    assert "more than any board takes" in refusal(folder)


def test_a_link_is_not_followed(put, tmp_path):
    folder = put(tmp_path / "e")
    secret = tmp_path / "secret"
    (folder / "query.npy.xz").rename(secret)
    (folder / "query.npy.xz").symlink_to(secret)
    assert "no regular file" in refusal(folder)
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    assert "no folder of an entry" in refusal(tmp_path / "link")
    board = tmp_path / "board"
    board.mkdir()
    (board / "e").symlink_to(folder, target_is_directory=True)
    assert list(entries(board)) == []


def test_a_pipe_is_not_waited_for(put, tmp_path):
    folder = put(tmp_path / "e")
    (folder / "query.npy.xz").unlink()
    os.mkfifo(folder / "query.npy.xz")
    assert "no regular file" in refusal(folder)


def test_zeros_that_contradict_the_codes_are_refused(put, tmp_path):
    folder = put(tmp_path / "e")
    ones = np.full((200, 3), 255, np.uint8)
    (folder / "query_zeros.npy.xz").write_bytes(lzma.compress(npy(ones)))
    body = json.loads((folder / "entry.json").read_text())
    body["codes"]["query_zeros_sha256"] = hashlib.sha256(ones.tobytes()).hexdigest()
    (folder / "entry.json").write_text(json.dumps(body))
    assert "marks bits that are 1" in refusal(folder)


def test_what_is_no_part_of_an_entry_is_refused(put, tmp_path):
    folder = put(tmp_path / "e")
    (folder / "setup.py").write_text("raise SystemExit")
    assert "setup.py" in refusal(folder)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (lzma.compress(npy(np.zeros((200, 3), np.int8))), "int8"),
        (lzma.compress(npy(np.zeros((3, 200), np.uint8))), "says (200, 3)"),
        (lzma.compress(npy(np.full((200, 3), 255, np.uint8))), "the digest"),
        (lzma.compress(npy(np.zeros((200, 3), np.uint8))[:-1]), "does not hold the values"),
        (lzma.compress(npy(np.zeros((200, 3), np.uint8))) + b"more", "follows its end"),
        (lzma.compress(npy(np.zeros((200, 3), np.uint8)))[:-20], "cut off"),
        (lzma.compress(npy(np.array([{}], object))), "uint8"),
        (npy(np.zeros((200, 3), np.uint8)), "no whole .xz"),
        (b"", "cut off"),
    ],
)
def test_files_that_hold_no_codes_are_refused(put, tmp_path, content, says):
    folder = put(tmp_path / "e")
    (folder / "query.npy.xz").write_bytes(content)
    assert says in refusal(folder)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"null", DEEP, b'{"a":' * 100_000, b"\xff", b'{"schema": 1e999}']
)
def test_what_is_no_entry_is_refused(put, tmp_path, content):
    folder = put(tmp_path / "e")
    (folder / "entry.json").write_bytes(content)
    assert "entry.json" in refusal(folder)


def test_a_newer_schema_is_told(put, tmp_path):
    folder = put(tmp_path / "e")
    body = json.loads((folder / "entry.json").read_text())
    (folder / "entry.json").write_text(json.dumps({**body, "schema": 2}))
    assert "update hashbench" in refusal(folder)


def test_a_bench_cannot_name_a_place_of_the_machine(put, tmp_path):
    for number, name in enumerate(
        ("lists:../../etc", "lists:/etc", "images:/", "../cifar10", "a:b")
    ):
        folder = put(tmp_path / str(number), bench={"dataset": name})
        found = Verifier(Splits(Path("/nonexistent"))).verify(folder)
        assert found.unverified
        assert "/etc" not in found.unverified.replace(name, "")
    folder = put(tmp_path / "option", bench={"options": {"distractors": "/etc"}})
    assert "is not to be had" in Verifier(Splits(Path("/nonexistent"))).verify(folder).unverified


@fuzz(80)
@given(data=st.data())
def test_mutated_entries_are_refused_or_verified(put, tmp_path, data):
    folder = put(tmp_path / "e")
    name = data.draw(st.sampled_from(("entry.json", "query.npy.xz", "database.npy.xz", "values")))
    if name == "values":
        body = data.draw(replaced(json.loads((folder / "entry.json").read_text())))
        (folder / "entry.json").write_text(json.dumps(body), "utf-8", "surrogatepass")
    else:
        (folder / name).write_bytes(data.draw(mutated((folder / name).read_bytes())))
    with within(30):
        found = Verifier(Splits(Path("/nonexistent"))).verify(folder)
    for said in (*found.problems, *found.suspicions, found.unverified):
        if said:
            sentence(InputError(said), folder)
