"""Docstrings in Google's style, taken apart and made fit for a Markdown page."""

from __future__ import annotations

import inspect
import re

from markdown_text import escaped

_SECTIONS = ("Args", "Attributes", "Class attributes", "Example", "Raises", "Returns", "Yields")
_HEADING = re.compile(rf"^(?:{'|'.join(_SECTIONS)}):$", flags=re.MULTILINE)


def prose(part: object) -> str:
    """What a docstring says before its first section, as Markdown.

    Indented formulae stay what they are, which is a code block in Markdown too.
    """
    text = _HEADING.split(inspect.getdoc(part) or "")[0].strip()
    return "\n".join(
        line if line.startswith("    ") else escaped(line) for line in text.splitlines()
    )


def arguments(cls: type) -> dict[str, str]:
    """What a class and its bases say of each argument of theirs, by name."""
    found: dict[str, str] = {}
    for base in cls.__mro__:
        for name, text in _own_arguments(base).items():
            found.setdefault(name, text)
    return found


def _own_arguments(cls: type) -> dict[str, str]:
    text = inspect.cleandoc(cls.__doc__ or "")
    match = re.search(r"^Args:\n((?:    .*\n?|\n)+)", text, flags=re.MULTILINE)
    if match is None:
        return {}
    found = re.findall(r"^    (\w+): ((?:.*\n?)(?:     +.*\n?)*)", match[1], flags=re.MULTILINE)
    return {name: " ".join(said.split()) for name, said in found}
