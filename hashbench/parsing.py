"""Words, numbers and lists as users write them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from hashbench.errors import InputError, shown

#: No list is longer: a slip such as 0-2000000000 must not fill the memory.
LONGEST = 10_000

#: No name of a folder has more commas.
_MOST_COMMAS = 20

#: The largest seed that may be asked for.
LARGEST_SEED = 2**31 - 1

#: Control characters, other ends of lines, and halves of characters.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

#: What may stand between the columns of a table, and words in quotes, where it does not.
_SEPARATORS, _QUOTED = re.compile("[,;\t]"), re.compile('"[^"]*"')

#: A row of zeros and ones, or a list as Python writes it, where the name of a class is expected.
_ROW, _BETWEEN = re.compile(r"[01]([\s,]+[01])+|\[.*\]"), re.compile(r"[\s,]+")

#: Numbers that JSON does not take, for they begin or end with their point, or with a plus.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)


_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")


def printable(text: str) -> bool:
    """Whether a text can be printed on one line and written as UTF-8."""
    return _UNPRINTABLE.search(text) is None


def in_number(count: int, one: str, many: str) -> str:
    """`1 query` or `2,000 queries`."""
    return f"{count:,} {one if count == 1 else many}"


def separator(header: str) -> tuple[str, str]:
    """What stands between the columns of a table, and its name: a comma, a semicolon or a tab.

    Spreadsheets write semicolons where numbers have decimal commas. The first of the three in the
    table's first line counts, but for those in quotes.
    """
    found = _SEPARATORS.search(_QUOTED.sub("", header))
    return {",": (",", "comma"), ";": (";", "semicolon"), "\t": ("\t", "tab")}[
        found[0] if found else ","
    ]


def demand_distinct(where: str, classes: Iterable[str]) -> None:
    """Raise where two names of classes are one number, as 007 and 7 are.

    Args:
        where: what has them, to begin the sentence with.
        classes: the names.

    Raises:
        InputError: naming the first two that are.
    """
    numbers: dict[float, str] = {}
    blanks: dict[str, str] = {}
    for word in sorted(classes):
        if (one := blanks.setdefault(" ".join(word.split()), word)) != word:
            raise InputError(
                f"{where} {'have' if where == 'labels' else 'has the labels'} '{shown(one, 20)}' "
                f"and '{shown(word, 20)}', which differ in blanks alone: write it in one way"
            )
        try:
            first = numbers.setdefault(int(word) if _WHOLE.fullmatch(word) else float(word), word)
        except ValueError:
            continue
        if first != word:
            verb = "have" if where == "labels" else "has the labels"
            raise InputError(
                f"{where} {verb} '{shown(first, 20)}' and '{shown(word, 20)}', which are one "
                "number: write it in one way"
            )


def is_class(word: str) -> bool:
    """Whether a word may name a class, and is no row of zeros and ones, list, NaN or nothing."""
    return bool(word) and not _ROW.fullmatch(word) and word.lower() != "nan"


def glued(words: Collection[str]) -> str | None:
    """A word that may be a row of zeros and ones run together; None where none may be.

    With a single one in each row it makes no difference, as both tell the same classes apart.
    """
    sizes = {len(word) for word in words}
    if len(sizes) == 1 and min(sizes) > 2 and set().union(*words) <= {"0", "1"}:
        return min((word for word in words if word.count("1") != 1), default=None)
    return None


def demand_single(where: str, classes: Collection[str]) -> None:
    """Raise where one class may well be several.

    Args:
        where: what has them, to begin the sentence with.
        classes: the names.

    Raises:
        InputError: naming the first that may.
    """
    known = set(classes)
    for word in sorted(known):
        pieces = [piece for piece in _BETWEEN.split(word) if piece]
        if len(pieces) > 1 and known.issuperset(pieces):
            array = where == "labels"
            mend = "give (n, classes) of 0 and 1 for several" if array else "put ; between several"
            raise InputError(
                f"{where} {'have' if array else 'has'} the label '{shown(word, 40)}' and each word "
                f"of it as a label too: {mend}, or write - for the blanks of one label"
            )


def plain(text: str) -> str:
    """A stranger's text on one line for a terminal: what would move its cursor is a `?`."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def parse_numbers(text: str, what: str, *, low: int, high: int) -> tuple[int, ...]:
    """`16,32` or `0-4` as whole numbers between `low` and `high`.

    Raises:
        InputError: for anything else.
    """
    numbers: list[int] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        first, dash, last = part.partition("-")
        try:
            start = int(first)
            stop = int(last) if dash else start
        except ValueError:
            raise InputError(
                f"'{shown(part)}' in {what} is not a whole number: write {what} as 16,32 or 0-2"
            ) from None
        if not (low <= start <= stop <= high):
            raise InputError(
                f"'{shown(part)}' in {what} is out of range: {low} to {high} are possible"
            )
        if stop - start >= LONGEST:
            raise InputError(f"'{shown(part)}' in {what} is too long: at most {LONGEST} numbers")
        numbers += range(start, stop + 1)
    if not numbers:
        raise InputError(f"{what} is empty: name at least one number")
    return tuple(dict.fromkeys(numbers))


def parse_names(
    text: str | Sequence[str], whole: Callable[[str], bool] | None = None
) -> tuple[str, ...]:
    """`a, b` as ("a", "b").

    Args:
        text: as typed, or the names.
        whole: whether what has commas is one name; the longest that is counts.
    """
    if isinstance(text, str):
        pieces = text.split(",")
        if whole is not None and len(pieces) <= LONGEST:
            pieces = _joined(pieces, whole)
    else:
        pieces = list(text) if isinstance(text, Iterable) else [text]
        if wrong := [piece for piece in pieces if not isinstance(piece, str)]:
            raise InputError(f"names must be texts, got {shown(wrong[0], 40)}")
    return tuple(dict.fromkeys(filter(None, (piece.strip() for piece in pieces))))


def _joined(pieces: list[str], whole: Callable[[str], bool]) -> list[str]:
    found = []
    while pieces:
        ends = range(min(len(pieces), _MOST_COMMAS + 1), 1, -1)
        end = next((end for end in ends if whole(",".join(pieces[:end]).strip())), 1)
        found.append(",".join(pieces[:end]))
        pieces = pieces[end:]
    return found


def parse_seeds(text: str, what: str = "--seeds") -> tuple[int, ...]:
    """`5` as the five seeds 0 to 4; `0-2`, `0,5` and `7,` as the seeds they list.

    Raises:
        InputError: for anything else.
    """
    if text.strip().isdecimal():
        count = int(text) if len(text.strip()) <= len(str(LONGEST)) else LONGEST + 1
        if not 1 <= count <= LONGEST:
            raise InputError(
                f"{what} {shown(text, 20)} asks for that many seeds, and 1 to {LONGEST} are "
                f"possible: for the seed itself write a comma after it, as in {what} 7,"
            )
        return tuple(range(count))
    return parse_numbers(text, what, low=0, high=LARGEST_SEED)


def parse_duration(text: str, what: str) -> float:
    """`90`, `90s`, `15m` or `2h` as seconds.

    Raises:
        InputError: for anything else, and for no time at all.
    """
    return _measure(text, what, {"": 1, "s": 1, "m": 60, "h": 3600}, "90s, 15m or 2h")


def parse_size(text: str, what: str) -> int:
    """`800M`, `4G` or `4GiB` as bytes; the units are powers of 1024.

    Raises:
        InputError: for anything else, and for no size at all.
    """
    units = {"m": 2**20, "g": 2**30, "t": 2**40}
    units |= {f"{unit}{tail}": size for unit, size in units.items() for tail in ("b", "ib")}
    return int(_measure(text, what, units, "800M or 4G"))


def _measure(text: str, what: str, units: Mapping[str, int], examples: str) -> float:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]*)", text.strip().lower())
    if match is None or match[2] not in units or float(match[1]) == 0:
        raise InputError(f"cannot read {what} '{shown(text)}': write it as {examples}")
    return float(match[1]) * units[match[2]]


def parse_value(text: str) -> Any:
    """A hyper-parameter's value as one types it: JSON, a number such as .5 or 1., or a word.

    Example:
        >>> [parse_value(text) for text in ("10", ".5", "true", "[1, 2]", "cosine")]
        [10, 0.5, True, [1, 2], 'cosine']
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        word = text.strip()
    return float(word) if _NUMBER.fullmatch(word) else word
