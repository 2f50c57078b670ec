"""An encoder gives new pictures the codes that training would have stored for them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_encoders import SETTINGS
from tiny_network import tiny_backbone

import hashbench
from hashbench.backbones import catalogue
from hashbench.encoder.pictures import Pictures
from hashbench.errors import InputError
from hashbench.search.labels import folder_labels


def written(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


@pytest.mark.parametrize("what", SETTINGS)
def test_codes_are_those_of_training_before_and_after_a_journey(what, trained, tmp_path) -> None:
    encoder = trained(what)
    encoder.save(tmp_path / "kept")
    for one in (encoder, hashbench.load(tmp_path / "kept")):
        codes = one.encode(trained.images)
        assert np.array_equal(codes.packed, trained.stored.packed)
        np.testing.assert_allclose(codes.relaxed, trained.stored.relaxed, atol=1e-5)


@pytest.mark.parametrize("grey", [True, False])
def test_plain_pixels_grey_and_coloured(grey, trained, tmp_path) -> None:
    if grey:
        trained.images[:] = trained.images[..., :1]
        trained.source.pixels[:30] = trained.source.pixels[:30, ..., :1]
    encoder = trained("lsh", backbone="pixels")
    assert encoder.hasher.feature_dim() == 256 * (1 if grey else 3)
    encoder.save(tmp_path / "kept")
    kept = hashbench.load(tmp_path / "kept")
    assert np.array_equal(kept.encode(trained.images).packed, trained.stored.packed)
    assert len(kept.encode(np.zeros((40, 30, 3), np.uint8))) == 1


@pytest.mark.parametrize("what", ["itq-cca", "dch", "dch partial", "dch full"])
def test_a_kept_encoder_needs_no_weights_and_no_cache(what, trained, tmp_path, monkeypatch) -> None:
    trained(what).save(tmp_path / "kept")
    want = trained.stored.packed

    def gone(_side: int) -> None:
        raise InputError("the weights are not installed")

    bare = tiny_backbone()
    object.__setattr__(bare, "build", gone)
    object.__setattr__(bare, "weights", lambda: gone(0))
    monkeypatch.setitem(catalogue.NETWORKS, "tiny", lambda: bare)
    before = written(tmp_path)
    kept = hashbench.load(tmp_path / "kept")
    assert np.array_equal(kept.encode(list(trained.images)).packed, want)
    assert written(tmp_path) == before
    again = kept.save(tmp_path / "again")
    assert np.array_equal(hashbench.load(again).encode(trained.images[0]).packed, want[:1])


def test_every_form_of_picture_gives_the_same_code(trained, tmp_path) -> None:
    encoder, images = trained("dch"), trained.images[:3]
    folder = tmp_path / "pictures"
    (folder / "b").mkdir(parents=True)
    paths = [folder / "1.png", folder / "2.PNG", folder / "b" / "0.bmp"]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    (folder / "notes.txt").write_text("no image")
    channels_first = torch.from_numpy(images).permute(0, 3, 1, 2)
    forms = {
        "folder": folder,
        "its name": str(folder),
        "paths": paths,
        "names": [str(path) for path in paths],
        "PIL": [Image.fromarray(image) for image in images],
        "array": images,
        "arrays": list(images),
        "tensor": channels_first,
        "floats": channels_first / 255,
        "channels last": torch.from_numpy(images),
        "mixed": [paths[0], images[1], Image.fromarray(images[2])],
        "generator": (image for image in images),
    }
    want = trained.stored.packed[:3]
    for name, form in forms.items():
        assert np.array_equal(encoder.encode(form).packed, want), name
    for one in (paths[0], Image.fromarray(images[0]), images[0], channels_first[0]):
        assert np.array_equal(encoder.encode(one).packed, want[:1])
    assert Pictures.of(folder).ids == ["1.png", "2.PNG", "b/0.bmp"]


def test_grey_transparent_and_palette_images_are_pictures(trained) -> None:
    encoder = trained("dch")
    picture = Image.fromarray(trained.images[0])
    for mode in ("L", "RGBA", "P", "1", "CMYK", "LA", "I;16"):
        assert len(encoder.encode(picture.convert("L").convert(mode))) == 1
    assert len(encoder.encode(np.zeros((9, 9), np.uint8))) == 1


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([], "there is no picture"),
        (None, "NoneType and no picture"),
        (3, "int and no picture"),
        (b"x", "bytes and no picture"),
        ({"a": 1}, "dict and no picture"),
        ([np.zeros((4, 4, 3))], "image 0 holds float64"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(1, 4, 4, 4\)"),
        (np.zeros((0, 4, 4, 3), np.uint8), "there is no picture"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (torch.full((1, 3, 4, 4), 2.0), "values from 2 to 2"),
        (torch.full((1, 3, 4, 4), float("nan")), "values from nan"),
        (torch.zeros(5), "shape"),
        ("nowhere.png", "nowhere.png is missing"),
        ("a\0b", "cannot be decoded"),
        ([Image.new("F", (4, 4))], "numbers and not shades"),
    ],
)
def test_what_is_no_picture_gets_one_sentence(trained, images, words) -> None:
    with pytest.raises(InputError, match=words) as refusal:
        trained("lsh").encode(images)
    assert "\n" not in str(refusal.value)


def test_unreadable_pictures_are_named_and_the_others_encoded(trained, tmp_path) -> None:
    encoder, images = trained("itq-cca"), trained.images[:4]
    for row, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{row}.png")
    (tmp_path / "1.png").write_bytes(b"GIF89a")
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:60])
    seen: list[tuple[int, int]] = []
    codes, kept, bad = encoder.encode_readable(
        Pictures.of(tmp_path), lambda done, total: seen.append((done, total))
    )
    assert kept.tolist() == [0, 3]
    assert np.array_equal(codes.packed, trained.stored.packed[[0, 3]])
    assert list(bad) == [1, 2]
    assert "1.png cannot be decoded" in bad[1]
    assert seen == [(4, 4)]
    with pytest.raises(InputError, match=r"1\.png cannot be decoded"):
        encoder.encode(tmp_path)


def test_a_list_names_its_pictures(trained, tmp_path) -> None:
    Image.fromarray(trained.images[0]).save(tmp_path / "a b.png")
    (tmp_path / "list.txt").write_text("a b.png\n\n  a b.png\n")
    pictures = Pictures.listed(tmp_path / "list.txt")
    assert pictures.ids == ["a b.png", "a b.png"]
    assert len(trained("lsh").encode(pictures)) == 2
    (tmp_path / "e\u0301").mkdir()
    Image.fromarray(trained.images[0]).save(tmp_path / "e\u0301" / "u\u0308.png")
    (tmp_path / "list.txt").write_text(
        f"\u00e9/\u00fc.png\n{tmp_path}/\u00e9/\u00fc.png\n", "utf-8"
    )
    assert len(trained("lsh").encode(Pictures.listed(tmp_path / "list.txt"))) == 2
    assert folder_labels(["\u00e9/1", "e\u0301/2", "e/3"])[0][:, 1].tolist() == [1, 1, 0]
    for text, words in ((b"", "lists no image"), (b"\xff\xfe", "UTF-8"), (b"a\0b", "no path")):
        (tmp_path / "list.txt").write_bytes(text)
        with pytest.raises(InputError, match=words):
            Pictures.listed(tmp_path / "list.txt")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no regular file"):
        Pictures.listed(tmp_path / "pipe")


def test_a_hasher_of_another_backbone_is_refused(trained) -> None:
    encoder = trained("lsh", backbone="pixels")
    object.__setattr__(encoder.sight, "backbone", "tiny")
    with pytest.raises(InputError, match="was fitted on 768 features and tiny gives 8"):
        encoder.encode(trained.images)
