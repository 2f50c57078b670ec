"""`hashbench forget`: drop results, by name or because newer ones took their place."""

from __future__ import annotations

from pathlib import Path

import click

from hashbench.commands import kinds, options
from hashbench.parsing import in_number

EPILOG = """\b
Examples:
  hashbench forget --superseded
  hashbench forget dch:48:0
  hashbench forget 3f9a 77c0 --results my-results --yes
"""


@click.command(epilog=EPILOG)
@click.argument("cells", nargs=-1, type=kinds.CELL)
@click.option(
    "--superseded",
    is_flag=True,
    help="Results of older code of a method or of an earlier state of the data.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.results
@options.as_json
def command(
    cells: tuple[str, ...], superseded: bool, yes: bool, results: Path, as_json: bool
) -> int:
    """Remove CELLS (METHOD:BITS:SEED, or the beginning of a key) with their codes and scores."""
    import json

    from hashbench.errors import InputError
    from hashbench.parsing import plain
    from hashbench.results.choose import current
    from hashbench.results.explain import find_cell
    from hashbench.store import Store

    if not cells and not superseded:
        raise InputError("name the cells to forget, or give --superseded")
    store = Store(results)
    found = {record.key: record for record in (find_cell(store, name) for name in cells)}
    if superseded:
        records = store.records()
        kept = {record.key for record in current(records)[0]}
        found |= {record.key: record for record in records if record.key not in kept}
    names = [f"{record.cell} ({key})" for key, record in found.items()]
    if names and not yes and not as_json:
        for name in names:
            click.echo(plain(name))
        if not _agreed(f"Forget {in_number(len(names), 'result', 'results')} of {store.root}?"):
            click.echo("Nothing is forgotten.")
            return 1
    for key in found:
        store.forget(key)
    if as_json:
        click.echo(json.dumps({"forgotten": list(found)}))
    else:
        click.echo(f"Forgot {in_number(len(found), 'result', 'results')} of {store.root}.")
    return 0


def _agreed(question: str) -> bool:
    """Whether the user says yes.

    Raises:
        InputError: if nobody is there to answer.
        Abort: at Ctrl-C.
    """
    import sys

    from hashbench.errors import InputError

    try:
        return click.confirm(question)
    except click.Abort:
        if sys.stdin is not None and sys.stdin.isatty():
            raise
        click.echo()  # the question's own line is left
        raise InputError("nobody is there to answer: say --yes, or call it in a terminal") from None
