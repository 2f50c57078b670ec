"""Texts of a stranger's results on their way out: one function a sink, and none goes out raw.

Titles, reasons, settings and BibTeX come from records, and records may come from anybody.
"""

from __future__ import annotations

import hashlib
import re

from hashbench.errors import shown
from hashbench.parsing import plain

#: Longest reason of a failure printed below a table; the CSV has the whole of it.
LONGEST_NOTE = 200

#: Longest note on a whole table, which may name every row of it.
LONGEST_REMARK = 2000

#: Longest part of a file's name; file systems allow 255 bytes in all.
LONGEST_NAME = 120

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": "$<$", ">": "$>$", "|": r"\textbar{}", '"': "''",
    "±": r"$\pm$", "≤": r"$\leq$", "−": "$-$", "†": r"\textsuperscript{\dag}", "Δ": r"$\Delta$",
    "×": r"$\times$", "–": "-{}-",
}  # fmt: skip

_FOREIGN = "äöüÄÖÜßéèêáàâíìîóòôúùûçñÉÈÀ"

#: An entry of a bibliography: its type, its key, the rest.
_ENTRY = re.compile(r"\s*@([a-z]+)\s*\{\s*([A-Za-z0-9][A-Za-z0-9:._+/-]*)\s*,(.*)\}\s*", re.S)
_ENTRY_TYPES = {
    "article", "book", "booklet", "conference", "inbook", "incollection", "inproceedings",
    "manual", "mastersthesis", "misc", "online", "phdthesis", "proceedings", "techreport",
    "unpublished",
}  # fmt: skip
#: Commands that set a letter; any other could read files or never end.
_LETTERS = re.compile(
    r"\\(?:[\"'`^~=.&%_$#/-]|(?:ss|oe|OE|ae|AE|aa|AA|[oOlLijcvuHkrdbt])(?![A-Za-z]))"
)


def one_line(text: str, longest: int = LONGEST_NOTE) -> str:
    """A text on one line of at most `longest` characters, without control characters."""
    return shown(" ".join(text.split()), longest) if text.strip() else ""


def remark(text: str) -> str:
    """One of a series' `notes` on one line."""
    return one_line(text, LONGEST_REMARK)


def for_terminal(text: str) -> str:
    """A text that no terminal takes for a command; whole, on one line."""
    return plain(text)


def for_csv(value: object) -> object:
    """A value that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(value, str) and value.lstrip()[:1] in tuple("=+-@"):
        return f"'{value}"
    return value


def for_markdown(text: str) -> str:
    """A text that no Markdown reader takes for markup."""
    text = " ".join(for_terminal(" ".join(text.split())).split())
    for character in "\\`*_[]<>|~#&$":
        text = text.replace(character, f"\\{character}")
    return text


def for_latex(text: str) -> str:
    """A text as LaTeX; what a font of pdflatex may lack becomes a question mark."""
    out = "".join(
        _SPECIAL.get(c, c if c.isascii() and c.isprintable() else _foreign(c))
        for c in " ".join(text.split()).replace("<=", "≤")
    )
    return out.replace("--", "-{}-")  # options of a command are no dashes


def for_figure(text: str) -> str:
    """A text that matplotlib takes for no formula and leaves in no legend out."""
    text = for_terminal(text).replace("$", r"\$").replace("<=", "≤")
    return f" {text}" if text.startswith("_") else text


def for_bibtex(text: str) -> tuple[str, str] | None:
    """The key and the text of a BibTeX entry; None if it is none that is safe to typeset."""
    match = _ENTRY.fullmatch(text)
    if match is None or match[1] not in _ENTRY_TYPES or not _balanced(match[3]):
        return None
    if not re.search(r"\w+\s*=", match[3]) or "@" in match[3]:
        return None
    plain = _LETTERS.sub("", match[3])
    if set("\\^%#$") & set(plain) or not all(c.isprintable() or c in "\n\t" for c in plain):
        return None
    body = "".join(c if c.isascii() or c in _FOREIGN else "?" for c in match[3])
    return match[2], f"@{match[1]}{{{match[2]},{body.rstrip()}\n}}"


def slug(*parts: str) -> str:
    """ASCII letters, digits and single dashes; what was cut or is foreign becomes a digest."""
    whole = "-".join(parts)
    text = "".join(c if c.isascii() and c.isalnum() else "-" for c in whole)
    text = "-".join(filter(None, text.split("-")))
    if len(text) <= LONGEST_NAME and whole.isascii():
        return text
    digest = hashlib.sha256(whole.encode(errors="replace")).hexdigest()[:8]
    return "-".join(filter(None, [text[: LONGEST_NAME - 9], digest]))


def _foreign(character: str) -> str:
    return character if character in _FOREIGN else "?"


def _balanced(text: str) -> bool:
    depth = 0
    for character in re.sub(r"\\.", "", text, flags=re.S):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0
