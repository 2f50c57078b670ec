"""`hashbench new-method`: a file to start from."""

from __future__ import annotations

import os
from pathlib import Path

import click

from hashbench.commands import kinds

EPILOG = """\b
Examples:
  hashbench new-method my-hash
  hashbench new-method my-hash --kind shallow --out methods/my_hash.py
"""


@click.command(epilog=EPILOG)
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["deep", "shallow"]),
    default="deep",
    show_default=True,
    help="Trained by gradient descent on a loss, or learnt from features in closed form.",
)
@click.option(
    "--out",
    type=kinds.TypedPath(dir_okay=False),
    default=None,
    metavar="FILE",
    help="Where to write it [default: NAME.py, with _ for -].",
)
def command(name: str, kind: str, out: Path | None) -> None:
    """Write a commented method called NAME that runs as it is and passes `hashbench check`."""
    from hashbench.errors import InputError
    from hashbench.errors import command as line
    from hashbench.files import write_named
    from hashbench.registries import methods
    from hashbench.testing.scaffold import scaffold

    path = out or Path(f"{name.replace('-', '_')}.py")
    text = scaffold(name, kind, str(path))
    if name in methods().names():
        raise InputError(f"the method '{name}' exists already: choose another name")
    if os.path.lexists(path):
        raise InputError(f"{path} exists already: choose another file with --out")
    try:
        write_named(path, lambda stream: stream.write(text.encode()))
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror}; choose another file with --out"
        ) from error
    click.echo(f"{path} is written: a {kind} method that works. Make it yours, then\n")
    click.echo(f"  {line('check', path)}")
    click.echo(f"  {line('run', '--methods', name, '--plugin', path, '--datasets', 'digits')}")
