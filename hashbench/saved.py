"""A fitted hasher as one file: tensors and JSON, nothing that is executed.

The file is a safetensors file; its metadata says the method, its
hyper-parameters and the shape of what was learned, whose arrays are the
tensors. Whatever a hasher calls `name_` is kept, so that few methods need to
know of it: plain values, arrays, nested lists and dicts, and pieces (objects of
hashbench, of scikit-learn, or of the method's own file) by their attributes.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from hashbench.codes import Codes
from hashbench.errors import InputError, shown
from hashbench.files import open_regular, write_atomically
from hashbench.hasher import Hasher, hyperparameters
from hashbench.items import items_from_features
from hashbench.pieces import Packer, Unpacker, plain, tensors_of
from hashbench.registries import methods
from hashbench.sight import Sight

FORMAT = 1

#: The metadata's one entry.
ENTRY = "hashbench"

#: No hasher is larger, nor any code longer.
MOST_BYTES, MOST_BITS = 2**32, 2**16


def write_hasher(path: Path, hasher: Hasher, sight: Sight | None = None) -> str:
    """Write a fitted hasher; returns the sha256 of the file.

    Args:
        path: the file; its folder must exist.
        hasher: one that has been fitted.
        sight: what it was shown, for those who will show it new pictures.

    Raises:
        InputError: if it has learned nothing, or something that is no plain
            value, array or piece.
        OSError: if the file cannot be written; what was there stays.
    """
    data = dump_hasher(hasher, sight)
    write_atomically(path, lambda stream: stream.write(data))
    return hashlib.sha256(data).hexdigest()


def read_hasher(path: Path, expected_sha256: str | None = None) -> Hasher:
    """The hasher that `write_hasher` wrote; it gives the same codes, bit for bit.

    Args:
        path: the file; a stranger's may be damaged or forged.
        expected_sha256: refuse any other file.

    Raises:
        InputError: if the file cannot be read, is another one, is no hasher, or
            its method is not registered here.
    """
    where = shown(str(path), 200)
    return load_hasher(read_file(path, expected_sha256), where)


def read_file(path: Path, expected_sha256: str | None = None) -> bytes:
    """The bytes of a hasher's file, for `load_hasher` and `sight_of`.

    Raises:
        InputError: if it cannot be read, or is another one.
    """
    where = shown(str(path), 200)
    try:
        with open_regular(path) as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"the hasher {where} cannot be read ({shown(error)}): name a file that is one"
        ) from error
    if len(data) > MOST_BYTES:
        raise InputError(f"{where} is larger than any hasher: name another file")
    digest = hashlib.sha256(data).hexdigest()
    if expected_sha256 is not None and digest != expected_sha256:
        raise InputError(
            f"the hasher {where} is damaged or another one (sha256 {digest[:16]}, expected "
            f"{shown(expected_sha256, 16)}): fetch it again, or train its cell again"
        )
    return data


def dump_hasher(hasher: Hasher, sight: Sight | None = None) -> bytes:
    """The bytes of a fitted hasher's file.

    Raises:
        InputError: see `write_hasher`.
    """
    from safetensors.numpy import save

    learned = hasher.learned()
    if not learned:
        raise InputError(f"{hasher.name} has learned nothing yet: call fit(train) first")
    packer = Packer(type(hasher).__module__, hasher.name)
    body = {
        "format": FORMAT,
        "method": hasher.name,
        "version": hasher.version,
        "params": {name: plain(getattr(hasher, name)) for name in _parameters(type(hasher))},
        "learned": packer.pack(learned, ""),
    }
    if sight is not None:
        body["sight"] = sight.to_dict()
    metadata = {ENTRY: json.dumps(body, sort_keys=True, allow_nan=False)}
    return bytes(save(packer.tensors, metadata))


def load_hasher(data: bytes, where: str) -> Hasher:
    """The hasher in the bytes of a file.

    Args:
        data: a whole file.
        where: what messages call it.

    Raises:
        InputError: see `read_hasher`.
    """
    try:
        body, tensors = _opened(data)
        name, version, params = body["method"], body["version"], body["params"]
        fits = isinstance(name, str) and isinstance(version, str) and isinstance(params, dict)
        if body["format"] != FORMAT or not fits:
            raise ValueError(f"it has the format {shown(body['format'], 20)}")
    except Exception as error:  # damaged files raise almost anything
        raise InputError(
            f"{where} is no hasher that hashbench wrote ({_why(error)}): fetch it again, or "
            "train its cell again"
        ) from error
    if name not in methods().names():
        raise InputError(
            f"{where} holds the method '{shown(name, 40)}', which is not registered here: "
            "name its file with --plugin or install its package"
        )
    cls = methods().get(name)
    try:
        hasher = _made(cls, params)
        hasher.restore(Unpacker(cls.__module__, tensors).unpack(body["learned"]))
        _probe(hasher, sum(tensor.size for tensor in tensors.values()))
    except Exception as error:  # a class may say no in its own way
        raise InputError(
            f"{where} does not fit the method {name} ({_why(error)}): fetch it again, or "
            "train its cell again"
        ) from error
    if version != cls.version:
        warnings.warn(
            f"{where} was trained by version {shown(version, 20)} of {name} and this is version "
            f"{cls.version}: its codes may differ from those it gave",
            stacklevel=2,
        )
    return hasher


def sight_of(data: bytes, where: str) -> Sight | None:
    """What the hasher in a file was shown; None where that was not kept.

    Raises:
        InputError: if the file is damaged.
    """
    try:
        found = _opened(data)[0].get("sight")
        return None if found is None else Sight.from_dict(found)
    except Exception as error:  # damaged files raise almost anything
        raise InputError(
            f"{where} is no hasher that hashbench wrote ({_why(error)}): fetch it again"
        ) from error


def _opened(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    tensors = tensors_of(data)
    length = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"][ENTRY]), tensors


def _made(cls: type[Hasher], params: dict[str, Any]) -> Hasher:
    for name, value in params.items():
        if plain(value) is not value:
            raise ValueError(f"{shown(name, 40)} is no plain value")
    bits = params.get("bits")
    if not isinstance(bits, int) or not 1 <= bits <= MOST_BITS:
        raise ValueError(f"its bits are {shown(bits, 20)}")
    return cls(**params)


def _parameters(cls: type[Hasher]) -> list[str]:
    taken = inspect.signature(cls).parameters
    return [*(name for name in ("bits", "seed") if name in taken), *hyperparameters(cls)]


def _probe(hasher: Hasher, numbers: int) -> None:
    """Encode two and three items: shapes that do not fit are known now, not at the first use.

    Two numbers of items, for an array of either would be added to theirs row by row.

    Raises:
        Exception: whatever the method raises.
    """
    dim = hasher.feature_dim()
    if dim is None:
        return
    if not isinstance(dim, int) or not 0 < dim <= numbers:
        raise ValueError(f"it takes {shown(dim, 20)} features")
    for count in (2, 3):
        codes = hasher.encode(items_from_features(np.ones((count, dim), np.float32)))
        if not isinstance(codes, Codes) or (len(codes), codes.bits) != (count, hasher.bits):
            raise ValueError("its codes are of another length")


def _why(error: Exception) -> str:
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {shown(first)}" if first else type(error).__name__
