"""Which kind of file it is, by what is in it and not by what it is called."""

from __future__ import annotations

import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hashbench.errors import InputError, python
from hashbench.evaluation.foreign.source import Source
from hashbench.files import open_regular

_NPY, _HDF5, _ZIP = b"\x93NUMPY", b"\x89HDF\r\n\x1a\n", b"PK\3\4"
#: How files of torch before 1.6 begin: a pickled number of its own.
_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_PICKLES = (".pkl", ".pickle", ".p")

#: What turns a pickle into an .npz; it runs what is in it, so the reader does not.
_CONVERSION = (
    "import pickle,sys,numpy as n;d=pickle.load(open(sys.argv[1],'rb'));"
    "n.savez(sys.argv[2],**{k:n.array(v) for k,v in d.items()})"
)


class Format(NamedTuple):
    """A kind of file.

    Attributes:
        name: as messages have it.
        open: lists the arrays of a file.
        remedy: what to do about a damaged one.
    """

    name: str
    open: Callable[[Path], Source]
    remedy: str


def detect(path: Path) -> Format:
    """The format of a file.

    Raises:
        OSError: if it cannot be opened, or is no regular file.
        InputError: for pickles, MATLAB's v7.3 and single arrays, each with what
            to do.
    """
    with open_regular(path) as stream:
        head = stream.read(600)
    quoted = shlex.quote(str(path))
    if head.startswith(_NPY):
        raise InputError(
            f"{path} is not a readable .npz file (it is a single array): save all arrays with "
            "np.savez, or give a folder of .npy files"
        )
    if _HDF5 in (head[:8], head[512:520]):
        raise InputError(
            f"{path} is a MATLAB v7.3 (HDF5) file, which is not read: in MATLAB, load it and "
            f"save('{path.stem}-v7.mat', '-v7')"
        )
    if head.startswith(_ZIP):
        return TORCH if _holds_pickle(path) else NPZ
    if head.startswith(_TORCH):
        return TORCH
    if (head[:1] == b"\x80" and head[1:2] in b"\2\3\4\5") or path.suffix.lower() in _PICKLES:
        raise InputError(
            f"{path} is a pickle, which can run anything and is not opened; if you trust it: "
            f'{python()} -c "{_CONVERSION}" {quoted} codes.npz'
        )
    if path.suffix.lower() == ".mat" or head.startswith(b"MATLAB 5.0"):
        return MAT
    if path.suffix.lower() == ".npz":
        return NPZ
    return TEXT


def _holds_pickle(path: Path) -> bool:
    try:
        with open_regular(path) as stream, zipfile.ZipFile(stream) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except OSError:
        raise
    except Exception:  # damaged: whoever reads archives will say so
        return path.suffix.lower() not in (".npz", ".zip")


def _open_npz(path: Path) -> Source:
    from hashbench.evaluation.foreign.npz import open_npz

    return open_npz(path)


def _open_mat(path: Path) -> Source:
    from hashbench.evaluation.foreign.mat import open_mat

    return open_mat(path)


def _open_torch(path: Path) -> Source:
    from hashbench.evaluation.foreign.torch_file import open_torch

    return open_torch(path)


def _open_text(path: Path) -> Source:
    from hashbench.evaluation.foreign.text import open_text

    return open_text(path)


NPZ = Format(
    ".npz file",
    _open_npz,
    "save all arrays with np.savez, or give a folder of .npy files",
)
MAT = Format("MATLAB file", _open_mat, "save it again, in MATLAB with -v7")
TORCH = Format("torch file", _open_torch, "save a dict of tensors with torch.save")
TEXT = Format(
    "table of items",
    _open_text,
    "give a CSV with the columns split, code and label, an .npz, or a folder of arrays",
)
