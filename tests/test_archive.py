"""Small .npz files are read at once: what comes out is what zipfile and numpy make of them."""

from __future__ import annotations

import io
import random
import zipfile

import numpy as np
import pytest

from hashbench.archive import stored_members
from hashbench.npy import read_arrays

ARRAYS = {
    "body": np.frombuffer(b'{"key": 1}', np.uint8),
    "codes": np.arange(24, dtype=">u2").reshape(4, 6),
    "bits": np.array(16),
    "names": np.array(["a", "long name"]),
}


def saved(**arrays) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def by_numpy(data: bytes) -> dict[str, np.ndarray] | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {
                item.filename.removesuffix(".npy"): np.lib.format.read_array(archive.open(item))
                for item in archive.infolist()
                if item.filename.endswith(".npy")
            }
    except Exception:
        return None


def read(path, data: bytes) -> dict[str, np.ndarray] | None:
    path.write_bytes(data)
    try:
        return read_arrays(path)
    except (OSError, ValueError):
        return None


def same(found, expected) -> bool:
    return found.keys() == expected.keys() and all(
        (found[name].dtype, found[name].shape, found[name].tobytes())
        == (array.dtype, array.shape, array.tobytes())
        for name, array in expected.items()
    )


def test_what_numpy_wrote_is_read_at_once_and_can_be_written_to(tmp_path) -> None:
    data = saved(**ARRAYS)
    assert {*stored_members(data)} == {f"{name}.npy" for name in ARRAYS}
    found = read(tmp_path / "a.npz", data)
    assert same(found, ARRAYS)
    assert all(array.flags.writeable for array in found.values())


def test_eight_hundred_changed_bytes_are_refused_or_read_as_numpy_reads_them(tmp_path) -> None:
    whole, dice = saved(**ARRAYS), random.Random(0)
    refused = 0
    for _ in range(800):
        data = bytearray(whole)
        data[dice.randrange(len(data))] = dice.randrange(256)
        found, expected = read(tmp_path / "a.npz", bytes(data)), by_numpy(bytes(data))
        refused += found is None
        if found is not None:
            assert expected is not None
            assert same(found, expected)
    assert refused > 300


def _compressed() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **ARRAYS)
    return stream.getvalue()


def _with_comment() -> bytes:
    stream = io.BytesIO(saved(**ARRAYS))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.comment = b"of somebody"
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        _compressed(),
        _with_comment(),
        b"before" + saved(**ARRAYS),
        saved(columns=np.asfortranarray(np.arange(6).reshape(2, 3))),
        saved(nothing=np.zeros((0, 3))),
        saved(long=np.zeros(200_000)),
    ],
    ids=["compressed", "comment", "prefix", "by columns", "empty", "long"],
)
def test_other_archives_are_read_as_numpy_reads_them(tmp_path, data) -> None:
    assert same(read(tmp_path / "a.npz", data), by_numpy(data))


def test_members_of_one_name_or_inside_each_other_are_left_to_zipfile() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.npy", b"one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", b"two")
    assert stored_members(stream.getvalue()) is None
    data = bytearray(saved(a=np.zeros(100), b=np.ones(100)))
    first, second = (data.rindex(b"PK\1\2", 0, end) for end in (data.rindex(b"PK\1\2"), len(data)))
    data[second + 12 : second + 46] = data[first + 12 : first + 46]  # b lies where a lies
    assert stored_members(bytes(data)) is None
