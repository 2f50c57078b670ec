"""A folder of files, each of which is one array or holds several."""

from __future__ import annotations

from functools import partial
from itertools import islice
from pathlib import Path

from hashbench.errors import InputError
from hashbench.evaluation.foreign.formats import NPZ, TORCH, detect
from hashbench.evaluation.foreign.source import Array, Source, Variable, only
from hashbench.evaluation.foreign.text import read_label_table, read_table
from hashbench.npy import map_array

_TABLES = (".txt", ".csv", ".tsv")
_SEVERAL = (".npz", ".mat", ".pt", ".pth", ".t")
#: Files looked at; a folder of codes holds fewer.
_MOST = 1000


def folder_of(path: Path) -> Source:
    """The files of a folder by name without suffix, each of which may be one array.

    Nothing is opened yet: an array is read, a .npy mapped into memory, when it
    is asked for.

    Raises:
        InputError: if the folder cannot be listed, or two files have one name.
    """
    found: Source = {}
    for file in _files(path):
        if file.stem in found:
            raise InputError(f"{path} has several files called {file.stem}: leave one of them")
        labels = partial(read_label_table, file) if file.suffix in _TABLES else None
        found[file.stem] = Variable(file.suffix, partial(_one, file), labels)
    return found


def expanded(path: Path, source: Source) -> Source:
    """The files of a folder, and what is in those that may hold several arrays.

    An array `codes` of `test_outputs.pth` is called `test_outputs.codes`.
    Files that cannot be read are passed over.
    """
    found = dict(source)
    for file in _files(path):
        if file.suffix not in _SEVERAL:
            continue
        try:
            inside = detect(file).open(file)
        except (OSError, ValueError):
            continue
        for name, item in inside.items():
            if len(inside) > 1 or name != file.stem:
                found[f"{file.stem}.{name}"] = item
        if len(inside) != 1:
            found.pop(file.stem, None)
    return found


def _files(path: Path) -> list[Path]:
    known = (".npy", *_TABLES, *_SEVERAL)
    try:
        return sorted(islice((file for file in path.iterdir() if file.suffix in known), _MOST))
    except OSError as error:
        raise InputError(f"the folder {path} cannot be listed: {error.strerror}") from error


def _one(file: Path) -> Array:
    if file.suffix == ".npy":
        return map_array(file)
    if file.suffix in _TABLES:
        return read_table(file)
    kind = detect(file)
    if kind not in (NPZ, TORCH) and file.suffix != ".mat":
        raise ValueError(f"it is no {file.suffix} file")
    return only(kind.open(file))
