import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from hashbench.data.images import FileSource, PixelSource, decode
from hashbench.errors import InputError


def png(path, width, height):
    """A PNG that claims a size and holds nothing of it."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.new(mode, (7, 5)).save(path)
    image = decode(path)
    assert image.shape == (5, 7, 3)
    assert image.dtype == np.uint8


def test_truncated_files_are_named(tmp_path):
    path = tmp_path / "cut.jpg"
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(InputError, match=r"cut\.jpg cannot be decoded"):
        decode(path)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_decompression_bombs_are_refused_by_their_header(tmp_path):
    for side in (11_000, 60_000):  # above our limit, above Pillow's
        path = tmp_path / f"{side}.png"
        png(path, side, side)
        with pytest.raises(InputError, match=rf"{side}\.png is .*(pixels|too large)"):
            decode(path)


def test_other_files_and_missing_ones_are_refused(tmp_path):
    (tmp_path / "x.jpg").write_text("no image")
    with pytest.raises(InputError, match="cannot be decoded"):
        decode(tmp_path / "x.jpg")
    with pytest.raises(InputError, match="is missing"):
        decode(tmp_path / "y.jpg")
    with pytest.raises(InputError, match="cannot be decoded"):
        decode(tmp_path)


def test_postscript_is_not_run(tmp_path):
    path = tmp_path / "x.eps"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    with pytest.raises(InputError, match="cannot be decoded"):
        decode(path)


@pytest.fixture
def source(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        Image.new("RGB", (3, 2), (number, 0, 0)).save(path)
    return FileSource(paths, ["a", "b", "c"])


def test_missing_rows_and_subsets(source):
    assert source.missing().tolist() == []
    source.paths[1].unlink()
    assert source.missing().tolist() == [1]
    kept = source.subset(np.array([2, 0]))
    assert kept.ids == ["c", "a"]
    assert kept.read(0)[0, 0, 0] == 2


def test_the_fingerprint_changes_with_order_ids_content_and_absence(source):
    prints = [source.fingerprint]
    prints.append(source.subset(np.array([1, 0, 2])).fingerprint)
    prints.append(FileSource(source.paths, ["a", "b", "d"]).fingerprint)
    Image.new("RGB", (3, 2), (9, 0, 0)).save(source.paths[0])
    prints.append(FileSource(source.paths, source.ids).fingerprint)
    source.paths[2].unlink()
    prints.append(FileSource(source.paths, source.ids).fingerprint)
    assert len(set(prints)) == 5


def test_the_fingerprint_of_pixels_changes_with_pixels_and_ids():
    pixels = np.zeros((2, 4, 4, 3), np.uint8)
    other = pixels.copy()
    other[1, 2, 3, 0] = 1
    prints = {
        PixelSource(pixels, ["a", "b"]).fingerprint,
        PixelSource(other, ["a", "b"]).fingerprint,
        PixelSource(pixels, ["a", "c"]).fingerprint,
    }
    assert len(prints) == 3
    assert PixelSource(pixels.copy(), ["a", "b"]).fingerprint in prints
