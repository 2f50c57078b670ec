"""What a run ends with: the tables, where the records are, what to do next."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click
from rich.console import Console

from hashbench.results.marks import significant
from hashbench.results.store import Store
from hashbench.results.tables import tables
from hashbench.results.terminal import show


def report(store: Store, keys: Sequence[str], convention: str, *, as_json: bool) -> None:
    """Print the tables of the records with `keys`, or those records as JSON."""
    records = [record for key in keys if (record := store.get(key)) is not None]
    if as_json:
        body = {
            "results": str(store.root),
            "records": [json.loads(record.to_json()) for record in records],
        }
        click.echo(json.dumps(body, indent=1))
        return
    console = Console()
    for table in tables(records, "map@h2", convention):
        show(console, table, significant(store, table))
    click.echo(f"\n{len(records)} records in {store.root}")
    where = "" if str(store.root) == "hashbench-results" else f" --results {store.root}"
    click.echo(f"Next: hashbench export --format latex --out table.tex{where}")
