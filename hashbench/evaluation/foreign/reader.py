"""From a stranger's file or folder to codes and labels that can be scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from hashbench.errors import InputError, shown
from hashbench.evaluation.arrays import CodesAndLabels, from_arrays
from hashbench.evaluation.foreign.folder import expanded, folder_of
from hashbench.evaluation.foreign.formats import detect
from hashbench.evaluation.foreign.names import CODES, LABELS, REQUIRED, assign
from hashbench.evaluation.foreign.source import Array, Source
from hashbench.spelling import composed

T = TypeVar("T")

#: More arrays than this are not listed in a sentence.
_LISTED = 8


def read_codes(path: Path, names: Mapping[str, str] | None = None) -> CodesAndLabels:
    """Codes and labels from a file of arrays, or from a folder of such files.

    Read are .npz, MATLAB files up to v7, what `torch.save` wrote, one .csv of
    items, and folders of .npy (memory-mapped), text and all of those. The arrays
    are `query_codes`, `database_codes`, `query_labels`, `database_labels` and,
    if there, `query_relaxed`, `database_relaxed` and `bits`, as `evaluate` takes
    them, or what others call them. Without codes, those of the real outputs are
    taken.

    Args:
        path: the file or folder.
        names: what the arrays are called there -> what they are called here, for
            names that nobody else uses.

    Raises:
        InputError: if the file cannot be read, holds pickled objects, or lacks
            an array.
    """
    return _read(path, names or {}, None)[0]


def read_codes_of(
    path: Path, labels: tuple[Array, Array], names: Mapping[str, str] | None = None
) -> tuple[CodesAndLabels, bool]:
    """Codes of items whose labels are known: `read_codes` of a file that need not hold labels.

    Args:
        path: the file or folder.
        labels: of queries and database, where the file has none.
        names: see `read_codes`.

    Returns:
        What the file holds, and whether the labels are its own.

    Raises:
        InputError: see `read_codes`.
    """
    return _read(path, names or {}, labels)


def _read(
    path: Path, names: Mapping[str, str], labels: tuple[Array, Array] | None
) -> tuple[CodesAndLabels, bool]:
    try:
        source = _open(path)
        told = set(map(composed, names)) <= set(map(composed, source))
        if path.is_dir() and (not told or _lacking(_assigned(path, source, names))):
            source = expanded(path, source)
        chosen = _assigned(path, source, names)
        own = labels is None or any(name in chosen for name in LABELS)
        _demand(path, source, chosen, REQUIRED if own else CODES)
        return _inputs(path, _Arrays(path, source, chosen), None if own else labels), own
    except MemoryError as error:
        raise InputError(
            f"{path} does not fit into memory: give fewer or smaller arrays"
        ) from error


class _Arrays:
    """The arrays of a source by our names, each read when asked for."""

    def __init__(self, path: Path, source: Source, chosen: Mapping[str, str]) -> None:
        self._path, self._source, self._chosen = path, source, chosen

    def get(self, name: str) -> Array | None:
        theirs = self._chosen.get(name)
        if theirs is None:
            return None
        item = self._source[theirs]
        as_labels = item.read_labels if name in LABELS else None
        return _readable(self._path, theirs, as_labels or item.read)

    def __getitem__(self, name: str) -> Array:
        array = self.get(name)
        assert array is not None
        return array


def _open(path: Path) -> Source:
    if path.is_dir():
        return folder_of(path)
    kind = _readable(path, "", lambda: detect(path))
    return _readable(path, "", lambda: kind.open(path), kind.name, kind.remedy)


def _readable(
    path: Path,
    inside: str,
    work: Callable[[], T],
    kind: str = "file of arrays",
    remedy: str = "save all arrays again, with np.savez for example",
) -> T:
    """What `work` gives; damage is told in a sentence."""
    at = f"'{shown(inside, 40)}' in {path}" if inside else str(path)
    try:
        return work()
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}: check --codes") from error
    except (OSError, ValueError) as error:
        if inside:
            raise InputError(
                f"{at} is not a readable array ({shown(error)}): save it again as plain numbers"
            ) from error
        raise InputError(f"{at} is not a readable {kind} ({shown(error)}): {remedy}") from error


def _assigned(path: Path, source: Source, names: Mapping[str, str]) -> dict[str, str]:
    try:
        return assign(source, names)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _lacking(chosen: Mapping[str, str], required: Sequence[str] = REQUIRED) -> list[str]:
    return [
        name
        for name in required
        if name not in chosen and name.replace("codes", "relaxed") not in chosen
    ]


def _demand(path: Path, source: Source, chosen: Mapping[str, str], required: Sequence[str]) -> None:
    lacking = _lacking(chosen, required)
    if lacking:
        kinds = [
            f"{shown(name, 30)} {shown(item.what, 30)}".strip() for name, item in source.items()
        ]
        more = f" and {len(kinds) - _LISTED} more" if len(kinds) > _LISTED else ""
        raise InputError(
            f"{path} has no array '{lacking[0]}': it holds "
            f"{', '.join(kinds[:_LISTED]) or 'nothing'}{more}; "
            f"if one of them is meant, say --names THEIRS={lacking[0]}"
        )
    sides = [f"{side}_relaxed" in chosen for side in ("query", "database")]
    if sides[0] != sides[1]:
        raise InputError(f"{path} has real outputs of one side: give both or none")


def _inputs(path: Path, arrays: _Arrays, known: tuple[Array, Array] | None) -> CodesAndLabels:
    sides = arrays.get("query_relaxed"), arrays.get("database_relaxed")
    relaxed = None if sides[0] is None or sides[1] is None else (sides[0], sides[1])
    try:
        bits = _whole_number(arrays["bits"]) if arrays.get("bits") is not None else None
        codes = []
        for side, outputs in zip(("query", "database"), sides, strict=True):
            given = arrays.get(f"{side}_codes")
            codes.append(_signs(side, outputs) if given is None else given)
        labels = known or [
            _ids(arrays[f"{side}_labels"], part)
            for side, part in zip(("query", "database"), codes, strict=True)
        ]
        return from_arrays(codes[0], codes[1], labels[0], labels[1], relaxed=relaxed, bits=bits)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _signs(side: str, outputs: Array | None) -> Array:
    assert outputs is not None
    if outputs.dtype.kind not in "biuf" or outputs.ndim != 2:
        raise InputError(f"{side} outputs must be numbers in two dimensions, got {outputs.dtype}")
    return outputs > 0


def _ids(labels: Array, codes: Array) -> Array:
    """A row of class ids, as MATLAB and SciPy keep a list of them, as a list."""
    row = codes.ndim == labels.ndim == 2 and labels.shape == (1, len(codes)) and len(codes) > 1
    return labels[0] if row else labels


def _whole_number(bits: Array) -> int:
    if bits.size == 1 and bits.dtype.kind in "iuf":
        value = bits.item()
        if abs(value) < 2**31 and value == int(value):
            return int(value)
    raise InputError(f"'bits' must be one whole number, got {shown(str(bits), 30)}")
