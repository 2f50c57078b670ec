"""Images and labels as people have them: a folder of class folders, a CSV, or one list."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hashbench.data.images import SUFFIXES
from hashbench.data.listfile import class_names, read_lines, read_list
from hashbench.data.names import hidden, path_parts
from hashbench.errors import InputError, shown
from hashbench.parsing import (
    demand_distinct,
    demand_single,
    glued,
    in_number,
    is_class,
    printable,
    separator,
)
from hashbench.spelling import composed

#: What the header of a CSV may call the column of paths, and the column of labels.
PATHS = ("path", "file", "filename", "image", "name")
LABELS = ("label", "labels", "class", "classes")

#: Separate the labels of an image that has several, within their column.
SEPARATORS = ";|"

#: Subfolders that hold queries and what is searched, each with its class folders.
ASKED, SEARCHED = ("test", "query", "val"), ("train", "database")


#: What parts of a split are called, none of which is a class where all folders are.
PARTS = frozenset(
    (*ASKED, *SEARCHED, "queries", "testing", "valid", "validation", "dev", "training", "gallery")
)


#: What a cell of a class's column may hold: as pandas writes it, and -1 for no.
_MARKS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1, "-1": -1, "-1.0": -1}


@dataclass(frozen=True, eq=False)
class Gathered:
    """Images and labels, not yet split.

    Attributes:
        names: one path per image within `root`, with `/`.
        labels: `(n, classes)` uint8 multi-hot.
        classes: class names, in label order.
        root: the folder names start from.
        queries: `(n,)` bool, which images ask where the folders say so; None otherwise.
    """

    names: list[str]
    labels: NDArray[np.uint8]
    classes: tuple[str, ...]
    root: Path
    queries: NDArray[np.bool_] | None = None


def gather(path: Path) -> Gathered:
    """Read whichever of the three is there.

    Raises:
        InputError: if it is none of them, or malformed; the sentence names file and line.
    """
    if path.is_dir():
        return gather_folders(path)
    if path.suffix.lower() in (".csv", ".tsv"):
        return gather_csv(path)
    listed = read_list(path)
    classes = class_names(path.parent, listed.labels.shape[1])
    names = [name.lstrip("/") for name in listed.paths]
    return Gathered(names, listed.labels, classes, path.parent)


def gather_folders(root: Path) -> Gathered:
    """A folder of class folders, or two such folders of which one asks (`test/`, `train/`).

    Raises:
        InputError: if there are fewer than two classes, or a folder cannot be listed.
    """
    top = _folders(root)
    asked = [name for name in top if name in ASKED]
    searched = [name for name in top if name in SEARCHED]
    parts = [*searched, *asked] if len(asked) == len(searched) == 1 == len(top) // 2 else [""]
    _demand_classes(root, top, parts)
    names: list[str] = []
    kinds: list[str] = []
    queries: list[bool] = []
    for part in parts:
        for kind in _folders(root / part):
            found = _images(root / part / kind)
            prefix = f"{part}/{kind}" if part else kind
            names += [f"{prefix}/{name}" for name in found]
            kinds += [composed(kind)] * len(found)
            queries += [part in asked] * len(found)
    classes = tuple(sorted(set(kinds)))
    if len(classes) < 2:
        raise InputError(
            f"{root} holds images of {in_number(len(classes), 'class', 'classes')}: put the "
            "images of each class into a "
            "folder of its own"
        )
    column = {kind: number for number, kind in enumerate(classes)}
    labels = np.eye(len(classes), dtype=np.uint8)[[column[kind] for kind in kinds]]
    asking = np.asarray(queries) if len(parts) > 1 else None
    return Gathered(names, labels, classes, root, asking)


def _demand_classes(root: Path, top: list[str], parts: list[str]) -> None:
    """Raise where parts of a split would count as classes, or images would be passed over."""
    if parts == [""]:
        if top and {name.lower() for name in top} <= PARTS and any(_folders(root / n) for n in top):
            raise InputError(
                f"{root} holds the parts {shown(', '.join(top), 60)} of a split, and no classes: "
                "name two folders train and test, or give one of them as images:PATH"
            )
        return
    other = next((name for name in top if name not in parts and _images(root / name)), None)
    if other is not None:
        raise InputError(
            f"{root} holds images in {shown(other, 40)} beside {' and '.join(parts)}: move them "
            "away, or into one of these"
        )


def _folders(folder: Path) -> list[str]:
    try:
        entries = [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError as error:
        raise InputError(f"{folder} cannot be listed ({shown(error)}): make it readable") from error
    for name in entries:
        if not printable(name):
            raise InputError(f"{folder} holds a folder '{shown(name)}' of no printable name")
    return sorted(name for name in entries if not hidden(name))


def _images(folder: Path) -> list[str]:
    """Names of the images anywhere below a folder, sorted."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not hidden(name)]
        within = Path(place).relative_to(folder).as_posix()
        for name in names:
            if os.path.splitext(name)[1].lower() in SUFFIXES and not hidden(name):  # noqa: PTH122 - hot
                told = name if within == "." else f"{within}/{name}"
                if not printable(told):
                    raise InputError(f"{folder} holds a file '{shown(told)}' of no printable name")
                found.append(told)
    return sorted(found)


def gather_csv(path: Path) -> Gathered:
    """A table whose header names a column of paths, and of labels or one column for each class.

    Commas, semicolons or tabs stand between columns, as the header shows.
    With one column of labels, several labels of an image stand in it between `;` or `|`, and
    an image without any has an empty cell. With a column for each class, cells are 0 or 1, or
    -1 or 1, or False or True.

    Raises:
        InputError: naming file and line, for anything else.
    """
    try:
        text = b"".join(line for _number, line in read_lines(path)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: save the table as UTF-8") from error
    if "\0" in text:
        raise InputError(f"{path} holds a NUL byte: save the table as UTF-8 text")
    between, name = separator(text.partition("\n")[0])
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    try:
        header = [composed(word.strip()) for word in next(rows, [])]
        table = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: {shown(error)}: mend the table") from error
    where = _column(header, PATHS)
    if where is None or len(header) < 2 or len(set(header)) != len(header):
        raise InputError(
            f"{path}, line 1: a header is needed that names a column 'path' and a column 'label', "
            "or 'path' and one column for each class"
        )
    if not table:
        raise InputError(f"{path} lists no image: write one a line")
    names = []
    for line, row in table:
        if len(row) != len(header):
            raise InputError(
                f"{path}, line {line} has {in_number(len(row), 'cell', 'cells')} and the header "
                f"{len(header)}: a cell with a {name} needs quotes"
            )
        parts = path_parts(row[where].strip(), f"{path}, line {line}")
        names.append(composed("/".join(parts)))
    twice, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise InputError(f"{path} lists {shown(twice)} twice: put its labels on one line")
    kind = _column(header, LABELS)
    if kind is not None and len(header) > 2:
        ignored = [word for word in header if word not in (header[where], header[kind])]
        raise InputError(
            f"{path}, line 1: beside '{header[kind]}' there is '{shown(ignored[0])}': keep path "
            "and label, or path and one column for each class"
        )
    if kind is None:
        labels, classes = _by_columns(path, header, where, table)
    else:
        labels, classes = _by_words(path, kind, table)
    return Gathered(names, labels, classes, path.parent)


def _column(header: list[str], names: tuple[str, ...]) -> int | None:
    found = [place for place, word in enumerate(header) if word.lower() in names]
    return found[0] if found else None


def _by_columns(
    path: Path, header: list[str], where: int, table: list[tuple[int, list[str]]]
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    columns = [place for place in range(len(header)) if place != where]
    if len(columns) < 2:
        raise InputError(
            f"{path}, line 1: '{shown(header[columns[0]], 40)}' is the only column beside the "
            "paths: call it 'label' if it holds classes, or give a column of 0 and 1 for each class"
        )
    labels = np.zeros((len(table), len(columns)), np.int8)
    first: dict[int, str] = {}
    for number, (line, row) in enumerate(table):
        for column, place in enumerate(columns):
            word = row[place].strip()
            value = _MARKS.get(word.lower())
            if value is None:
                raise InputError(
                    f"{path}, line {line}: '{shown(word, 40)}' in column "
                    f"'{shown(header[place], 40)}' is neither 0 nor 1: name the column of labels "
                    "'label' if it holds names"
                )
            first.setdefault(value, f"line {line}")
            labels[number, column] = value
    if {0, -1} <= first.keys():
        raise InputError(
            f"{path} has 0 ({first[0]}) and -1 ({first[-1]}) for classes: write one of them where "
            "an image is not of a class"
        )
    return (labels > 0).astype(np.uint8), tuple(header[place] for place in columns)


def _by_words(
    path: Path, kind: int, table: list[tuple[int, list[str]]]
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    words = []
    for line, row in table:
        cell = row[kind]
        for other in SEPARATORS[1:]:
            cell = cell.replace(other, SEPARATORS[0])
        mine = [composed(word.strip()) for word in cell.split(SEPARATORS[0]) if word.strip()]
        if not all(map(printable, mine)):
            raise InputError(f"{path}, line {line}: a label holds a control character")
        odd = next((word for word in mine if not is_class(word)), None)
        if odd is not None:
            raise InputError(
                f"{path}, line {line}: '{shown(odd, 40)}' is no name of a class: write names "
                "between ; (nothing for none), or a column of 0 and 1 for each class"
            )
        words.append(mine)
    found = {word for mine in words for word in mine}
    demand_distinct(str(path), found)
    if "-1" in found and len(found) > 2 and all(map(str.isdecimal, found - {"-1"})):
        raise InputError(
            f"{path}: the label '-1' may stand for none: leave the cell of an image without any "
            "empty, or put a letter before the numbers of classes"
        )
    if (odd := glued(found)) is not None:
        raise InputError(
            f"{path}: the label '{shown(odd, 40)}' may be a class or a row of zeros and ones: give "
            "a column of 0 and 1 for each class, or put a letter before the name of a class"
        )
    demand_single(str(path), found)
    classes = tuple(sorted(found))
    if len(classes) < 2:
        raise InputError(
            f"{path} has {in_number(len(classes), 'class', 'classes')}: at least 2 are needed"
        )
    column = {word: number for number, word in enumerate(classes)}
    labels = np.zeros((len(words), len(classes)), np.uint8)
    for number, mine in enumerate(words):
        labels[number, [column[word] for word in mine]] = 1
    return labels, classes
