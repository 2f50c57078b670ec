"""Tables of text: a matrix of numbers, or one line an item."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from pathlib import Path
from typing import Literal

import numpy as np

from hashbench.errors import InputError, shown
from hashbench.evaluation.foreign.source import MOST_BYTES, Array, Source, entry
from hashbench.files import open_regular
from hashbench.parsing import demand_distinct, in_number, separator

#: A line without separators is a code from this many digits on; fewer are a class id.
_SHORTEST_CODE = 8
_SIDES = {
    "query": "query",
    "test": "query",
    "tst": "query",
    "database": "database",
    "db": "database",
    "retrieval": "database",
    "gallery": "database",
    "train": "database",
    "trn": "database",
}
#: Words for items to learn from, which some search too.
_TRAINING = ("train", "trn")
#: A blank beside what is no number: within a name, or between two.
_NAMES = re.compile(r"[^\s;]*[^\s;\d+-][^\s;]*\s+[^\s;]|[^\s;]\s+[^\s;]*[^\s;\d+-]")
#: What stands between the numbers of a line.
_SEPARATOR = re.compile(r"[\s,;]")
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_COLUMNS = {
    "split": ("split", "side", "set"),
    "codes": ("code", "codes", "hash"),
    "labels": ("label", "labels", "class"),
}


def read_table(path: Path) -> Array:
    """A text file as one array.

    Lines of numbers, separated by blanks, commas, semicolons or tabs, are a
    matrix; one number or word a line is a list; lines of zeros and ones without
    separators (8 or more) are codes.

    Raises:
        OSError: if it cannot be opened.
        ValueError: if lines differ in length, or hold what is neither.
    """
    return _matrix(_lines(path))


def read_label_table(path: Path) -> Array:
    """A text file as labels: as `read_table`, but digits without separators are ids of classes.

    Raises:
        OSError: if it cannot be opened.
        ValueError: if lines differ in length, or hold what is neither.
        InputError: if a label may mean two things, or two may mean one.
    """
    lines = _lines(path)
    names = [line.strip() for line in lines]
    if names and not any(map(_has_number, names)):
        several = next((name for name in names if re.search("[,;|\t]", name)), None)
        if several is not None:
            raise ValueError(
                f"'{shown(several, 40)}' may be several classes: give 0 and 1 for each"
            )
        return np.array(names)  # a class each, which may have blanks in its name
    return _matrix(lines, codes=_are_rows(path, lines))


def _has_number(line: str) -> bool:
    """Whether a word of a line is a number, NaN too."""
    for word in _SEPARATOR.split(line):
        try:
            float(word)
        except ValueError:
            continue
        return True
    return False


def open_text(path: Path) -> Source:
    """A table with a line an item: the columns `split`, `code` and `label`.

    Commas, semicolons or tabs stand between them, as the first line shows.
    `split` says query or database (or test, train, ...); a code is written
    without separators or with blanks; an item of several classes has their ids
    separated by blanks or semicolons, their names by semicolons.

    Raises:
        OSError: if it cannot be opened.
        ValueError: if it is no such table.
        InputError: if a label may mean two things, or two may mean one.
    """
    lines = _lines(path)
    delimiter, name = separator(lines[0] if lines else "")
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    heading = [name.strip().lower() for name in rows[0]] if rows else []
    at = {column: _column(heading, names) for column, names in _COLUMNS.items()}
    if -1 in at.values():
        raise ValueError("its first line does not name the columns split, code and label")
    parts: dict[str, tuple[list[str], list[str]]] = {"query": ([], []), "database": ([], [])}
    words: dict[str, str] = {}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) != len(heading):
            raise ValueError(
                f"line {number} has {in_number(len(row), 'column', 'columns')}, and the first "
                f"{len(heading)}: a cell with a {name} needs quotes"
            )
        word = row[at["split"]].strip().lower()
        side = _SIDES.get(word)
        if side is None:
            raise ValueError(f"line {number} says neither query nor database")
        first = words.setdefault(side, word)
        if (first in _TRAINING) != (word in _TRAINING):
            raise ValueError(
                f"it has rows of '{first}' and of '{word}', and both would be searched: leave one "
                "of them out, or call both database"
            )
        parts[side][0].append(row[at["codes"]].strip())
        parts[side][1].append(row[at["labels"]].strip())
    found: Source = {}
    every = [text for _, labels in parts.values() for text in labels]
    several = _several(every)
    if several:
        demand_distinct(str(path), {word for text in every for word in _words(text)})
    rows_of_digits = not several and _are_rows(path, every)
    classes: dict[str, int] = {}
    if several:
        for _, labels in parts.values():
            for text in labels:
                for word in _words(text):
                    classes.setdefault(word, len(classes))
    for side, (codes, labels) in parts.items():
        found[f"{side}_codes"] = entry(_matrix(codes))
        found[f"{side}_labels"] = entry(
            _hot(labels, classes) if several else _matrix(labels, codes=rows_of_digits)
        )
    return found


def _column(heading: list[str], names: tuple[str, ...]) -> int:
    """Where the column of one of these names is; -1 where there is none.

    Raises:
        ValueError: if there are several.
    """
    found = [place for place, name in enumerate(heading) if name in names]
    if len(found) > 1:
        named = " and ".join(f"'{heading[place]}'" for place in found[:2])
        raise ValueError(f"its columns {named} may both be the {names[0]}: leave one of them")
    return found[0] if found else -1


def _several(labels: list[str]) -> bool:
    """Whether labels are lists of classes, rather than a class or a row of zeros and ones each.

    An item without a label has an empty list.

    Raises:
        ValueError: if blanks may be within names or between them, or there is no label at all.
    """
    lists = [_words(text) for text in labels]
    sizes = {len(words) for words in lists}
    if sizes == {0}:
        raise ValueError("no item has a label")
    if sizes <= {1}:
        return False
    different = {word for words in lists for word in words}
    if len(sizes) == 1 and (different <= {"0", "1"} or different <= {"-1", "1"}):
        return False
    blank = next((text for text in labels if _NAMES.search(text)), None)
    if blank is not None:
        raise ValueError(f"'{shown(blank, 20)}': put ; between classes, _ within a name")
    return True


def _are_rows(path: Path, labels: list[str]) -> bool:
    """Whether labels of one word are rows of zeros and ones, rather than ids of classes.

    With a single one in each it makes no difference, as both tell the same classes apart.

    Raises:
        InputError: if they may be either, or two of them are one number.
    """
    texts = {label.strip() for label in labels}
    if any(_SEPARATOR.search(text) for text in texts):
        return True
    if len({len(text) for text in texts}) == 1 and all(map(_is_code, texts)):
        odd = min((text for text in texts if text.count("1") != 1), default=None)
        if odd is None:
            return True
        raise InputError(
            f"{path}: the label '{shown(odd, 40)}' may be one class or a row of zeros and ones: "
            "put blanks between the numbers of a row, or a letter before the name of a class"
        )
    demand_distinct(str(path), texts)
    return False


def _is_code(text: str) -> bool:
    return len(text) >= _SHORTEST_CODE and set(text) <= {"0", "1"}


def _hot(labels: list[str], classes: dict[str, int]) -> Array:
    """Lists of ids as `(n, classes)` uint8."""
    if len(labels) * len(classes) > MOST_BYTES:
        raise ValueError(f"it has {len(classes):,} different labels")
    # Two columns at least: a single one would be one of ids.
    hot = np.zeros((len(labels), max(2, len(classes))), np.uint8)
    for row, text in enumerate(labels):
        hot[row, [classes[word] for word in _words(text)]] = 1
    return hot


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[;\s]+", unicodedata.normalize("NFC", text)) if word]


def _lines(path: Path) -> list[str]:
    """The lines of a text file that hold anything."""
    with open_regular(path) as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError("it has more than 1 GiB of text")
    if b"\0" in data:
        raise ValueError("it is no text")
    text = data.decode("utf-8-sig")  # its error is a ValueError
    return [line for line in io.StringIO(text) if line.strip(" \t\r\n,;")]


def _matrix(lines: list[str], *, codes: bool = True) -> Array:
    """Lines as one array; digits without separators as codes, or else as numbers."""
    first = lines[0].strip() if lines else ""
    if _SEPARATOR.search(first):
        if any("," in line and ";" in line for line in lines):
            raise ValueError("commas and semicolons stand in one line: write 0.5 for 0,5")
        return _numbers([re.sub(r"[\s,;]+", " ", line) for line in lines], 2)
    texts = [line.strip() for line in lines]
    if codes and _is_code(first):
        if any(len(text) != len(first) or set(text) - {"0", "1"} for text in texts):
            raise ValueError("its codes are not all of one length and of zeros and ones")
        digits = np.frombuffer("".join(texts).encode(), np.uint8) - ord("0")
        return digits.reshape(len(texts), len(first))
    try:
        return _numbers(texts, 1)
    except ValueError:
        if max(map(len, texts), default=0) > 200:
            raise
        return np.array(texts)


def _numbers(lines: list[str], dimensions: Literal[1, 2]) -> Array:
    if not any(map(str.strip, lines)):
        raise ValueError("it is empty")
    try:
        values = np.loadtxt(lines, np.float64, ndmin=dimensions, comments=None)
    except ValueError:  # NumPy's sentence has several lines
        raise ValueError("its lines are not all of the same number of numbers") from None
    finite = np.isfinite(values).all()
    whole = finite and (values == np.trunc(values)).all()
    if whole and (np.abs(values) < 2**53).all():
        return values.astype(np.int64)
    if dimensions == 1 and all(_WHOLE.fullmatch(line) for line in lines):
        found = np.array([int(line) for line in lines])  # what floats cannot tell apart
        return found if found.dtype.kind in "iu" else values
    return values
