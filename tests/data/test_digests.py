"""What a fingerprint and a split's digest are digests of, and that files are read once."""

import hashlib
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hashbench.data import digests, open_dataset
from hashbench.data.digests import UNREADABLE, content_digests
from hashbench.data.images import FileSource


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three settled files, and a cache of their own."""
    monkeypatch.setenv("HASHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(digests, "SETTLED", -(10**12))  # files of a test are young
    folder = tmp_path / "images"
    folder.mkdir()
    for name, content in zip("abc", (b"one", b"two", b"three"), strict=True):
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def reads(monkeypatch):
    """The paths that are opened to be read."""
    opened = []
    inner = digests.open_regular

    def spy(path):
        if isinstance(path, str):
            opened.append(Path(path).name)
        return inner(path)

    monkeypatch.setattr(digests, "open_regular", spy)
    return opened


def listed(folder, names="abc"):
    return [str(folder / name) for name in names]


def test_digests_are_the_files_own(folder):
    expected = [hashlib.sha256(content).hexdigest() for content in (b"one", b"two", b"three")]
    assert content_digests(listed(folder)) == expected


def test_a_file_is_read_once_and_again_when_it_changed(folder, reads):
    first = content_digests(listed(folder))
    assert sorted(reads) == ["a", "b", "c"]
    reads.clear()
    assert content_digests(listed(folder)) == first
    assert reads == []
    status = (folder / "b").stat()
    (folder / "b").write_bytes(b"TWO")
    os.utime(folder / "b", ns=(status.st_atime_ns, status.st_mtime_ns))  # as an archive does
    assert content_digests(listed(folder))[1] == hashlib.sha256(b"TWO").hexdigest()
    assert reads == ["b"]


def test_a_replaced_file_of_the_same_size_and_time_is_read_again(folder, reads):
    content_digests(listed(folder))
    reads.clear()
    status = (folder / "a").stat()
    (folder / "new").write_bytes(b"eno")
    (folder / "new").replace(folder / "a")
    os.utime(folder / "a", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert content_digests(listed(folder))[0] == hashlib.sha256(b"eno").hexdigest()
    assert reads == ["a"]


def test_files_that_may_still_change_unseen_are_not_remembered(folder, reads, monkeypatch):
    monkeypatch.setattr(digests, "SETTLED", 3600 * 10**9)
    content_digests(listed(folder))
    content_digests(listed(folder))
    assert sorted(reads) == ["a", "a", "b", "b", "c", "c"]


def test_half_a_line_and_rubbish_are_passed_over(folder, reads, tmp_path):
    expected = content_digests(listed(folder, "ab"))
    (memory,) = (tmp_path / "cache" / "digests").iterdir()
    whole = memory.read_bytes()
    memory.write_bytes(whole[:-3] + b"\xff\x00\x00")  # the last line was being written
    reads.clear()
    assert content_digests(listed(folder, "ab")) == expected
    assert len(reads) == 1
    reads.clear()
    assert content_digests(listed(folder, "ab")) == expected
    assert reads == []


def test_what_cannot_be_read_is_said_and_not_remembered(folder):
    os.mkfifo(folder / "pipe")
    (folder / "sub").mkdir()
    paths = [*listed(folder, ["pipe", "sub", "gone"]), "no\0name"]
    assert content_digests(paths) == [UNREADABLE] * 4


def test_an_unwritable_cache_costs_time_alone(folder, tmp_path):
    (tmp_path / "cache").write_text("a file")
    assert content_digests(listed(folder, "a")) == [hashlib.sha256(b"one").hexdigest()]


def test_links_are_known_by_what_they_lead_to(folder, reads):
    (folder / "link").symlink_to(folder / "a")
    assert len(set(content_digests(listed(folder, ["a", "link"])))) == 1
    (folder / "link").unlink()
    (folder / "link").symlink_to(folder / "b")
    assert content_digests(listed(folder, ["link"])) == [hashlib.sha256(b"two").hexdigest()]


def fingerprint(folder, names="abc"):
    return FileSource([folder / name for name in names], list(names)).fingerprint


def test_a_copy_elsewhere_has_the_same_fingerprint_and_an_edited_one_another(folder, tmp_path):
    there = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(folder, there)
    os.utime(there / "a", ns=(0, time.time_ns()))
    assert fingerprint(there) == fingerprint(folder)
    (there / "c").write_bytes(b"thre3")
    assert fingerprint(there) != fingerprint(folder)


def test_a_split_is_digested_with_its_labels_and_classes():
    split = open_dataset("digits").split()
    train = split.train
    flipped = split.database_labels.copy()
    flipped[[0, 1]] = 1 - flipped[[0, 1]]
    learnt = train.labels.copy()
    learnt[0] = 1 - learnt[0]
    others = [
        replace(split, database_labels=flipped),
        replace(split, query_labels=1 - split.query_labels),
        replace(split, train=train.with_labels(learnt)),
        replace(split, classes=(*split.classes[:-1], "ten")),
        replace(split, query=split.query.subset(np.arange(200)[::-1])),
    ]
    assert len({split.digest, *(other.digest for other in others)}) == 6
    assert [other.ids_sha256 == split.ids_sha256 for other in others] == [True] * 4 + [False]


def test_the_digest_of_a_split_is_what_it_was():
    """Records name it: another value for the same data would set them apart for ever."""
    ids, whole = (
        "837386bbf33c69bd2d5fdf41a1c03217a4f338f6c73c7d96f744bfc2c3e37016",
        "d0f444cd9d094302c5a4be5de35c9753f100df89d3c259eb439f3e1b8efac6ba",
    )
    split = open_dataset("digits").split()
    assert (split.ids_sha256, split.digest) == (ids, whole)
