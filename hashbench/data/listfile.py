"""Reading the image lists everyone exchanges: `path 0 1 0 ...`, one image a line."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hashbench.data.names import path_parts
from hashbench.errors import InputError, shown
from hashbench.files import open_regular
from hashbench.parsing import in_number, printable
from hashbench.spelling import composed

#: Bytes of the longest line that is read; 80 classes take 200.
LONGEST = 64 * 1024

#: Lines and bytes of the longest list that is read: a gzip can hold a thousand times its size.
MOST, LARGEST = 16_000_000, 4 * 1024**3

#: The labels at the end of a line, read backwards so that no line takes longer than its length.
_LABELS = re.compile(rb"(?:[01]\s+)+")


@dataclass(frozen=True, eq=False)
class ImageList:
    """One list.

    Attributes:
        file: where it was read from.
        paths: one path per image as listed, with `/`, composed letters and no leading `./`.
        labels: `(n, classes)` uint8 multi-hot.
        lines: line number of each image, for messages.
    """

    file: Path
    paths: list[str]
    labels: NDArray[np.uint8]
    lines: list[int]


def read_list(file: Path) -> ImageList:
    """Read a list, gzipped if its name ends in `.gz`; blank lines are skipped.

    Raises:
        InputError: naming file and line, for anything that is not of this form.
    """
    paths: list[str] = []
    rows: list[bytes] = []
    lines: list[int] = []
    seen: dict[str, int] = {}
    for number, line in read_lines(file):
        where = f"{file}, line {number}"
        if b"\0" in line:
            raise InputError(f"{where} holds a NUL byte: save the list as UTF-8 text")
        if not line.strip():
            continue
        line = line.strip()
        match = _LABELS.match(line[::-1])
        if match is None:
            raise InputError(f"{where}: {_complaint(line)}")
        try:
            path = line[: -match.end()].decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{where} is not UTF-8 text: save the list as UTF-8") from error
        if len(path) > 2 and path[0] == path[-1] == '"':  # as tables quote names with blanks
            path = path[1:-1]
        path = "/" * path.startswith("/") + composed("/".join(path_parts(path, where)))
        digits = match[0][::-1].translate(None, b" \t\r\n\v\f")
        if rows and len(digits) != len(rows[0]):
            raise InputError(
                f"{where} has {in_number(len(digits), 'label', 'labels')} and line {lines[0]} has "
                f"{len(rows[0])}: "
                "every line needs one 0 or 1 for each class"
            )
        if path in seen:
            raise InputError(
                f"{where} lists {shown(path)} again, after line {seen[path]}: remove one"
            )
        seen[path] = number
        paths.append(path)
        rows.append(digits)
        lines.append(number)
    if not paths:
        raise InputError(f"{file} lists no image: write one `path 0 1 0 ...` on every line")
    if len(rows[0]) == 1:
        raise InputError(
            f"{file}, line {lines[0]} has a single label, which may be the id of a class or say "
            "nothing of another: write one 0 or 1 for each class, two at least"
        )
    labels = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1) - np.uint8(48)
    return ImageList(file, paths, labels, lines)


def class_names(folder: Path, count: int) -> tuple[str, ...]:
    """The names in `classes.txt` beside a list, one a line; numbers where there is no such file.

    Raises:
        InputError: if it cannot be read, or names another number of classes.
    """
    path = folder / "classes.txt"
    if not path.is_file():
        return tuple(f"class {number}" for number in range(count))
    try:
        with open_regular(path) as stream:
            names = stream.read().decode("utf-8-sig").split("\n")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({shown(error)}): save it as UTF-8") from error
    names = [composed(name.strip()) for name in names if name.strip()]
    if not all(map(printable, names)):
        raise InputError(f"{path} holds a control character: write one class name a line")
    if len(names) != count:
        raise InputError(
            f"{path} names {in_number(len(names), 'class', 'classes')} and the lists have {count}"
        )
    return tuple(names)


def read_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Numbers and bytes of the lines of a text, gzipped if its name ends in `.gz`.

    Raises:
        InputError: if it cannot be read, or is longer than any list.
    """
    try:
        with open_regular(file) as plain:
            stream = gzip.GzipFile(fileobj=plain) if file.suffix == ".gz" else plain
            number = size = 0
            while line := stream.readline(LONGEST + 1):
                number += 1
                size += len(line)
                if number > MOST or size > LARGEST:
                    raise InputError(
                        f"{file} has more than {MOST:,} lines or {LARGEST:,} bytes of text: "
                        "this is no image list"
                    )
                if len(line) > LONGEST:
                    raise InputError(
                        f"{file}, line {number} is longer than {LONGEST:,} bytes: "
                        "this is no image list"
                    )
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{file} cannot be read ({shown(error)}): replace it with a whole copy"
        ) from error


def _complaint(line: bytes) -> str:
    words = line.split()
    if len(words) == 1 and re.search(rb"[,;][01]$", line):
        return "the labels are not apart: write `path 0 1 0 ...` with blanks or tabs between them"
    if len(words) == 1:
        return "there are no labels: write `path 0 1 0 ...` with one 0 or 1 for each class"
    bad = next((word for word in reversed(words) if word not in (b"0", b"1")), words[0])
    word = shown(bad[:160].decode("utf-8", "replace"), 40)
    return f"'{word}' is not a label: write `path 0 1 0 ...` with one 0 or 1 for each class"
