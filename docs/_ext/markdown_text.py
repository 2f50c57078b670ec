"""Plain text as Markdown, and tables of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator


def escaped(line: str) -> str:
    """A line in which nothing but code spans is markup."""
    parts = re.split(r"(`[^`]*`)", line)
    return "".join(
        part if part.startswith("`") else re.sub(r"([<>*\[\]])", r"\\\1", part) for part in parts
    )


def cell(text: str) -> str:
    """A text that fits a cell of a Markdown table."""
    return escaped(" ".join(text.split())).replace("|", "\\|")


def table(heads: str, rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a table; heads are separated by bars, cells are Markdown already."""
    yield f"| {heads} |"
    yield "|---" * (heads.count("|") + 1) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
