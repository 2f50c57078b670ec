"""`hashbench explain`: what a score depends on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashbench.commands import kinds, options

if TYPE_CHECKING:
    from hashbench.store.record import Record

EPILOG = """\b
Examples:
  hashbench explain dch:48:0
  hashbench explain 3f9a --results my-results
  hashbench explain dch:48:0 --json
"""


@click.command(epilog=EPILOG)
@click.argument("cell", type=kinds.CELL)
@options.results
@options.as_json
def command(cell: str, results: Path, as_json: bool) -> None:
    """Print everything the scores of CELL depend on.

    CELL is METHOD:BITS:SEED, or the beginning of a key.
    """
    import json

    from hashbench.parsing import plain
    from hashbench.results.explain import describe, find_cell, flatten, shown
    from hashbench.store import Store

    store = Store(results)
    record = find_cell(store, cell)
    description = describe(store, record)
    defaults = _defaults(record)
    if as_json:
        click.echo(json.dumps({**description, "defaults": defaults}, indent=1))
        return
    used = {f"params.{name}": default for name, default in defaults.items()}
    for part, content in description.items():
        if not isinstance(content, dict):
            first, *others = shown(content).splitlines() or [""]
            click.echo(f"{part}: {plain(first)}")
            for line in others:  # of a log
                click.echo(f"  {plain(line)}")
            continue
        flat = flatten(content)
        width = max(map(len, flat), default=0)
        if flat:
            click.echo(f"\n{part}")
        for name, value in flat.items():
            line = shown(value).replace("\n", " ")  # of a BibTeX entry
            if part == "cell" and name in used:
                line = _default(**used[name])
            click.echo(f"  {plain(name):<{width}}  {plain(line)}")


def _defaults(record: Record) -> dict[str, dict[str, Any]]:
    """What unset hyper-parameters stood for; remembered, for it takes seconds to import methods."""
    import hashlib
    import json

    from hashbench.commands.listing import remembered
    from hashbench.results.explain import defaults_of

    cell = record.cell
    if None not in cell.params.values():
        return {}
    asked = [cell.method, cell.code, cell.bits, cell.params, len(record.history)]
    name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    found = remembered(
        "hashbench.methods", lambda: ([defaults_of(record)], True), f"defaults-{name}"
    )
    return found[0]


def _default(of: str, value: object) -> str:
    """An unset hyper-parameter, by what it stood for."""
    from hashbench.results.explain import shown

    whose = f"the {of}'s default"
    return f"{whose}, which the data decided" if value is None else f"{shown(value)} ({whose})"
