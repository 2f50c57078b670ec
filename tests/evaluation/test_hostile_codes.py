"""Codes to be scored come from strangers: they are scored or refused, and never unpickled."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hostility import corpus, fuzz, memory_below, mutated, result_or_refusal, sentence, within
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hashbench import npy
from hashbench.commands import score as verb
from hashbench.errors import InputError
from hashbench.evaluation import Convention, score
from hashbench.evaluation.foreign import read_codes
from hashbench.evaluation.foreign.names import OPTIONAL, REQUIRED

RNG = np.random.default_rng(0)
OUTPUTS = [RNG.standard_normal((n, 8)).astype(np.float32) for n in (3, 5)]
ARRAYS = {
    "query_codes": (OUTPUTS[0] > 0).astype(np.int8),
    "database_codes": (OUTPUTS[1] > 0).astype(np.int8),
    "query_labels": RNG.integers(0, 2, (3, 2), dtype=np.uint8),
    "database_labels": RNG.integers(0, 2, (5, 2), dtype=np.uint8),
    "query_relaxed": OUTPUTS[0],
    "database_relaxed": OUTPUTS[1],
}

#: Kinds of arrays nobody means, and of sizes.
ODD = st.one_of(
    hnp.arrays(
        st.sampled_from(
            ("?", "i1", ">i4", "u8", "f2", ">f8", "c8", "U3", "S2", "M8[s]", "m8[D]", "i4,f4")
        ),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    ),
    hnp.arrays(np.float64, st.sampled_from(((3, 8), (5, 8), (3, 2), (5, 2), (3,), (5,), ()))),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("codes")


def scored(path: Path) -> None:
    """Read and scored, or refused with a sentence."""

    def whole():
        return score(*read_codes(path), conventions=[Convention.parse("house")])

    found = result_or_refusal(whole, path)
    if found is not None:
        json.dumps(found[0].to_dict())


def npy_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays, allow_pickle=True)
    return stream.getvalue()


def as_folder(folder: Path, arrays: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name in (*REQUIRED, *OPTIONAL):
        (folder / f"{name}.npy").unlink(missing_ok=True)
        if name in arrays:
            (folder / f"{name}.npy").write_bytes(arrays[name])
    return folder


WHOLE = {name: npy_bytes(array) for name, array in ARRAYS.items()}


@pytest.mark.parametrize("path", corpus(__file__, "codes"), ids=lambda path: path.name)
def test_arrays_nobody_means_are_refused_with_a_sentence(folder, path) -> None:
    """Each is the one array of a whole set that its name says, as a file and in an archive."""
    name = path.name.split("-")[0]
    arrays = WHOLE | {name: path.read_bytes()}
    with zipfile.ZipFile(folder / "codes.npz", "w") as archive:
        for member, data in arrays.items():
            archive.writestr(f"{member}.npy", data)
    for where in (as_folder(folder / "codes", arrays), folder / "codes.npz"):
        with within(10), memory_below(500), pytest.raises(InputError) as refusal:
            score(*read_codes(where), conventions=[Convention.parse("house")])
        sentence(refusal.value, where)


@fuzz(150)
@given(mutated(npz_bytes(ARRAYS)))
def test_a_changed_archive_is_scored_or_refused(folder, data) -> None:
    path = folder / "changed.npz"
    path.write_bytes(data)
    scored(path)


@fuzz(150)
@given(
    st.sampled_from(sorted(WHOLE)).flatmap(
        lambda name: st.tuples(st.just(name), mutated(WHOLE[name]))
    )
)
def test_a_changed_file_of_a_folder_is_scored_or_refused(folder, change) -> None:
    name, data = change
    scored(as_folder(folder / "changed", WHOLE | {name: data}))


@fuzz(200)
@given(st.sampled_from((*REQUIRED, *OPTIONAL)), ODD, st.booleans())
def test_any_array_is_scored_or_refused(folder, name, array, both) -> None:
    arrays = ARRAYS | {name: array}
    if both and name.startswith("query"):
        arrays["database" + name.removeprefix("query")] = array
    scored(as_folder(folder / "odd", {key: npy_bytes(part) for key, part in arrays.items()}))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["<i8", ">i8", ">f4", "?"])
def test_codes_in_any_order_of_bytes_and_columns_are_the_same(folder, order, kind) -> None:
    other = {
        name: npy_bytes(array.astype(">f8" if "relaxed" in name else kind, order=order))
        for name, array in ARRAYS.items()
    }
    one, two = (
        score(
            *read_codes(as_folder(folder / "same", arrays)), conventions=[Convention.parse("house")]
        )
        for arrays in (WHOLE, other)
    )
    assert one[0].to_dict() == two[0].to_dict()


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("name", [*REQUIRED, *OPTIONAL])
def test_pickled_objects_are_not_loaded(folder, tmp_path, name) -> None:
    bomb = np.array([Bomb(tmp_path / "exploded")], dtype=object)
    (folder / "bomb.npz").write_bytes(npz_bytes(ARRAYS | {name: bomb}))
    for path in (
        as_folder(folder / "bomb", WHOLE | {name: npy_bytes(bomb)}),
        folder / "bomb.npz",
    ):
        with pytest.raises(InputError, match="not a readable") as refusal:
            read_codes(path)
        assert "pickle" not in sentence(refusal.value, path)
    assert not (tmp_path / "exploded").exists()


def test_an_archive_that_inflates_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(npy, "MOST_BYTES", 10**6)
    large = np.zeros((10**6, 64), np.uint8)
    (tmp_path / "x.npz").write_bytes(npz_bytes(ARRAYS | {"database_codes": large}))
    with memory_below(20), pytest.raises(InputError, match="would inflate to 64,000,128 bytes"):
        read_codes(tmp_path / "x.npz")


def test_as_many_classes_as_items_take_no_square_of_memory(tmp_path) -> None:
    many = {
        "query_labels": np.arange(200_000),
        "query_codes": np.zeros((200_000, 8), np.int8),
        "database_labels": np.arange(5),
    }
    np.savez(tmp_path / "x.npz", **{name: ARRAYS[name] for name in REQUIRED} | many)
    with memory_below(500):
        wide = Convention.parse("house(radius=8)")
        found = score(*read_codes(tmp_path / "x.npz"), conventions=[wide])
    assert found[0]["r@h8"] == pytest.approx(5 / 200_000)


@pytest.mark.parametrize("name", ["query_codes.npy", "bits.npy"])
def test_pipes_and_folders_in_place_of_files_are_refused(folder, tmp_path, name) -> None:
    path = as_folder(tmp_path / "pipe", WHOLE) / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with within(5), pytest.raises(InputError, match="no regular file"):
        read_codes(path.parent)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="Is a directory"):
        read_codes(path.parent)


def test_the_command_says_the_sentence(folder) -> None:
    (folder / "no.npz").write_bytes(b"PK\3\4 half a zip")
    outcome = CliRunner().invoke(verb.command, ["--codes", str(folder / "no.npz")])
    assert isinstance(outcome.exception, InputError)
    sentence(outcome.exception, folder)
