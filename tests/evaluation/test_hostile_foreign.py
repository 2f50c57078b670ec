"""MATLAB, torch and text files of strangers are scored, or refused with a sentence."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse
import torch
from hostility import fuzz, memory_below, mutated, result_or_refusal, sentence, within
from hypothesis import given
from hypothesis import strategies as st

from hashbench.errors import InputError
from hashbench.evaluation import Convention, score
from hashbench.evaluation.foreign import read_codes

RNG = np.random.default_rng(0)
ARRAYS = {
    "qB": np.sign(RNG.normal(size=(3, 8))),
    "rB": np.sign(RNG.normal(size=(5, 8))),
    "qL": RNG.integers(0, 2, (3, 2)),
    "rL": RNG.integers(0, 2, (5, 2)),
}


def scored(path: Path) -> None:
    result_or_refusal(
        lambda: score(*read_codes(path), conventions=[Convention.parse("house")]), path
    )


def mat(**how) -> bytes:
    stream = io.BytesIO()
    arrays = ARRAYS if how.get("format") == "4" else ARRAYS | {"s": scipy.sparse.eye(3)}
    scipy.io.savemat(stream, arrays, **how)
    return stream.getvalue()


def sparse() -> bytes:
    stream = io.BytesIO()
    matrices = {name: scipy.sparse.csc_matrix(array) for name, array in ARRAYS.items()}
    scipy.io.savemat(stream, matrices)
    return stream.getvalue()


def tensors(zipped: bool) -> bytes:
    stream = io.BytesIO()
    body = {name: torch.from_numpy(array) for name, array in ARRAYS.items()}
    torch.save(body, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


TABLE = b"split,code,label\nquery,01010101,1\ntest,11010101,2\ndb,01110101,1;2\ndb,00000000,3\n"
FILES = {
    "4.mat": mat(format="4"),
    "5.mat": mat(),
    "7.mat": mat(do_compression=True),
    "sparse.mat": sparse(),
    "new.pt": tensors(True),
    "old.pt": tensors(False),
    "table.csv": TABLE,
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_changed_file_is_scored_or_refused(tmp_path, name) -> None:
    scored(_file(tmp_path, name, FILES[name]))

    @fuzz(150)
    @given(mutated(FILES[name]))
    def changed(data: bytes) -> None:
        with memory_below(500):
            scored(_file(tmp_path, name, data))

    changed()


@fuzz(150)
@given(st.binary(max_size=60), st.sampled_from(["x.mat", "x.pt", "x.csv", "x.npz", "x.t", "x"]))
def test_any_bytes_are_refused(tmp_path, data, name) -> None:
    path = _file(tmp_path, name, data)
    with pytest.raises(InputError) as refusal:
        read_codes(path)
    sentence(refusal.value, path)


@fuzz(150)
@given(st.text(alphabet="01 ,;-.enaqifx\t\n\r", max_size=80), st.sampled_from(["txt", "csv"]))
def test_any_text_in_a_folder_is_scored_or_refused(tmp_path, text, suffix) -> None:
    for name in ("query_codes", "database_codes", "query_labels", "database_labels"):
        (tmp_path / f"{name}.{suffix}").write_text(text, newline="")
    scored(tmp_path)
    for name in ("query_codes", "database_codes", "query_labels", "database_labels"):
        (tmp_path / f"{name}.{suffix}").unlink()


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def variable(name: bytes, kind: int, shape: tuple[int, ...], *parts: bytes) -> bytes:
    body = element(6, struct.pack("<II", kind, 0))
    body += element(5, struct.pack(f"<{len(shape)}i", *shape)) + element(1, name) + b"".join(parts)
    return body


def file_of(*elements: bytes) -> bytes:
    return b"MATLAB 5.0".ljust(124) + struct.pack("<H", 0x0100) + b"IM" + b"".join(elements)


def packed(body: bytes, size: int | None = None) -> bytes:
    tag = struct.pack("<II", 14, len(body) if size is None else size)
    data = zlib.compress(tag + body)
    return struct.pack("<II", 15, len(data)) + data


def test_a_matlab_array_that_inflates_is_refused(tmp_path, monkeypatch) -> None:
    from hashbench.evaluation.foreign import mat as reader

    monkeypatch.setattr(reader, "MOST_BYTES", 10**6)
    body = variable(b"qB", 6, (10**6, 10), element(2, bytes(10**7)))
    others = [element(14, variable(name, 6, (1, 1), element(2, b"\1"))) for name in NAMES]
    path = _file(tmp_path, "x.mat", file_of(packed(body), *others))
    with memory_below(50), pytest.raises(InputError, match="would inflate to 10,000,0"):
        read_codes(path)


NAMES = (b"rB", b"qL", b"rL")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (variable(b"qB", 6, (2**30, 2**30), element(2, b"\1")), "fewer or more values"),
        (variable(b"qB", 5, (2**30, 2**30), *[element(5, b"\0" * 8)] * 2), "would take"),
        (
            variable(
                b"qB",
                5,
                (2, 1),
                element(5, struct.pack("<ii", 0, 7)),
                element(5, struct.pack("<ii", 0, 2)),
                element(9, bytes(16)),
            ),
            "points outside",
        ),
    ],
)
def test_matlab_arrays_that_claim_much_are_refused(tmp_path, array, words) -> None:
    others = [element(14, variable(name, 6, (1, 1), element(2, b"\1"))) for name in NAMES]
    path = _file(tmp_path, "x.mat", file_of(element(14, array), *others))
    with memory_below(50), pytest.raises(InputError, match=words) as refusal:
        read_codes(path)
    sentence(refusal.value, path)


@pytest.mark.parametrize("name", ["x.mat", "x.pt", "x.csv"])
def test_pipes_and_folders_in_place_of_files_are_refused(tmp_path, name) -> None:
    os.mkfifo(tmp_path / name)
    with within(5), pytest.raises(InputError, match="no regular file"):
        read_codes(tmp_path / name)


def test_names_in_a_file_do_not_write_to_the_terminal(tmp_path) -> None:
    np.savez(tmp_path / "x.npz", **{"\x1b[2J": np.zeros(3), "y" * 300: np.zeros(2)})
    with pytest.raises(InputError) as refusal:
        read_codes(tmp_path / "x.npz")
    sentence(refusal.value, tmp_path / "x.npz")
