"""Folders of encoders: whole, damaged, forged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hostility import fuzz, mutated_json, result_or_refusal, within
from hypothesis import given
from hypothesis import strategies as st

import hashbench
from hashbench.errors import InputError


@pytest.fixture
def kept(trained, tmp_path) -> Path:
    return trained("itq-cca").save(tmp_path / "kept")


def rewrite(kept: Path, **changes) -> None:
    body = json.loads((kept / "encoder.json").read_text())
    (kept / "encoder.json").write_text(json.dumps(body | changes))


def test_saving_again_replaces_an_encoder_and_nothing_else(trained, kept, tmp_path) -> None:
    trained("dch").save(kept)
    assert hashbench.load(kept).hasher.name == "dch"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    with pytest.raises(InputError, match="is no encoder: name another folder"):
        trained("dch").save(tmp_path / "mine")
    with pytest.raises(InputError, match="cannot be written"):
        trained("dch").save("/dev/null/x")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["hasher.safetensors", "backbone.safetensors"])
def test_a_damaged_file_is_refused_by_digest(kept, name) -> None:
    data = bytearray((kept / name).read_bytes())
    data[-1] ^= 1
    (kept / name).write_bytes(data)
    with pytest.raises(InputError, match=f"{name} is damaged"):
        hashbench.load(kept)
    (kept / name).unlink()
    with pytest.raises(InputError, match="is no encoder"):
        hashbench.load(kept)


def test_what_is_no_encoder_is_said(tmp_path) -> None:
    with pytest.raises(InputError, match="is no encoder"):
        hashbench.load(tmp_path)


@pytest.mark.parametrize("name", ["hasher.safetensors", "backbone.safetensors"])
def test_forged_files_with_true_digests_are_refused(kept, name, trained) -> None:
    other = {"hasher": b"", "backbone": b"\x00" * 100}[name.partition(".")[0]]
    (kept / name).write_bytes(other)
    body = json.loads((kept / "encoder.json").read_text())
    body["files"][name] = hashlib.sha256(other).hexdigest()
    rewrite(kept, **body)
    with pytest.raises(InputError):
        hashbench.load(kept)


def test_preprocessing_comes_with_it(kept, trained) -> None:
    before = hashbench.load(kept).encode(trained.images).relaxed
    body = json.loads((kept / "encoder.json").read_text())
    rewrite(kept, preprocessing=body["preprocessing"] | {"mean": [0.0, 0.0, 0.0]})
    after = hashbench.load(kept).encode(trained.images).relaxed
    assert np.abs(after - before).max() > 0.01


@fuzz(60)
@given(st.data())
def test_forged_descriptions_are_refused_in_one_sentence(kept, data) -> None:
    path = kept / "encoder.json"
    whole = path.read_bytes()
    path.write_bytes(data.draw(mutated_json(json.loads(whole))))
    try:
        with within(30):
            result_or_refusal(lambda: hashbench.load(kept), kept)
    finally:
        path.write_bytes(whole)
