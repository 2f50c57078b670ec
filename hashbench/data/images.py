"""Decoding image files, and image sources over files and arrays."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from hashbench.data.digests import content_digests, place
from hashbench.errors import InputError, shown
from hashbench.files import open_regular

#: Formats that are decoded; the list keeps out those that start other programs (EPS).
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".tif", ".tiff", ".webp"})

#: More pixels than this are a decompression bomb or no photograph.
MAX_PIXELS = 100_000_000

#: Pixels times scans of a progressive JPEG: each scan of a few bytes costs a pass over the image.
MAX_SCANNED = 200 * MAX_PIXELS


def decode(path: Path) -> NDArray[np.uint8]:
    """The image at `path` as `(height, width, 3)` uint8 RGB.

    Of an animation it is the first frame; transparency and the orientation in EXIF are
    not applied, as in torchvision's loaders, and of 16 bits the upper 8 are kept.

    Raises:
        InputError: if the file is missing, truncated, too large or no image.
    """
    where = shown(str(path), 200)
    try:
        with open_regular(path) as stream:
            return decode_stream(stream, where)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"the image {where} is missing: put it there or leave it out") from error
    except (OSError, ValueError) as error:  # a name no file can have is a ValueError
        raise _undecodable(where, error) from error


def decode_stream(stream: BinaryIO, where: str) -> NDArray[np.uint8]:
    """The image in a stream that can seek, as `decode` gives it.

    Args:
        stream: at its beginning.
        where: what messages call it.

    Raises:
        InputError: if it is truncated, too large or no image.
    """
    try:
        with Image.open(stream, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise InputError(
                    f"{where} is {width} x {height} pixels, more than the {MAX_PIXELS:,} "
                    "that are decoded: shrink it or leave it out"
                )
            if image.info.get("progressive"):
                place = stream.tell()
                stream.seek(0)
                scans = stream.read().count(b"\xff\xda")
                stream.seek(place)
                if width * height * scans > MAX_SCANNED:
                    raise InputError(
                        f"{where} holds {width} x {height} pixels in {scans:,} scans, "
                        "which would take very long to decode: save it again or leave it out"
                    )
            return rgb(image, where)
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{where} is too large to decode: shrink it or leave it out") from error
    except Exception as error:  # decoders of damaged files raise almost anything
        raise _undecodable(where, error) from error


def _undecodable(where: str, error: Exception) -> InputError:
    reason = f"{type(error).__name__}: {shown(error)}"
    if isinstance(error, UnidentifiedImageError):
        reason = f"it begins as none of {', '.join(FORMATS)} does"
    return InputError(f"{where} cannot be decoded ({reason}): replace the file or leave it out")


def rgb(image: Image.Image, where: str) -> NDArray[np.uint8]:
    """An opened image as `(height, width, 3)` uint8 RGB; `where` is what messages call it.

    Raises:
        InputError: if it holds numbers and not shades.
        Exception: almost any, if it is damaged.
    """
    # Pillow would cut what is above 255 off, and give an image that is nearly white.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("I", "F"):
        raise InputError(
            f"{where} holds numbers and not shades: save it with 8 or 16 bits a channel"
        )
    return np.asarray(image.convert("RGB"))


class FileSource:
    """Images in files.

    Args:
        paths: one file per image, in order.
        ids: one unique, stable id per image.
    """

    def __init__(self, paths: Sequence[Path], ids: Sequence[str]) -> None:
        self.paths = paths
        self.ids = ids

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, row: int) -> NDArray[np.uint8]:
        """Image `row` as `(height, width, 3)` uint8 RGB."""
        return decode(self.paths[row])

    def missing(self) -> NDArray[np.int64]:
        """Rows whose file is not there or empty, links followed; a folder is listed once."""
        there: dict[str, set[str]] = {}
        rows = []
        for row, path in enumerate(map(str, self.paths)):  # texts: Paths are slow
            folder, file = place(path)
            names = there.get(folder)
            if names is None:
                names = there[folder] = _names_in(folder)
            if file not in names:
                rows.append(row)
        return np.asarray(rows, dtype=np.int64)

    def subset(self, rows: NDArray[np.int64]) -> FileSource:
        """A source of these rows only."""
        return FileSource([self.paths[row] for row in rows], [self.ids[row] for row in rows])

    @cached_property
    def digests(self) -> list[str]:
        """Digest of each file's bytes, see `content_digests`."""
        return content_digests([str(path) for path in self.paths])

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the ids in order and of every file's bytes, wherever the files are."""
        digest = hashlib.sha256(f"files {len(self)}\n".encode())
        for name, content in zip(self.ids, self.digests, strict=True):
            digest.update(f"{name}\0{content}\n".encode())
        return digest.hexdigest()


def _names_in(folder: str) -> set[str]:
    """Names in a folder, but of folders, of empty files and of links to nothing.

    None where it cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if _leads_to_a_file(entry)}
    except (OSError, ValueError):
        return set()


def _leads_to_a_file(entry: os.DirEntry[str]) -> bool:
    try:
        found = entry.stat()
    except OSError:  # a link to nothing, a ring of links
        return False
    if stat.S_ISREG(found.st_mode):
        return found.st_size > 0
    # A pipe is there, and is refused by who opens it.
    return not stat.S_ISDIR(found.st_mode) and not entry.is_symlink()


class PixelSource:
    """Images in memory.

    Args:
        pixels: `(n, height, width, 3)` uint8 RGB.
        ids: one unique, stable id per image.
    """

    def __init__(self, pixels: NDArray[np.uint8], ids: Sequence[str]) -> None:
        self.pixels = pixels
        self.ids = ids

    def __len__(self) -> int:
        return len(self.pixels)

    def read(self, row: int) -> NDArray[np.uint8]:
        """Image `row` as `(height, width, 3)` uint8 RGB."""
        return self.pixels[row]

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the ids in order and of all pixels."""
        digest = hashlib.sha256(f"pixels {self.pixels.shape}\n".encode())
        digest.update("\n".join(self.ids).encode())
        digest.update(np.ascontiguousarray(self.pixels).data)
        return digest.hexdigest()


class PlaneSource:
    """Images in memory, colour by colour, in several arrays; images are put together when read.

    To do so for all of CIFAR takes longer than to read its files.

    Args:
        arrays: `(n, 3, height, width)` uint8 RGB each.
        rows: which image of the arrays, taken one after the other, each image is.
        ids: one unique, stable id per image.
    """

    def __init__(
        self, arrays: Sequence[NDArray[np.uint8]], rows: NDArray[np.int64], ids: Sequence[str]
    ) -> None:
        self.arrays = arrays
        self.ids = ids
        ends = np.cumsum([len(array) for array in arrays])
        array = np.searchsorted(ends, rows, side="right")
        starts = np.concatenate([[0], ends])[array]
        self._places = list(zip(array.tolist(), (rows - starts).tolist(), strict=True))

    def __len__(self) -> int:
        return len(self._places)

    def read(self, row: int) -> NDArray[np.uint8]:
        """Image `row` as `(height, width, 3)` uint8 RGB."""
        array, position = self._places[row]
        return np.ascontiguousarray(self.arrays[array][position].transpose(1, 2, 0))

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the ids in order and of all pixels."""
        digest = hashlib.sha256(f"planes {len(self)}\n".encode())
        for name, where in zip(self.ids, self._places, strict=True):
            digest.update(f"{name} {where}\n".encode())
        for array in self.arrays:
            digest.update(f"{array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
