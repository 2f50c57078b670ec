"""Where a verb prints: stdout, or the file of --out."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import click


@contextlib.contextmanager
def printed_to(out: Path | None) -> Iterator[None]:
    """Send what is printed within to a file; None and `-` leave it on stdout.

    The file is written once all is there, and not at all if an error ends the block.

    Raises:
        InputError: if the file cannot be written.
    """
    from hashbench.errors import InputError
    from hashbench.files import write_atomically

    if out is None or str(out) == "-":
        yield
        return
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        yield
    try:
        write_atomically(out, lambda stream: stream.write(text.getvalue().encode()))
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}; choose another --out") from error
    click.echo(f"Wrote {out}.", err=True)
