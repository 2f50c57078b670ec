"""How a verb prints: on stdout or into the file of --out, in tables that fit the terminal."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from hashbench.commands import kinds

#: Columns that are worth wrapping into.
LEAST = 20


class _Out(kinds.TypedPath):
    """A place of --out that can be written to, as far as can be told before anything is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found: Any = super().convert(value, param, ctx)
        if (why := _refusal(found)) is not None:
            from hashbench.errors import InputError, shown

            raise InputError(f"cannot write {shown(str(found), 200)}: {why}; choose another --out")
        return found


def _refusal(out: Path) -> str | None:
    """Why nothing can be written at a place, in the system's words, or None."""
    if str(out) == "-":
        return None
    from hashbench.files import is_special

    if is_special(out):
        return None if os.access(out, os.W_OK) else os.strerror(errno.EACCES)
    folder = Path(os.path.realpath(out)).parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent  # it will be made
    if not folder.is_dir():
        return os.strerror(errno.ENOTDIR)
    return None if os.access(folder, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)


#: The type of --out: what cannot be written is refused before what it would hold is computed.
OUT = _Out()
#: The same for what is a file in any case.
OUT_FILE = _Out(dir_okay=False)


@contextlib.contextmanager
def printed_to(out: Path | None) -> Iterator[None]:
    """Send what is printed within to a file; None and `-` leave it on stdout.

    The file is written once all is there, and not at all if an error ends the block.

    Raises:
        InputError: if the file cannot be written.
    """
    from hashbench.errors import InputError
    from hashbench.files import write_named

    if out is None or str(out) == "-":
        yield
        return
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        yield
    try:
        write_named(out, lambda stream: stream.write(text.getvalue().encode()))
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}; choose another --out") from error
    click.echo(f"Wrote {out}.", err=True)


def echo_table(rows: Sequence[Sequence[str]], width: int | None = None) -> None:
    """Print rows in columns of which the last is wrapped to the terminal.

    Args:
        rows: cells, as many in each row.
        width: columns of the terminal; None for those of stdout. Where that is no terminal
            a row is one line.
    """
    if width is None:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    indent = sum(widths) + 2 * len(widths)
    for row in rows:
        head = "".join(f"{cell:<{size}}  " for cell, size in zip(row[:-1], widths, strict=True))
        room = width - indent
        lines = textwrap.wrap(row[-1], room) if room >= LEAST else [row[-1]]
        click.echo(
            "\n".join([head + (lines or [""])[0], *(" " * indent + x for x in lines[1:])]).rstrip()
        )
