"""export-model, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_it_says_what_agrees_and_how_to_call_it(hashbench, encoder) -> None:
    code, out, err = hashbench("export-model", encoder, "--format", "openvino")
    assert (code, err) == (0, "")
    assert "dch-12.xml gives the codes of" in out
    assert "0 of 288 bits differ" in out
    body = json.loads(Path("dch-12.xml.json").read_text())
    assert body["input"] == {
        "name": "images", "dtype": "uint8", "shape": ["n", 16, 16, 3], "channels": "RGB",
    }  # fmt: skip
    assert Path("dch-12.bin").is_file()


def test_it_is_checked_on_pictures_of_yours(hashbench, encoder, photos) -> None:
    code, out, _ = hashbench(
        "export-model", encoder, "--format", "openvino", "--images", photos, "--json"
    )
    assert code == 0
    checked = json.loads(out)["checked"]
    assert (checked["pictures"], checked["differing"]) == (20, 0)


def test_a_folder_is_a_copy_that_encodes(hashbench, encoder, photos) -> None:
    assert hashbench("export-model", encoder, "--format", "folder", "--out", "copy")[0] == 0
    assert hashbench("encode", "copy", "--images", photos)[0] == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("nothing", "--format", "onnx"), "nothing is no encoder"),
        (("my-encoder", "--format", "tflite"), "tflite"),
        (("my-encoder", "--format", "openvino", "--out", "m.onnx"), "name m.onnx.xml"),
        (("my-encoder", "--format", "torch", "--out", "my-encoder"), "is a folder: name a file"),
        (("my-encoder", "--format", "openvino", "--out", "/dev/null/m.xml"), "cannot write"),
        (("my-encoder", "--format", "openvino", "--images", "none"), "none is missing"),
    ],
)
def test_bad_input_is_one_sentence(hashbench, encoder, args, words) -> None:
    code, _, err = hashbench("export-model", *args)
    assert (code, err.count("\n")) == (2, 1), err
    assert words in err
