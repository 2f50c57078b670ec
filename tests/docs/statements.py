"""What pages say that can be checked: commands, code spans, links, names."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

#: Every page that people read; those that are generated come from the registry.
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(page for page in DOCS.rglob("*.md") if DOCS / "generated" not in page.parents),
    ]
)

_FENCE = re.compile(r"^(`{3,}|:{3,})([^\n]*)\n(.*?)^\1[ \t]*$", flags=re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")


@dataclass(frozen=True)
class Command:
    """A command line of a page.

    Attributes:
        page: where it stands, from the root.
        words: of it, the first being `hashbench`.
        whole: whether it stands in a block, to be run as it is.
    """

    page: str
    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def named(page: Path) -> str:
    """A page by its path from the root."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[str]:
    """The code blocks of a page in one of the languages."""
    found = []
    for _, language, text in _FENCE.findall(page.read_text("utf-8")):
        if language.strip() in languages:
            found.append(text)
        elif language.lstrip().startswith("{tab-"):  # blocks within a tab
            found += [inner for _, name, inner in _FENCE.findall(text) if name in languages]
    return found


def spans(page: Path) -> list[str]:
    """The code spans of a page, each on one line; blocks are left out."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    return [" ".join(span.replace("\\|", "|").split()) for span in _SPAN.findall(text)]


def commands(page: Path) -> Iterator[Command]:
    """Every `hashbench ...` of a page, in blocks and in spans."""
    for block in blocks(page, "console", "sh", "bash", ""):
        for line in block.replace("\\\n", " ").splitlines():
            if re.match(r"(\$ )?hashbench ", line):
                yield Command(named(page), _words(line.removeprefix("$ ")), True)
    for span in spans(page):
        if span.startswith("hashbench "):
            yield Command(named(page), _words(span), False)


def _words(line: str) -> tuple[str, ...]:
    """The words up to a comment, a pipe or a redirection; <...> is one word."""
    words = shlex.split(re.sub(r"<[^<>]*>", "PLACEHOLDER", line), comments=True)
    ends = [at for at, word in enumerate(words) if word in {"|", ">", "&&", ";", "..."}]
    return tuple(words[: min(ends, default=len(words))])


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts and MyST make them."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-"))
    return found
