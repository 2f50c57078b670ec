"""Exported models are run by their own runtimes and give the codes of the encoder."""

from __future__ import annotations

import errno

import numpy as np
import pytest
import torch
from small_encoders import SETTINGS

from hashbench.encoder import exports
from hashbench.encoder.exports import ENDINGS, FORMATS, export
from hashbench.encoder.model import describe, frames_of, model_of
from hashbench.encoder.pictures import Pictures
from hashbench.errors import InputError


@pytest.mark.parametrize("what", SETTINGS)
def test_the_module_gives_the_codes_of_training(what, trained) -> None:
    encoder = trained(what)
    frames = torch.from_numpy(frames_of(encoder, trained.images))
    with torch.no_grad():
        codes, outputs = model_of(encoder)(frames)
    near = np.abs(trained.stored.relaxed) <= 1e-4
    bits = np.unpackbits(codes.numpy(), axis=1, count=12, bitorder="little")
    assert ((bits != trained.stored.unpack()) & ~near).sum() == 0
    assert near.mean() < 0.2
    np.testing.assert_allclose(outputs.numpy(), trained.stored.relaxed, atol=1e-3)


@pytest.mark.parametrize(
    ("what", "file_format"),
    [("dch", "onnx"), ("sdh", "onnx"), ("dch partial", "torch"), ("itq-cca", "torch")]
    + [(what, "openvino") for what in ("dch", "bre", "dch partial", "dch full")],
)
def test_an_exported_model_gives_the_codes_of_training(
    what, file_format, trained, tmp_path
) -> None:
    if file_format == "onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnxscript")
    encoder = trained(what)
    path = tmp_path / f"model{ENDINGS[file_format]}"
    found = export(encoder, file_format, path, Pictures.of(trained.images))
    assert (found.pictures, found.bits, found.differing) == (20, 240, 0)
    assert found.near < 40
    # Another batch than the one it was traced with, by its own runtime, against training's codes.
    codes, _ = FORMATS[file_format][1](path)(frames_of(encoder, trained.images[:7]))
    bits = np.unpackbits(codes, axis=1, count=12, bitorder="little")
    far = np.abs(trained.stored.relaxed[:7]) > 1e-4
    assert (bits == trained.stored.unpack()[:7])[far].all()


def test_a_model_that_gives_other_codes_replaces_none(trained, tmp_path, monkeypatch) -> None:
    encoder = trained("dch")
    export(encoder, "openvino", tmp_path / "good" / "model.xml")
    good = {path.name: path.read_bytes() for path in (tmp_path / "good").iterdir()}
    assert sorted(good) == ["model.bin", "model.xml"]
    write, run = FORMATS["openvino"]

    def wrong(path):
        def call(frames):
            codes, outputs = run(path)(frames)
            return codes ^ 1, outputs

        return call

    monkeypatch.setitem(exports.FORMATS, "openvino", (write, wrong))
    with pytest.raises(InputError, match="gives other codes"):
        export(encoder, "openvino", tmp_path / "m" / "model.xml")
    assert list((tmp_path / "m").iterdir()) == []
    with pytest.raises(InputError, match="gives other codes"):
        export(trained("dch"), "openvino", tmp_path / "good" / "model.xml")
    assert {path.name: path.read_bytes() for path in (tmp_path / "good").iterdir()} == good


@pytest.mark.parametrize("file_format", ["openvino", "torch"])
def test_a_full_disk_leaves_the_model_that_was_there(
    file_format, trained, tmp_path, monkeypatch
) -> None:
    path = tmp_path / f"model{ENDINGS[file_format]}"
    path.write_bytes(b"in use")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exports, "write_named", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left"):
        export(trained("dch"), file_format, path)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"in use"


def test_a_hash_function_nobody_knows_is_refused(trained) -> None:
    encoder = trained("lsh")
    encoder.hasher.projection_ = encoder.hasher.projection_.copy()
    cls = type(encoder.hasher)

    class Odd(cls):
        def _project(self, features):
            return super()._project(features) + 1

    encoder.hasher.__class__ = Odd
    with pytest.raises(InputError, match="none that can be exported"):
        model_of(encoder)


def test_a_missing_library_is_named(trained, tmp_path, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"pip install '\.\[onnx\]'"):
        export(trained("lsh"), "onnx", tmp_path / "m.onnx")


def test_the_description_says_how_pictures_become_input(trained) -> None:
    assert describe(trained("dch"))["input"]["shape"] == ["n", 16, 16, 3]
    body = describe(trained("lsh", backbone="pixels"))
    assert body["framing"] == {"resize": [16, 16], "filter": "bicubic"}
    object.__setattr__(encoder := trained("dch"), "sight", type(encoder.sight)("tiny", (90, 80, 3)))
    body = describe(encoder)
    assert body["input"]["shape"] == ["n", 32, 32, 3]
    assert body["framing"] == {"resize_short_side": 40, "centre_crop": 32, "filter": "bicubic"}
