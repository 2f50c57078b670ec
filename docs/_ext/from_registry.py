"""Pages made from the registry each time the site is built, under `generated/`.

What a page says of a method, a convention or a data set is what the part says of itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import method_pages
import part_pages

#: Files beside docs/ that pages link to, and where the site has them.
OUTSIDE = {"../CONTRIBUTING.md": "contributing.md"}


def pages(docs: Path) -> dict[str, str]:
    """The text of every generated page by its path under `generated/`."""
    return {**method_pages.pages(docs), **part_pages.pages()}


def write(docs: Path) -> None:
    """Write the generated pages, those alone that changed, and remove what is generated no more."""
    folder = docs / "generated"
    made = pages(docs)
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    for path in folder.rglob("*.md"):
        if path.relative_to(folder).as_posix() not in made:
            path.unlink()


def _generate(app: Any) -> None:
    write(Path(app.srcdir))


def _redirect(_app: Any, _name: str, source: list[str]) -> None:
    """Let links to files outside docs/, which work on a code host, work on the site too."""
    for outside, page in OUTSIDE.items():
        source[0] = re.sub(rf"\]\({re.escape(outside)}(#[^)]*)?\)", rf"]({page}\1)", source[0])


def _drop_patterns(app: Any, name: str, source: list[str]) -> None:
    """Take patterns that match no page out of a section's contents, where they are errors."""
    if name.startswith("sections/"):

        def kept(match: re.Match[str]) -> str:
            return match[0] if any(Path(app.srcdir).glob(f"{match[1]}.md")) else ""

        source[0] = re.sub(r"^\.\./([\w-]+\*)\n", kept, source[0], flags=re.MULTILINE)


def _examples_as_code(_app: Any, _context: Any, lines: list[str]) -> None:
    """Show the commands of a verb's examples as a block of code, not as lines of a poem."""
    made: list[str] = []
    for line in lines:
        if re.match(r"\|  +hashbench ", line):
            if made and made[-1].startswith("| "):
                made[-1] = f"{made[-1][2:].rstrip(':')}:"
                made += ["", ".. code-block:: console", ""]
            line = f"    {line[1:].strip()}"
        made.append(line)
    lines[:] = made


def setup(app: Any) -> dict[str, Any]:
    """Sphinx's door for extensions."""
    app.connect("builder-inited", _generate)
    app.connect("source-read", _redirect)
    app.connect("source-read", _drop_patterns)
    app.connect("sphinx-click-process-epilog", _examples_as_code)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
