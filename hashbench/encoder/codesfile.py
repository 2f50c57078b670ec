"""Codes of pictures in a file: what `hashbench encode` writes and `hashbench index` reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hashbench.codes import Codes
from hashbench.errors import InputError, shown
from hashbench.files import write_named
from hashbench.npy import read_arrays


def write_codes(
    path: Path, codes: Codes, ids: Sequence[str], root: str = "", hasher: str = ""
) -> None:
    """Write an .npz of "codes" (packed, `(n, ceil(bits / 8))` uint8) and all the other arguments.

    Args:
        path: the file.
        codes: the codes.
        ids: one a code.
        root: folder the ids are paths in, "" if they are not.
        hasher: `Encoder.digest` of what made them, "" where that is not known.

    Raises:
        InputError: if it cannot be written.
    """
    arrays = {
        "codes": codes.packed,
        "bits": np.array(codes.bits),
        "ids": np.array(list(ids), dtype=np.str_),
        "root": np.array(root),
        "hasher": np.array(hasher),
    }
    try:
        write_named(path, lambda stream: np.savez(stream, **arrays))  # type: ignore[arg-type]
    except OSError as error:
        raise InputError(
            f"the codes {shown(str(path), 200)} cannot be written ({shown(error)}): "
            "name another file with --out"
        ) from error


def read_codes(path: Path) -> tuple[Codes, list[str], str, str]:
    """The codes, ids, root and digest of the hasher that `write_codes` wrote.

    Raises:
        InputError: if the file is missing, damaged or another one.
    """
    where = shown(str(path), 200)
    try:
        arrays = read_arrays(path, ("codes", "bits", "ids", "root", "hasher"))
        ids = arrays["ids"]
        if ids.dtype.kind != "U" or ids.shape != arrays["codes"].shape[:1]:
            raise ValueError("it has another number of ids than of codes")
        root = str(arrays["root"]) if "root" in arrays else ""
        hasher = str(arrays["hasher"]) if "hasher" in arrays else ""
        return Codes(arrays["codes"], int(arrays["bits"])), ids.tolist(), root, hasher
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(
            f"{where} holds no codes that `hashbench encode` wrote ({shown(error)}): "
            "encode the pictures again"
        ) from error
