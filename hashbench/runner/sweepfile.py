"""A sweep in a TOML file: the options of `hashbench run`, by their names."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hashbench.errors import InputError, unknown
from hashbench.files import write_atomically
from hashbench.results.store import Store

#: No sweep is longer; a data file given by mistake must not be read whole.
_LARGEST = 1_000_000


def read_sweep(path: Path, options: Iterable[str]) -> dict[str, Any]:
    """The options a sweep file sets, by option name, as the command line would write them.

    Lists become comma-separated, except `plugin` and `set`, which may be lists;
    `set` may also be a table, as in `[set.dch]` with `gamma = 10`.

    Args:
        path: the TOML file.
        options: the names that may be set.

    Raises:
        InputError: if the file cannot be read, is not TOML, or sets what is no option.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(f"cannot read the sweep {path}: {error.strerror or error}") from error
    if len(data) > _LARGEST:
        raise InputError(f"{path} is larger than 1 MB: that is no sweep file")
    try:
        body = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not TOML: {_first_line(error)}") from None
    known = set(options)
    found = {}
    for name, value in body.items():
        if name not in known:
            raise unknown(f"option in {path}:", name, known)
        found[name] = _settings(value, path) if name == "set" else _as_written(name, value, path)
    return found


def keep_sweep(path: Path, store: Store) -> Path:
    """Keep the file that was run with the results; an edited one is another file.

    Raises:
        InputError: if it cannot be read or kept.
    """
    try:
        data = path.read_bytes()
        folder = store.root / "sweeps"
        folder.mkdir(exist_ok=True)
        kept = folder / f"{path.stem}-{hashlib.sha256(data).hexdigest()[:8]}.toml"
        if not kept.exists():
            write_atomically(kept, lambda stream: stream.write(data))
    except OSError as error:
        raise InputError(f"cannot keep {path} with the results: {error}") from error
    return kept


def _as_written(name: str, value: Any, path: Path) -> Any:
    if isinstance(value, list):
        pieces = [_scalar(name, piece, path) for piece in value]
        # [7] is the list of 7 alone, where 7 may mean a number of something.
        return pieces if name == "plugin" else ",".join(map(str, pieces)) + "," * (len(pieces) == 1)
    value = _scalar(name, value, path)
    return [value] if name == "plugin" else value


def _scalar(name: str, value: Any, path: Path) -> Any:
    if isinstance(value, (str, int, float)):  # True and False are whole numbers here
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


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
