"""A sweep in a TOML file: the options of `hashbench run`, by their names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hashbench.data import dataset_names
from hashbench.errors import InputError, shown, unknown
from hashbench.files import open_regular, write_atomically
from hashbench.parsing import printable
from hashbench.spelling import typed
from hashbench.store.store import Store
from hashbench.tomlfile import parse, read_text

#: Options whose values are paths.
PATHS = frozenset({"plugin", "params", "data-root", "results", "distractors"})

#: The folder that paths are relative to, where it is not that of the file: the copy that is kept
#: with the results names the folder that the sweep was in.
BASE = "relative-to"


def read_sweep(path: Path, options: Iterable[str]) -> dict[str, Any]:
    """The options a sweep file sets, by option name, as the command line would write them.

    Lists become comma-separated, except `plugin` and `set`, which may be lists;
    `set` may also be a table, as in `[set.dch]` with `gamma = 10`. Paths are
    relative to the file's folder, or to the one that `relative-to` names.

    Args:
        path: the TOML file.
        options: the names that may be set.

    Raises:
        InputError: if the file cannot be read, is not TOML, or sets what is no option.
    """
    return _options(parse(read_text(path, "the sweep"), str(path)), path, set(options))


def _options(body: Mapping[str, Any], path: Path, known: set[str]) -> dict[str, Any]:
    folder = _base(body, path)
    found: dict[str, Any] = {}
    for name, value in body.items():
        if name == BASE:
            continue
        if name not in known:
            raise unknown(f"option in {path}:", name, known, "hashbench run --help")
        found[name] = _settings(value, path) if name == "set" else _as_written(name, value, path)
        if name in PATHS:
            found[name] = _beside(folder, found[name])
        elif name == "datasets":
            several = isinstance(value, list)
            asked = dataset_names(list(map(str, value)) if several else str(found[name]), folder)
            found[name] = ",".join(_data_beside(folder, part) for part in asked)
    return found


def _base(body: Mapping[str, Any], path: Path) -> Path:
    if BASE not in body:
        return path.parent
    folder = typed(str(_scalar(BASE, body[BASE], path)))
    if not folder.is_absolute():
        raise InputError(
            f"'{BASE}' in {path} must be an absolute folder, or be left out: paths are then "
            "relative to the folder of the file"
        )
    return folder


def _beside(folder: Path, value: Any) -> Any:
    """A path of a sweep file, relative to a folder."""
    if isinstance(value, list):
        return [_beside(folder, part) for part in value]
    return str(folder / typed(str(value)))


def _data_beside(folder: Path, name: str) -> str:
    kind, colon, place = name.strip().partition(":")
    return f"{kind}:{_beside(folder, place)}" if colon else name


def keep_sweep(path: Path, store: Store) -> Path:
    """Keep the file that was run with the results; an edited one is another file.

    The copy can be run as it stands: where paths are relative, its first line says to what.

    Raises:
        InputError: if it cannot be read or kept.
    """
    try:
        with open_regular(path) as stream:  # a pipe was read empty before
            data = stream.read()
        folder = store.root / "sweeps"
        folder.mkdir(exist_ok=True)
        if path.parent.samefile(folder):
            return path  # a kept one that is run again
        if _has_relative_paths(data.decode(), path):
            # JSON's strings are TOML's.
            data = f"{BASE} = {json.dumps(str(path.parent.resolve()))}\n".encode() + data
        kept = folder / f"{path.stem}-{hashlib.sha256(data).hexdigest()[:8]}.toml"
        if not kept.exists():
            write_atomically(kept, lambda stream: stream.write(data))
    except OSError as error:
        raise InputError(f"cannot keep {path} with the results: {shown(error)}") from error
    return kept


def _has_relative_paths(text: str, path: Path) -> bool:
    body = parse(text, str(path))
    here, there = (_options(body, Path(root, path.name), set(body)) for root in ("/a", "/b"))
    return here != there


def _as_written(name: str, value: Any, path: Path) -> Any:
    if isinstance(value, list):
        pieces = [_scalar(name, piece, path) for piece in value]
        # [7] is the list of 7 alone, where 7 may mean a number of something.
        return pieces if name == "plugin" else ",".join(map(str, pieces)) + "," * (len(pieces) == 1)
    value = _scalar(name, value, path)
    return [value] if name == "plugin" else value


def _scalar(name: str, value: Any, path: Path) -> Any:
    if isinstance(value, bool):
        return str(value).lower()  # what takes numbers would take true for 1
    if isinstance(value, (int, float)):
        return str(value)  # what a flag takes are words and true or false
    if isinstance(value, str) and printable(value):
        return value
    raise InputError(f"'{name}' in {path} must be a word, a number, true, false or a list of them")


def _settings(value: Any, path: Path) -> list[str]:
    if isinstance(value, list) and all(isinstance(piece, str) for piece in value):
        return value
    if not isinstance(value, Mapping):
        raise InputError(f"'set' in {path} must be a table or a list, as in set = ['dch.gamma=10']")
    found = []
    for name, part in value.items():
        entries = part.items() if isinstance(part, Mapping) else [(None, part)]
        for key, setting in entries:
            where = name if key is None else f"{name}.{key}"
            text = str(setting).lower() if isinstance(setting, bool) else str(setting)
            found.append(f"{where}={text}")
    return found
