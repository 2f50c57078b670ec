"""Pictures as people have them: files, folders, lists, PIL images, arrays, tensors."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hashbench.data.images import MAX_PIXELS, SUFFIXES, decode, rgb
from hashbench.data.names import hidden
from hashbench.errors import InputError, shown
from hashbench.files import open_regular
from hashbench.parsing import printable
from hashbench.spelling import Spelling

Read = Callable[[], NDArray[np.uint8]]

#: Bytes of the longest list of images that is read.
LONGEST_LIST = 2**30

#: Lists within each other in which pictures are looked for.
DEEPEST = 4

_HELP = (
    "give a path, a folder, a PIL image, an (h, w, 3) or (n, h, w, 3) uint8 array, a batch of "
    "tensors, or a list of such"
)


class Pictures:
    """Pictures in order, each decoded when it is asked for; an `ImageSource`.

    Args:
        ids: a name for each.
        reads: what decodes each.
    """

    def __init__(self, ids: Sequence[str], reads: Sequence[Read]) -> None:
        self.ids = ids
        self._reads = reads

    @classmethod
    def of(cls, images: Any) -> Self:
        """Pictures of whatever `images` is.

        Args:
            images: a path of an image or of a folder (searched through, in the order of
                the names); a PIL image; a `(h, w)`, `(h, w, 3)` or `(n, h, w, 3)` uint8
                array; a `(3, h, w)` or `(n, 3, h, w)` tensor of uint8, or of floats from
                0 to 1; or any iterable of such.

        Raises:
            InputError: if it is nothing of these, or holds no picture.
        """
        found = list(_found(images, ""))
        if not found:
            where = f" in {shown(str(images), 200)}" if isinstance(images, (str, Path)) else ""
            raise InputError(f"there is no picture{where}: {_HELP}")
        return cls([name for name, _ in found], [read for _, read in found])

    @classmethod
    def listed(cls, file: Path) -> Self:
        """The images a text file lists, one path a line, from the list's own folder.

        Raises:
            InputError: if it cannot be read, is no text, or lists nothing.
        """
        where = shown(str(file), 200)
        try:
            with open_regular(file) as stream:
                data = stream.read(LONGEST_LIST + 1)
            if len(data) > LONGEST_LIST:
                raise InputError(f"{where} is larger than any list: name another file")
            lines = [line for line in data.decode("utf-8-sig").splitlines() if line.strip()]
        except OSError as error:
            raise InputError(
                f"the list {where} cannot be read ({shown(error)}): name a text file of paths"
            ) from error
        except UnicodeDecodeError as error:
            raise InputError(
                f"{where} is neither an image nor UTF-8 text: name a folder, an image, or a list "
                "of paths, one a line"
            ) from error
        bad = next((line for line in lines if not printable(line)), None)
        if bad is not None:
            raise InputError(f"{where} lists '{shown(bad, 60)}', which is no path: mend that line")
        if not lines:
            raise InputError(f"{where} lists no image: write one path a line")
        spelling = Spelling()
        paths = [_spelt(spelling, file.parent, line.strip()) for line in lines]
        return cls([line.strip() for line in lines], [partial(decode, path) for path in paths])

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, row: int) -> NDArray[np.uint8]:
        """Picture `row` as `(height, width, 3)` uint8 RGB.

        Raises:
            InputError: if it cannot be decoded.
        """
        return self._reads[row]()

    @property
    def fingerprint(self) -> str:
        """Digest of the names."""
        return hashlib.sha256("\n".join(self.ids).encode()).hexdigest()


class Lenient:
    """Pictures of which some may be unreadable: those are noted, and black.

    Args:
        pictures: what to read.

    Attributes:
        bad: why a picture could not be read, by row.
    """

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.ids = pictures.ids
        self.bad: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, row: int) -> NDArray[np.uint8]:
        """Picture `row`, or a black one."""
        try:
            return self.pictures.read(row)
        except InputError as error:
            self.bad[row] = str(error)
            return np.zeros((8, 8, 3), np.uint8)

    @property
    def fingerprint(self) -> str:
        """Digest of the names."""
        return self.pictures.fingerprint


def files_in(folder: Path) -> list[Path]:
    """Every image file below a folder, ordered by name; links to folders are not followed.

    Raises:
        InputError: if a folder cannot be listed.
    """

    def fail(error: OSError) -> None:
        raise InputError(
            f"{shown(str(error.filename), 200)} cannot be listed ({shown(error)}): make it readable"
        ) from error

    found = []
    for base, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not hidden(name))
        found += [Path(base, name) for name in sorted(names) if not hidden(name)]
    return [path for path in found if path.suffix.lower() in SUFFIXES]


def _spelt(spelling: Spelling, folder: Path, line: str) -> Path:
    """The file that a line names; a disk may have its letters and accents apart, or composed."""
    place = folder / line
    if line.isascii() or os.path.lexists(place):
        return place
    if line.startswith("/"):
        return Path(spelling.path(Path("/"), line.lstrip("/")).replace("//", "/", 1))
    return Path(spelling.path(folder, line))


def _found(images: Any, name: str) -> Iterable[tuple[str, Read]]:
    if isinstance(images, (str, os.PathLike)):
        yield from _from_path(Path(images))
    elif isinstance(images, Image.Image):
        yield name or "image", partial(_from_pil, images, name or "the image")
    elif isinstance(images, np.ndarray):
        yield from _from_array(images, name)
    elif (torch := sys.modules.get("torch")) is not None and isinstance(images, torch.Tensor):
        where = name or "the tensor"
        try:
            array = _channels_last(images, where)
        except (TypeError, RuntimeError) as error:  # sparse, quantised, or without values
            raise InputError(f"{where} is no plain tensor ({shown(error, 80)}): {_HELP}") from error
        yield from _from_array(array, name)
    elif name.count(".") >= DEEPEST:
        raise InputError(f"{name} is within list within list: {_HELP}")
    elif isinstance(images, Iterable) and not isinstance(images, (bytes, dict)):
        for place, image in enumerate(images):
            yield from _found(image, f"{name}.{place}" if name else f"image {place}")
    else:
        raise InputError(f"{name or 'this'} is a {type(images).__name__} and no picture: {_HELP}")


def _from_path(path: Path) -> Iterable[tuple[str, Read]]:
    try:
        folder = path.is_dir()
    except (OSError, ValueError):
        folder = False
    if not folder:
        yield str(path), partial(decode, path)
        return
    for file in files_in(path):
        yield file.relative_to(path).as_posix(), partial(decode, file)


def _from_pil(image: Image.Image, where: str) -> NDArray[np.uint8]:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise InputError(f"{where} is {width} x {height} pixels: shrink it or leave it out")
    try:
        return rgb(image, where)
    except InputError:
        raise
    except Exception as error:  # it is decoded only now
        raise InputError(f"{where} cannot be decoded ({shown(error)}): leave it out") from error


def _from_array(array: NDArray[Any], name: str) -> Iterable[tuple[str, Read]]:
    where = name or "the array"
    if array.dtype != np.uint8:
        raise InputError(f"{where} holds {array.dtype}: give pixels as uint8 from 0 to 255")
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or array.shape[3] != 3 or 0 in array.shape[1:]:
        raise InputError(f"{where} has the shape {array.shape}: give (h, w, 3) or (n, h, w, 3)")
    if len(array) == 1:
        yield name or "image", partial(np.asarray, array[0])
        return
    for place, image in enumerate(array):
        yield f"{name}.{place}" if name else f"image {place}", partial(np.asarray, image)


def _channels_last(tensor: Any, where: str) -> NDArray[Any]:
    values = tensor.detach().cpu()
    if values.ndim == 3:
        values = values[None]
    if values.ndim == 4 and values.shape[1] == 3:
        values = values.permute(0, 2, 3, 1)
    if values.is_floating_point():
        values = values.float()
        low, high = (float(values.min()), float(values.max())) if values.numel() else (0.0, 0.0)
        if not (low >= 0 and high <= 1):  # NaN is in no range
            raise InputError(
                f"{where} holds values from {low:g} to {high:g}: give floats from 0 to 1, not "
                "normalised, or uint8"
            )
        values = (values * 255).round().byte()
    array: NDArray[Any] = values.numpy()
    return array
