"""A sweep in a TOML file: the options of `hashbench run`, by their names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hashbench.errors import InputError, shown, unknown
from hashbench.files import open_regular, write_atomically
from hashbench.parsing import printable
from hashbench.store.store import Store
from hashbench.tomlfile import parse, read_text

#: Options whose values are paths.
PATHS = frozenset({"plugin", "params", "data-root", "results"})


def read_sweep(path: Path, options: Iterable[str]) -> dict[str, Any]:
    """The options a sweep file sets, by option name, as the command line would write them.

    Lists become comma-separated, except `plugin` and `set`, which may be lists;
    `set` may also be a table, as in `[set.dch]` with `gamma = 10`. Paths are
    relative to the file's folder.

    Args:
        path: the TOML file.
        options: the names that may be set.

    Raises:
        InputError: if the file cannot be read, is not TOML, or sets what is no option.
    """
    body = parse(read_text(path, "the sweep"), str(path))
    known = set(options)
    found: dict[str, Any] = {}
    for name, value in body.items():
        if name not in known:
            raise unknown(f"option in {path}:", name, known, "hashbench run --help")
        found[name] = _settings(value, path) if name == "set" else _as_written(name, value, path)
        if name in PATHS:
            found[name] = _beside(path, found[name])
        elif name == "datasets":
            found[name] = ",".join(_data_beside(path, part) for part in str(found[name]).split(","))
    return found


def _beside(path: Path, value: Any) -> Any:
    """A path of a sweep file, relative to the folder of that file."""
    if isinstance(value, list):
        return [_beside(path, part) for part in value]
    return str(path.parent / Path(str(value)).expanduser())


def _data_beside(path: Path, name: str) -> str:
    kind, colon, place = name.strip().partition(":")
    return f"{kind}:{_beside(path, place)}" if colon else name


def keep_sweep(path: Path, store: Store) -> Path:
    """Keep the file that was run with the results; an edited one is another file.

    Raises:
        InputError: if it cannot be read or kept.
    """
    try:
        with open_regular(path) as stream:  # a pipe was read empty before
            data = stream.read()
        folder = store.root / "sweeps"
        folder.mkdir(exist_ok=True)
        kept = folder / f"{path.stem}-{hashlib.sha256(data).hexdigest()[:8]}.toml"
        if not kept.exists():
            write_atomically(kept, lambda stream: stream.write(data))
    except OSError as error:
        raise InputError(f"cannot keep {path} with the results: {shown(error)}") from error
    return kept


def _as_written(name: str, value: Any, path: Path) -> Any:
    if isinstance(value, list):
        pieces = [_scalar(name, piece, path) for piece in value]
        # [7] is the list of 7 alone, where 7 may mean a number of something.
        return pieces if name == "plugin" else ",".join(map(str, pieces)) + "," * (len(pieces) == 1)
    value = _scalar(name, value, path)
    return [value] if name == "plugin" else value


def _scalar(name: str, value: Any, path: Path) -> Any:
    if isinstance(value, bool):
        return value
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
