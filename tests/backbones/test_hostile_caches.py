"""Feature caches, weights and checkpoints may be a stranger's: nothing in them is trusted."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hostility import DEEP, fuzz, mutated, mutated_json, result_or_refusal, sentence, within
from hypothesis import example, given
from hypothesis import strategies as st

from hashbench.backbones import cache as cache_module
from hashbench.backbones import weights
from hashbench.backbones.cache import CachedTable, damaged_blocks
from hashbench.errors import InputError
from hashbench.training.checkpoints import NAME, Checkpoint

ROWS, BLOCK = 10, 4
EXPECTED = np.arange(ROWS * 3, dtype=np.float32).reshape(ROWS, 3)

fuzzed = fuzz(60)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(cache_module, "BLOCK", BLOCK)
    monkeypatch.setattr(cache_module.os, "fsync", lambda _: None)


@pytest.fixture
def table(tmp_path, small_blocks) -> CachedTable:
    return CachedTable(tmp_path / "table", (ROWS, 3), {"backbone": "none"})


def compute(table: CachedTable) -> np.ndarray:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = table.compute(lambda rows: [EXPECTED[rows]], "engine", lambda share, note: None)
    for warning in caught:
        sentence(warning.message, table.path)
    return found


def interrupted(table: CachedTable) -> tuple[Path, Path]:
    """A table of which two of three blocks are finished."""
    shutil.rmtree(table.folder, ignore_errors=True)

    def stop(rows):
        yield EXPECTED[rows[: 2 * BLOCK]]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        table.compute(stop, "engine", lambda share, note: None)
    return table.folder / "features.part", table.folder / "blocks.jsonl"


@fuzzed
@given(data=st.data())
def test_a_changed_table_is_opened_in_its_form_or_computed_again(table, data) -> None:
    stream = io.BytesIO()
    np.save(stream, EXPECTED)
    shutil.rmtree(table.folder, ignore_errors=True)
    table.folder.mkdir()
    table.path.write_bytes(data.draw(mutated(stream.getvalue())))
    found = compute(table)
    assert found.shape == EXPECTED.shape
    assert found.dtype == EXPECTED.dtype


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\5\6" + bytes(18), b"\x93NUMPY\1\0\5\0((((\n", b"\x93NUMPY\1\0\6\0  1\n 2"],
    ids=["empty", "zip", "tokens", "indent"],
)
def test_tables_that_once_broke_are_computed_again(table, data) -> None:
    table.folder.mkdir()
    table.path.write_bytes(data)
    assert np.array_equal(compute(table), EXPECTED)
    assert (table.folder / "features.damaged").read_bytes() == data


def test_a_table_of_pickled_objects_is_computed_again(table, tmp_path) -> None:
    table.folder.mkdir()
    np.save(table.path, np.array([Bomb(tmp_path / "exploded")], dtype=object), allow_pickle=True)
    assert np.array_equal(compute(table), EXPECTED)
    assert not (tmp_path / "exploded").exists()


@fuzzed
@given(data=st.data())
def test_a_changed_log_of_blocks_costs_no_more_than_the_blocks(table, data) -> None:
    _, log = interrupted(table)
    log.write_bytes(data.draw(mutated(log.read_bytes()) | mutated_json({"block": 0, "crc32": 1})))
    assert np.array_equal(compute(table), EXPECTED)
    assert damaged_blocks(table.folder) == []


@pytest.mark.parametrize(
    "line",
    [
        DEEP,
        b"\xff\xfe",
        b'{"block": Infinity, "crc32": 1, "engine": "e"}',
        b'{"block": 1, "crc32": CRC}',
        b'{"block": 1, "crc32": CRC, "engine": []}',
        b'{"block": 1, "crc32": "CRC", "engine": "e"}',
        b'{"block": true, "crc32": CRC, "engine": "e"}',
        b'{"block": -2, "crc32": CRC, "engine": "e"}',
        b'{"block": ' + b"9" * 5000 + b', "crc32": CRC, "engine": "e"}',
    ],
)
def test_logs_that_once_broke_are_passed_over(table, line) -> None:
    _, log = interrupted(table)
    crc = json.loads(log.read_bytes().splitlines()[1])["crc32"]
    with log.open("ab") as stream:
        stream.write(line.replace(b"CRC", str(crc).encode()) + b"\n")
    assert np.array_equal(compute(table), EXPECTED)
    assert damaged_blocks(table.folder) == []


@fuzzed
@given(data=st.data())
def test_a_changed_description_is_refused_or_finds_the_damage(table, data) -> None:
    shutil.rmtree(table.folder, ignore_errors=True)
    compute(table)
    path = table.folder / "table.json"
    body = {"shape": [ROWS, 3], "blocks": json.loads(path.read_text())["blocks"]}
    path.write_bytes(data.draw(mutated_json(body)))
    found = result_or_refusal(lambda: damaged_blocks(table.folder), table.folder)
    assert found is None or len(found) <= 3


@pytest.mark.parametrize(
    "text", [DEEP, b'{"blocks": []}', b'{"blocks": {}}', b'{"blocks": 1e999}', b'"blocks"', b"\xff"]
)
def test_descriptions_that_once_broke_are_refused(table, text) -> None:
    compute(table)
    (table.folder / "table.json").write_bytes(text)
    with pytest.raises(InputError, match="no finished table") as refusal:
        damaged_blocks(table.folder)
    sentence(refusal.value, table.folder)


@pytest.mark.parametrize("name", ["features.npy", "features.part", "blocks.jsonl"])
def test_pipes_in_place_of_files_of_the_cache_are_not_waited_for(table, name) -> None:
    interrupted(table)
    (table.folder / name).unlink(missing_ok=True)
    os.mkfifo(table.folder / name)
    with within(5):
        assert np.array_equal(compute(table), EXPECTED)


def test_a_damaged_table_that_cannot_be_moved_is_one_sentence(table) -> None:
    (table.folder / "features.damaged" / "x").mkdir(parents=True)
    table.path.write_bytes(b"no table")
    with pytest.raises(InputError, match="cannot be moved aside") as refusal:
        table.open()
    sentence(refusal.value, table.path, table.folder)


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def saved(body: object, **options: object) -> bytes:
    stream = io.BytesIO()
    torch.save(body, stream, **options)
    return stream.getvalue()


STATE = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.zeros(2)}
FORMS = {"zip": saved(STATE), "legacy": saved(STATE, _use_new_zipfile_serialization=False)}


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@fuzzed
@given(st.sampled_from(sorted(FORMS)).flatmap(lambda form: mutated(FORMS[form])))
@example(b"")
@example(b"PK\3\4")
@example(saved([1, 2]))
@example(saved({"x": {"y": torch.zeros(1)}}))
@example(saved({1: torch.zeros(1)}))
@example(DEEP)
def test_changed_weights_are_read_or_refused(tmp_path, data) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(data)
    found = result_or_refusal(lambda: weights.load(path), path)
    if found is not None:
        assert all(isinstance(tensor, torch.Tensor) for tensor in found.values())
    refused = result_or_refusal(lambda: weights.verified(path, "0" * 8, "fetch it"), path)
    assert refused is None


@pytest.mark.parametrize("form", FORMS)
def test_the_weights_that_are_changed_are_read(tmp_path, form) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(FORMS[form])
    assert torch.equal(weights.load(path)["weight"], STATE["weight"])
    digest = hashlib.sha256(FORMS[form]).hexdigest()
    assert weights.verified(path, digest[:8], "fetch it") == digest


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "nothing"])
def test_what_is_no_file_of_weights_is_refused(tmp_path, kind) -> None:
    path = tmp_path / "w.pth"
    {
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "loop": lambda: path.symlink_to(path),
        "nothing": lambda: None,
    }[kind]()
    for call in (lambda: weights.load(path), lambda: weights.verified(path, "0" * 8, "fetch it")):
        with within(5):
            assert result_or_refusal(call, path) is None
    with within(5), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path.rename(tmp_path / NAME) if kind != "nothing" else None
        assert Checkpoint(tmp_path, "me").load() is None


@pytest.mark.parametrize("legacy", [False, True])
def test_pickled_code_in_weights_and_checkpoints_is_not_run(tmp_path, legacy) -> None:
    for body in (
        {"x": Bomb(tmp_path / "run")},
        {"identity": "me", "state": Bomb(tmp_path / "run")},
    ):
        data = saved(body, _use_new_zipfile_serialization=not legacy)
        (tmp_path / NAME).write_bytes(data)
        with pytest.raises(InputError, match="nothing else is loaded") as refusal:
            weights.load(tmp_path / NAME)
        sentence(refusal.value, tmp_path / NAME)
        with pytest.warns(UserWarning, match="is damaged"):
            assert Checkpoint(tmp_path, "me").load() is None
    assert not (tmp_path / "run").exists()


def test_weights_that_would_inflate_are_not_read(tmp_path) -> None:
    """PyTorch stores its members; a deflated one can hold a thousand times its size."""
    whole = saved({"x": torch.zeros(10**6)})
    path = tmp_path / "w.pth"
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < len(whole) // 100
    assert result_or_refusal(lambda: weights.load(path), path) is None


@fuzzed
@given(mutated(saved({"identity": "me", "state": {"history": []}})))
@example(saved({"identity": torch.zeros(2), "state": {}}))
@example(saved({"identity": "me", "state": [1]}))
@example(saved([1]))
@example(b"")
def test_a_changed_checkpoint_is_taken_up_or_left(tmp_path, data) -> None:
    (tmp_path / NAME).write_bytes(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        state = Checkpoint(tmp_path, "me").load()
    assert state is None or isinstance(state, dict)
    for warning in caught:
        sentence(warning.message, tmp_path)
