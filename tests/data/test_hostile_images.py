"""Images come from strangers: whatever a file holds, it is decoded or refused with a sentence."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hostility import corpus, fuzz, memory_below, mutated, result_or_refusal, sentence, within
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from hashbench.data.images import FileSource, decode
from hashbench.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow's own, on almost every damaged file

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 9, 3), dtype=np.uint8)


def encoded(form: str, pixels: np.ndarray = PIXELS, mode: str = "RGB", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, form, **options)
    return stream.getvalue()


WHOLE = {
    "jpeg": encoded("JPEG"),
    "progressive": encoded("JPEG", progressive=True),
    "cmyk": encoded("JPEG", mode="CMYK"),
    "png": encoded("PNG"),
    "palette": encoded("PNG", mode="P"),
    "bmp": encoded("BMP"),
    "gif": encoded("GIF"),
    "ppm": encoded("PPM"),
    "tiff": encoded("TIFF"),
    "lzw": encoded("TIFF", compression="tiff_lzw"),
    "webp": encoded("WEBP", lossless=True),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("images") / "x.jpg"


def read(path: Path, data: bytes) -> np.ndarray | None:
    path.write_bytes(data)
    found = result_or_refusal(lambda: decode(path), path)
    if found is not None:
        assert found.dtype == np.uint8
        assert found.ndim == 3
        assert found.shape[2] == 3
        assert found.size > 0
    return found


@pytest.mark.parametrize("file", corpus(__file__, "image"), ids=lambda file: file.name)
def test_what_once_broke_is_refused_with_a_sentence(file) -> None:
    with within(10), memory_below(300), pytest.raises(InputError) as refusal:
        decode(file)
    sentence(refusal.value, file)


@pytest.mark.parametrize("form", WHOLE)
def test_every_form_is_decoded_whole_whatever_its_name_ends_in(path, form) -> None:
    found = read(path, WHOLE[form])
    assert found.shape == PIXELS.shape
    if form not in ("jpeg", "progressive", "cmyk", "palette", "gif"):
        assert np.array_equal(found, PIXELS)


@pytest.mark.parametrize("form", WHOLE)
def test_a_file_cut_anywhere_is_decoded_or_refused(path, form) -> None:
    data = WHOLE[form]
    step = max(1, len(data) // 60)
    assert read(path, data[: len(data) // 2]) is None
    for length in {*range(0, len(data), step), *range(40), *range(len(data) - 12, len(data))}:
        read(path, data[:length])


@fuzz(150)
@given(st.sampled_from(sorted(WHOLE)).flatmap(lambda form: mutated(WHOLE[form])))
def test_a_changed_file_is_decoded_or_refused(path, data) -> None:
    read(path, data)


@fuzz(60)
@given(
    st.sampled_from(
        (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0\x08\0\0\0", b"GIF89a", b"P6 ")
    ),
    st.binary(max_size=80),
)
def test_any_bytes_are_decoded_or_refused(path, magic, data) -> None:
    read(path, magic + data)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"])
def test_modes_of_eight_bits_become_rgb(path, mode) -> None:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).convert("L" if mode in ("LA", "PA") else "RGB").convert(
        "P" if mode == "PA" else "RGB"
    ).convert(mode).save(stream, "PNG" if mode in ("1", "LA", "RGBA", "P") else "TIFF")
    assert read(path, stream.getvalue()).shape == PIXELS.shape


def test_sixteen_bits_keep_their_shades(path) -> None:
    shades = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    for form, options in (("PNG", {}), ("TIFF", {}), ("PPM", {})):
        stream = io.BytesIO()
        Image.fromarray(shades).save(stream, form, **options)
        found = read(path, stream.getvalue())
        assert np.array_equal(found[..., 0], shades >> 8), form


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_numbers_without_a_white_are_refused(path, dtype) -> None:
    stream = io.BytesIO()
    Image.fromarray(np.full((4, 4), 70_000, dtype)).save(stream, "TIFF")
    path.write_bytes(stream.getvalue())
    with pytest.raises(InputError, match="8 or 16 bits") as refusal:
        decode(path)
    sentence(refusal.value, path)


def test_an_animation_is_its_first_frame(path) -> None:
    frames = [Image.new("RGB", (5, 4), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    for form in ("GIF", "PNG", "WEBP", "TIFF"):
        stream = io.BytesIO()
        options = {"lossless": True} if form == "WEBP" else {}
        frames[0].save(stream, form, save_all=True, append_images=frames[1:], **options)
        assert read(path, stream.getvalue())[0, 0].tolist() == [255, 0, 0], form


def test_the_orientation_of_exif_is_not_applied(path) -> None:
    """As in torchvision's loaders, which the published methods read images with."""
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read(path, encoded("JPEG", exif=exif)).shape == PIXELS.shape


def test_text_that_inflates_is_refused(path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * 10**8, zip=True)
    data = encoded("PNG", pnginfo=info)
    assert len(data) < 200_000
    with memory_below(60):
        assert read(path, data) is None


def test_scans_without_end_are_refused(path) -> None:
    stream = io.BytesIO()
    Image.new("L", (2000, 2000)).save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    scan = data[data.rfind(b"\xff\xda") : -2]
    with within(5):
        assert read(path, data[:-2] + scan * 10 + data[-2:]).shape == (2000, 2000, 3)
        assert read(path, data[:-2] + scan * 20_000 + data[-2:]) is None


@pytest.mark.parametrize("side", [0, 11_000, 60_000, 2**31 - 1])
@pytest.mark.parametrize("form", ["png", "ppm", "bmp", "gif"])
def test_sizes_are_judged_by_the_header(path, form, side) -> None:
    with memory_below(20):
        assert read(path, header(form, side)) is None


def header(form: str, side: int) -> bytes:
    """A file that claims a size and holds next to nothing of it."""
    if form == "ppm":
        return b"P6 %d %d 255\n\0\0\0" % (side, side)
    if form == "bmp":
        start = b"BM" + struct.pack("<IHHI", 57, 0, 0, 54)
        return (
            start + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 3, 0, 0, 0, 0) + b"\0" * 3
        )
    if form == "gif":
        small = min(side, 65_535)
        frame = b"," + struct.pack("<HHHHB", 0, 0, small, small, 0)
        return b"GIF89a" + struct.pack("<HHBBB", small, small, 0, 0, 0) + frame + b"\2\2\x4c\1\0;"

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + data + chunk(b"IEND", b"")


def test_what_is_no_file_is_refused(tmp_path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "astray.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    names = ["folder.jpg", "pipe.jpg", "loop.jpg", "astray.jpg", "zero.jpg", "a\0b.jpg", "x" * 300]
    for name in names:
        path = tmp_path / name
        with within(5), pytest.raises(InputError) as refusal:
            decode(path)
        sentence(refusal.value, tmp_path)
    source = FileSource([tmp_path / name for name in names], names)
    with within(5):
        assert len(source.fingerprint) == 64
        assert source.missing().tolist() == [0, 2, 3, 4, 5, 6]  # a pipe is there, and is refused
