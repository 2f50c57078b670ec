"""An entry on disk: a folder of a JSON file and compressed arrays, bounded before they are read.

Names of files are fixed by the format, never taken from a file, so that no entry can
lead out of its folder; a link is refused, and so is what the format does not know.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from hashbench.bundles.bundle import Bundle
from hashbench.bundles.checks import MOST_BYTES
from hashbench.codes import Codes
from hashbench.errors import InputError, shown
from hashbench.files import open_regular, write_atomically

ENTRY = "entry.json"

#: Kind of file -> its name.
FILES = {
    "query": "query.npy.xz",
    "database": "database.npy.xz",
    "query_zeros": "query_zeros.npy.xz",
    "database_zeros": "database_zeros.npy.xz",
    "hasher": "hasher.safetensors",
}

#: Bytes of the largest file of an entry, of what its codes may unpack to, of a header of an
#: .npy file, and of the memory that unpacking may take.
LARGEST, MOST_CODES, HEADER, MEMORY = 1 << 28, 1 << 27, 4096, 1 << 27

#: What compresses the codes: `xz` at its default strength, of which more gains nothing.
_PRESET = 6 | lzma.PRESET_EXTREME

#: Folders below that are looked through for entries, and entries that are read.
DEEPEST, MOST_ENTRIES = 4, 20_000


def read(folder: Path) -> Bundle:
    """The entry in a folder; its codes are not read, see `open_codes`.

    Raises:
        InputError: if it is none, holds links or files the format does not know.
    """
    where = shown(str(folder), 200)
    try:
        if folder.is_symlink() or not folder.is_dir():
            raise InputError(f"{where} is no folder of an entry: name one that holds {ENTRY}")
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names alone
    except OSError as error:
        raise InputError(f"{where} cannot be listed ({shown(error)}): make it readable") from error
    for name in names:
        if name not in (ENTRY, *FILES.values()):
            raise InputError(
                f"{where} holds '{shown(name, 60)}', which is no part of an entry: take it out"
            )
    bundle = Bundle.from_json(read_bytes(folder / ENTRY, MOST_BYTES), f"{where}/{ENTRY}", folder)
    told = {FILES[kind] for kind in bundle.digests}
    if told != set(names) - {ENTRY}:
        odd = min(told ^ (set(names) - {ENTRY}))
        raise InputError(
            f"{where}: {odd} is {'missing' if odd in told else f'not mentioned in {ENTRY}'}"
        )
    return bundle


def open_codes(bundle: Bundle) -> tuple[Codes, Codes]:
    """The (query, database) codes of an entry that was read.

    Raises:
        InputError: if they are damaged, others than the entry says, or would unpack to more.
    """
    query, database = (_side(bundle, side) for side in ("query", "database"))
    return query, database


def open_hasher(bundle: Bundle) -> bytes | None:
    """The bytes of the entry's fitted hasher; None where it brings none.

    Raises:
        InputError: if they are not those the entry says.
    """
    digest = bundle.digests.get("hasher")
    if digest is None:
        return None
    path = _folder(bundle) / FILES["hasher"]
    data = read_bytes(path, LARGEST)
    if hashlib.sha256(data).hexdigest() != digest:
        raise InputError(f"{shown(str(path), 200)} does not fit its digest: fetch it again")
    return data


def write(
    folder: Path, bundle: Bundle, codes: tuple[Codes, Codes], hasher: bytes | None = None
) -> Bundle:
    """Write an entry, `entry.json` last; its digests are filled in here.

    Args:
        folder: where; made if need be, and an entry there is replaced.
        bundle: what to say of it.
        codes: its (query, database) codes.
        hasher: the file of the fitted hasher, where it is to go along.

    Returns:
        The entry as it is read back.

    Raises:
        InputError: if it cannot be written, or would be no entry.
    """
    contents: dict[str, bytes] = {}
    digests: dict[str, str] = {}
    for side, part in zip(("query", "database"), codes, strict=True):
        arrays = {side: part.packed, f"{side}_zeros": part.at_zero}
        for kind, array in arrays.items():
            if array is not None:
                contents[kind] = packed(array)
                digests[kind] = digest_of(array)
    if hasher is not None:
        contents["hasher"], digests["hasher"] = hasher, hashlib.sha256(hasher).hexdigest()
    data = replace(bundle, digests=digests).to_json()
    Bundle.from_json(data, f"the entry of {bundle.name}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ENTRY).unlink(missing_ok=True)
        for kind, name in FILES.items():
            if kind in contents:
                write_atomically(folder / name, partial(_pour, contents[kind]))
            else:
                (folder / name).unlink(missing_ok=True)
        write_atomically(folder / ENTRY, partial(_pour, data))
    except OSError as error:
        raise InputError(
            f"cannot write {shown(str(folder), 200)}: {shown(error)}; choose another --out"
        ) from error
    return read(folder)


def entries(root: Path) -> Iterator[Path]:
    """The folders of entries at and below a folder, by name; links are not followed."""

    def search(folder: str, depth: int) -> Iterator[str]:
        try:
            with os.scandir(folder) as found:
                items = sorted(found, key=lambda item: item.name)
        except OSError:
            return
        if any(item.name == ENTRY for item in items):
            yield folder
            return
        for item in items:
            if depth < DEEPEST and item.is_dir(follow_symlinks=False):
                yield from search(item.path, depth + 1)

    for count, folder in enumerate(search(str(root), 0)):
        if count >= MOST_ENTRIES:
            raise InputError(f"{shown(str(root), 200)} holds more than {MOST_ENTRIES:,} entries")
        yield Path(folder)


def digest_of(array: NDArray[np.uint8]) -> str:
    """The sha256 of packed codes: of their bytes, row by row, whatever file holds them."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def packed(array: NDArray[np.uint8]) -> bytes:
    """An array as an .npy file, compressed by xz."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)
    return lzma.compress(stream.getvalue(), lzma.FORMAT_XZ, preset=_PRESET)


def unpacked(data: bytes, most: int) -> bytes:
    """What an .xz file holds, at most `most` bytes of it being made.

    Raises:
        ValueError: if it is no single whole .xz stream, or holds more.
    """
    try:
        reader = lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY)
        parts, size = [reader.decompress(data, most + 1)], 0
        while (size := size + len(parts[-1])) <= most and not reader.eof:
            if reader.needs_input:
                raise ValueError("it is cut off")
            parts.append(reader.decompress(b"", most + 1 - size))
    except (lzma.LZMAError, EOFError, MemoryError) as error:
        raise ValueError("it is no whole .xz file") from error
    if size > most:
        raise ValueError(f"it unpacks to more than the {most:,} bytes it may hold")
    if reader.unused_data:
        raise ValueError("something follows its end")
    return b"".join(parts)


def _side(bundle: Bundle, side: str) -> Codes:
    kind = f"{side}_zeros"
    packed = _array(bundle, side, side)
    zeros = _array(bundle, side, kind) if kind in bundle.digests else None
    over = bundle.cell.bits % 8
    if zeros is not None and over and (zeros[:, -1] >> over).any():
        path = _folder(bundle) / FILES[kind]
        raise InputError(f"{shown(str(path), 200)} marks bits beyond the last of a code")
    if zeros is not None and (zeros & packed).any():
        path = _folder(bundle) / FILES[kind]
        raise InputError(f"{shown(str(path), 200)} marks bits that are 1, and a zero gives a 0")
    try:
        return Codes(packed, bundle.cell.bits, at_zero=zeros)
    except InputError:
        raise
    except ValueError as error:
        path = _folder(bundle) / FILES[side]
        raise InputError(
            f"{shown(str(path), 200)}: {shown(error)}: pack the codes again"
        ) from error


def _array(bundle: Bundle, side: str, kind: str) -> NDArray[np.uint8]:
    path = _folder(bundle) / FILES[kind]
    where = shown(str(path), 200)
    shape = bundle.counts[side], (bundle.cell.bits + 7) // 8
    size = shape[0] * shape[1]
    if size > MOST_CODES:
        raise InputError(f"{where} would hold {size:,} bytes of codes, more than any board takes")
    try:
        array = _read_npy(unpacked(read_bytes(path, LARGEST), size + HEADER), shape)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{where} cannot be used ({shown(error)}): pack them again") from error
    if digest_of(array) != bundle.digests[kind]:
        raise InputError(f"{where} does not fit the digest in {ENTRY}: pack the codes again")
    return array


def _read_npy(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The array in an .npy file; its header is held against `shape` before anything is made."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        form = np.lib.format
        header = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
        found, fortran, dtype = header(stream, max_header_size=HEADER)
    except Exception as error:  # a header is Python's syntax: tokenizer and parser raise their own
        raise ValueError("it is no .npy file") from error
    if found != shape or dtype != np.uint8:
        raise ValueError(
            f"it holds {shown(found, 40)} {shown(dtype, 20)}, and {ENTRY} says {shape} uint8"
        )
    content = data[stream.tell() :]
    if len(content) != shape[0] * shape[1]:
        raise ValueError("it does not hold the values its header says")
    array = np.frombuffer(content, np.uint8)
    return np.ascontiguousarray(array.reshape(shape[::-1]).T) if fortran else array.reshape(shape)


def read_bytes(path: Path, most: int) -> bytes:
    """A regular file of at most `most` bytes that is no link."""
    where = shown(str(path), 200)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise InputError(f"{where} is no regular file: put the file itself there")
        with open_regular(path) as stream:
            data = stream.read(most + 1)
    except FileNotFoundError as error:
        raise InputError(f"there is no {where}: name the folder of an entry") from error
    except OSError as error:
        raise InputError(f"{where} cannot be read ({shown(error)}): make it readable") from error
    if len(data) > most:
        raise InputError(f"{where} is larger than {most:,} bytes, which no such file is")
    return data


def _pour(data: bytes, stream: BinaryIO) -> None:
    stream.write(data)


def _folder(bundle: Bundle) -> Path:
    if bundle.folder is None:
        raise ValueError("this entry was not read from a folder")
    return bundle.folder
